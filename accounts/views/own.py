"""One's own account: /api/auth/me, password, sessions."""

from typing import cast
from uuid import UUID

from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import delivery, services
from accounts.authentication import actor_of
from accounts.models import User
from accounts.serializers import answers, requests
from accounts.serializers.requests import parse
from accounts.tokens import Claims

UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class OwnAccountViewSet(ViewSet):
    """For whoever is signed in, about themselves only."""

    permission_classes = [IsAuthenticated]

    @action(detail=False)
    def me(self, request: Request) -> Response:
        return Response(answers.own_account(_user(request)))

    @me.mapping.patch
    def change(self, request: Request) -> Response:
        user = services.change_own_account(
            user=_user(request), by=actor_of(request), **parse(requests.ChangeOwnAccountRequest, request)
        )
        return Response(answers.own_account(user))

    @action(detail=False, methods=["post"], url_path="me/delete")
    def delete_me(self, request: Request) -> Response:
        services.delete_own_account(
            user=_user(request), by=actor_of(request), **parse(requests.ConfirmRequest, request)
        )
        return delivery.without_tokens({"message": "Your account was deleted."})

    @action(detail=False, url_path="me/export")
    def export(self, request: Request) -> Response:
        return Response(answers.everything_about(_user(request), services.kept_about(_user(request))))

    @action(detail=False, methods=["post"])
    def password(self, request: Request) -> Response:
        services.change_own_password(
            user=_user(request),
            keep=_session_id(request),
            by=actor_of(request),
            **parse(requests.ChangePasswordRequest, request),
        )
        return Response({"message": "Your password was changed, and your other sessions were ended."})

    @action(detail=False)
    def sessions(self, request: Request) -> Response:
        return Response(answers.own_sessions(services.live_sessions(_user(request)), current=_session_id(request)))

    @action(detail=False, methods=["delete"], url_path=f"sessions/(?P<session_id>{UUID_PATTERN})")
    def session(self, request: Request, session_id: str) -> Response:
        services.revoke_own_session(user=_user(request), session_id=UUID(session_id), by=actor_of(request))
        return Response(status=204)


def _user(request: Request) -> User:
    return cast(User, request.user)


def _session_id(request: Request) -> UUID:
    """The session that the request's token belongs to."""
    return cast(Claims, request.auth).session_id
