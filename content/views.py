"""The guarded example: four boards, one for everyone and three for who may see them."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from accounts.permissions import HasRole


@extend_schema(responses={(200, "text/plain"): str})
class BoardViewSet(ViewSet):
    @action(detail=False, permission_classes=[AllowAny], authentication_classes=[])
    def all(self, request: Request) -> HttpResponse:
        """What everyone may see."""
        return _text("Public Content.")

    @action(detail=False, permission_classes=[IsAuthenticated])
    def user(self, request: Request) -> HttpResponse:
        """What whoever is signed in may see."""
        return _text("User Content.")

    @action(detail=False, permission_classes=[HasRole("moderator")])
    def mod(self, request: Request) -> HttpResponse:
        """What moderators may see."""
        return _text("Moderator Content.")

    @action(detail=False, permission_classes=[HasRole("admin")])
    def admin(self, request: Request) -> HttpResponse:
        """What admins may see."""
        return _text("Admin Content.")


def _text(content: str) -> HttpResponse:
    return HttpResponse(content.encode(), content_type="text/plain; charset=utf-8")
