"""The front door: a word of welcome, for browsers a page to try the API, and the documentation they point to."""

from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, Serializer
from rest_framework.viewsets import ViewSet

from accounts.conf import conf
from authproject import schema
from authproject.negotiation import wants_html

MAY_BE_KEPT = {"Cache-Control": "max-age=300"}


class Welcome(Serializer[Any]):
    message = CharField()
    documentation = CharField()
    admin = CharField()


class WelcomeViewSet(ViewSet):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(responses={(200, "application/json"): Welcome, (200, "text/html"): str})
    def welcome(self, request: Request) -> HttpResponseBase:
        """Where to go; for browsers, where WELCOME_PAGE is on, a page to try the API."""
        answer = _page() if settings.WELCOME_PAGE and wants_html(request) else _directions(request)
        patch_vary_headers(answer, ("Accept",))
        return answer

    @extend_schema(responses={302: None})
    def admin(self, request: Request) -> HttpResponse:
        """The one redirect there is: people type the address without its slash."""
        return HttpResponseRedirect("/admin/")

    @extend_schema(responses={(200, "text/plain"): str, (200, "text/html"): str})
    def documentation(self, request: Request) -> HttpResponseBase:
        """The wire contract; for browsers, a page on which to read and try what this description describes."""
        answer: HttpResponseBase = _documentation(request._request) if wants_html(request) else _contract()
        patch_vary_headers(answer, ("Accept",))
        return answer

    @extend_schema(responses={(200, "text/plain"): str})
    def contract(self, request: Request) -> HttpResponse:
        """The wire contract, as it stands in docs/contract.md."""
        return _contract()

    @extend_schema(responses=dict[str, Any])
    def openapi(self, request: Request) -> HttpResponse:
        """This description."""
        headers = {"Cache-Control": "public, max-age=300"}
        return HttpResponse(schema.document(), content_type="application/json", headers=headers)


def _directions(request: Request) -> Response:
    return Response(
        {
            "message": "Welcome to authproject.",
            "documentation": request.build_absolute_uri("/docs"),
            "admin": request.build_absolute_uri("/admin/"),
        }
    )


def _page() -> HttpResponse:
    """A script cannot see when a token in an HttpOnly cookie ends, so the page says how long they last."""
    told = {"in_cookies": conf.delivers_in_cookies, "lifetime": int(conf.access_token_lifetime.total_seconds())}
    return HttpResponse(render_to_string("authproject/page.html", told))


def _contract() -> HttpResponse:
    text = (settings.BASE_DIR / "docs" / "contract.md").read_bytes()
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=MAY_BE_KEPT)


# The arrows of Swagger UI are images within its style sheet.
@csp_update({"img-src": ["data:"]})
def _documentation(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse(render_to_string("authproject/docs.html"), headers=MAY_BE_KEPT)
