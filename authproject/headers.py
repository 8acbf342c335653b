"""What every answer says of itself unless it says otherwise: that no cache may keep it, what a page may load, and what
Django's own middlewares have to say."""

from io import BytesIO

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from authproject.pages import FOR_PROGRAMS, GetResponse

Headers = dict[str, tuple[str, str]]


class HeadersMiddleware(CSPMiddleware):
    """django-csp's, for pages, which may have nonces and exceptions of their own. All other answers get the policy
    as it stands in the settings. What else is the same for each of them is found out once: worked out anew, header by
    header, it would cost each answer more than to find its view."""

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        policy = (HEADER, build_policy())
        self._of_pages = {scheme: _always_the_same(scheme) for scheme in ("http", "https")}
        self._of_others = {scheme: {**same, HEADER.lower(): policy} for scheme, same in self._of_pages.items()}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(FOR_PROGRAMS):
            self.process_request(request)
        return self.process_response(request, self.get_response(request))  # type: ignore[arg-type]

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page:
            super().process_response(request, response)
        defaults = (self._of_pages if is_page else self._of_others)[request.scheme or "http"]
        # By the methods of this class of Django's each of them would cost a microsecond and a half.
        response.headers._store = {**defaults, **response.headers._store}
        if getattr(response, "xframe_options_exempt", False):
            del response.headers["X-Frame-Options"]
        return response


def _always_the_same(scheme: str) -> Headers:
    """The headers that every answer to a request of that scheme gets, by their names in small letters."""
    request = WSGIRequest({"REQUEST_METHOD": "GET", "wsgi.url_scheme": scheme, "wsgi.input": BytesIO()})
    answer = SecurityMiddleware(XFrameOptionsMiddleware(lambda _: HttpResponse()))(request)
    # RFC 6749 section 5.1 wants it for tokens; what is told of people is nothing for a cache either.
    said = {**answer.headers, "Cache-Control": "no-store"}  # type: ignore[union-attr]
    del said["Content-Type"]
    return {name.lower(): (name, value) for name, value in said.items()}
