"""The front door: a word of welcome, and the documentation it points to."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet


class WelcomeViewSet(ViewSet):
    authentication_classes = []
    permission_classes = [AllowAny]

    def welcome(self, request: Request) -> Response:
        return Response(
            {
                "message": "Welcome to authproject.",
                "documentation": request.build_absolute_uri("/docs"),
                "admin": request.build_absolute_uri("/admin/"),
            }
        )

    def admin(self, request: Request) -> HttpResponse:
        """The one redirect there is: people type the address without its slash."""
        return HttpResponseRedirect("/admin/")

    def documentation(self, request: Request) -> HttpResponse:
        """The wire contract, as it stands in docs/contract.md."""
        contract = settings.BASE_DIR / "docs" / "contract.md"
        headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "max-age=300"}
        return HttpResponse(contract.read_bytes(), headers=headers)
