"""Where a request comes from: the client's address and scheme, as the trusted proxies report them."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse


class TrustedProxyMiddleware:
    """Replaces REMOTE_ADDR and the scheme by what TRUSTED_PROXY_COUNT proxies in front of us wrote.

    Each of N proxies appends the address it was called from to X-Forwarded-For, so the client's is the
    Nth from the right; whatever stands further left the client may have invented. With a count of 0,
    the default, both headers are ignored.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if settings.TRUSTED_PROXY_COUNT == 0:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self._believe_the_proxies(request.META, settings.TRUSTED_PROXY_COUNT)
        return self.get_response(request)

    @staticmethod
    def _believe_the_proxies(environ: dict[str, str], count: int) -> None:
        forwarded = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(forwarded) >= count and _is_address(forwarded[-count]):
            environ["REMOTE_ADDR"] = forwarded[-count]
        schemes = [part.strip() for part in environ.get("HTTP_X_FORWARDED_PROTO", "").split(",")]
        scheme = schemes[-min(count, len(schemes))]
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
