"""Who may see a board: the members of a Django group."""

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView


class InGroup(IsAuthenticated):
    """Subclasses name the group; it is looked up in the database at each request."""

    group: str

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and request.user.groups.filter(name=self.group).exists()


class IsModerator(InGroup):
    group = "moderator"


class IsAdmin(InGroup):
    group = "admin"
