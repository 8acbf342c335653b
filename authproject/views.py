"""The front door: a word of welcome, and the documentation it points to."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, Serializer
from rest_framework.viewsets import ViewSet

from authproject import schema


class Welcome(Serializer[Any]):
    message = CharField()
    documentation = CharField()
    admin = CharField()


class WelcomeViewSet(ViewSet):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(responses=Welcome)
    def welcome(self, request: Request) -> Response:
        return Response(
            {
                "message": "Welcome to authproject.",
                "documentation": request.build_absolute_uri("/docs"),
                "admin": request.build_absolute_uri("/admin/"),
            }
        )

    @extend_schema(responses={302: None})
    def admin(self, request: Request) -> HttpResponse:
        """The one redirect there is: people type the address without its slash."""
        return HttpResponseRedirect("/admin/")

    @extend_schema(responses={(200, "text/plain"): str})
    def documentation(self, request: Request) -> HttpResponse:
        """The wire contract, as it stands in docs/contract.md."""
        contract = settings.BASE_DIR / "docs" / "contract.md"
        headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "max-age=300"}
        return HttpResponse(contract.read_bytes(), headers=headers)

    @extend_schema(responses=dict[str, Any])
    def openapi(self, request: Request) -> HttpResponse:
        """This description."""
        headers = {"Cache-Control": "public, max-age=300"}
        return HttpResponse(schema.document(), content_type="application/json", headers=headers)
