"""The middlewares that only pages need, and none of which the API's requests have to pass."""

from collections.abc import Callable
from typing import Any

from corsheaders import middleware as cors
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

OF_THIS_COPY = ("/health/", "/metrics")
FOR_PROGRAMS = ("/api/", *OF_THIS_COPY)
# More than there are: a pattern in ALLOWED_HOSTS may let in any number of names.
MAX_HOSTS = 100
VARY = ("Vary", "origin")
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class PagesMiddleware:
    """What stands after it in MIDDLEWARE is for pages. What programs ask for has no session of Django's, no messages
    and no files, and goes straight to its view: at most, a request brings a token."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.view = _innermost(get_response)
        self.good_hosts: set[str] = set()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(FOR_PROGRAMS):
            return self.get_response(request)
        # Whoever asks after this copy of the server, and no other, does so by its address, not by a host's name.
        if not request.path_info.startswith(OF_THIS_COPY):
            self._refuse_other_hosts(request)
        response = self.view(request)
        if not response.streaming:
            length = str(len(response.content))  # type: ignore[attr-defined]
            response.headers._store.setdefault("content-length", ("Content-Length", length))
        return response

    def _refuse_other_hosts(self, request: HttpRequest) -> None:
        """Raises DisallowedHost. Nearly all requests name the same host."""
        named = request.META.get("HTTP_HOST")
        if named not in self.good_hosts:
            request.get_host()
            if named and len(self.good_hosts) < MAX_HOSTS and not settings.USE_X_FORWARDED_HOST:
                self.good_hosts.add(named)


def _innermost(get_response: Any) -> GetResponse:
    """What the last of the middlewares calls. Django wraps each one, and the wrapper has the attributes of what is
    in it."""
    while hasattr(get_response, "get_response"):
        get_response = get_response.get_response
    return get_response


class CorsMiddleware(cors.CorsMiddleware):
    """To a request that names no origin it has one thing to say: that another answer may follow to one that does."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_ORIGIN" in request.META or request.method == "OPTIONS" or not request.path_info.startswith("/api/"):
            return super().__call__(request)  # type: ignore[return-value]
        response: Any = self.get_response(request)
        # As corsheaders writes it.
        if response.headers._store.setdefault("vary", VARY) is not VARY:
            patch_vary_headers(response, ("origin",))
        return response
