"""The guarded boards: a short text for everyone, for users, for moderators and for admins."""

from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from boards.permissions import IsAdmin, IsModerator


class Board(APIView):
    text: str

    def get(self, request: Request) -> Response:
        return Response(self.text)


class AllBoard(Board):
    permission_classes = [AllowAny]
    text = "Public Content."


class UserBoard(Board):
    permission_classes = [IsAuthenticated]
    text = "User Content."


class ModeratorBoard(Board):
    permission_classes = [IsModerator]
    text = "Moderator Content."


class AdminBoard(Board):
    permission_classes = [IsAdmin]
    text = "Admin Content."
