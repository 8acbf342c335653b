"""One's own account: /api/auth/me, password, sessions."""

from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
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
from accounts.views.base import ID_PATTERN, SETS_COOKIES


class OwnAccountViewSet(ViewSet):
    """For whoever is signed in, about themselves only."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=answers.OwnAccount)
    @action(detail=False)
    def me(self, request: Request) -> Response:
        """The caller's account."""
        return Response(answers.own_account(_user(request)))

    @extend_schema(
        request=requests.ChangeOwnAccountRequest,
        responses={200: answers.OwnAccount, 404: answers.Error, 429: answers.Error},
    )
    @me.mapping.patch
    def change(self, request: Request) -> Response:
        """Changes the caller's name or address. The current password proves who asks."""
        user = services.change_own_account(
            user=_user(request), by=actor_of(request), **parse(requests.ChangeOwnAccountRequest, request)
        )
        return Response(answers.own_account(user))

    @extend_schema(
        parameters=[SETS_COOKIES],
        request=requests.ConfirmRequest,
        responses={200: answers.Message, 409: answers.Error, 429: answers.Error},
    )
    @action(detail=False, methods=["post"], url_path="me/delete")
    def delete_me(self, request: Request) -> Response:
        """Removes the caller's account with its sessions and grants."""
        services.delete_own_account(
            user=_user(request), by=actor_of(request), **parse(requests.ConfirmRequest, request)
        )
        return delivery.without_tokens({"message": "Your account was deleted."})

    @extend_schema(responses=answers.Export)
    @action(detail=False, url_path="me/export")
    def export(self, request: Request) -> Response:
        """All that is kept about the caller."""
        return Response(answers.Export(services.kept_about(_user(request)), context={"user": request.user}).data)

    @extend_schema(request=requests.ChangePasswordRequest, responses={200: answers.Message, 429: answers.Error})
    @action(detail=False, methods=["post"])
    def password(self, request: Request) -> Response:
        """Changes the password, and ends all other sessions."""
        services.change_own_password(
            user=_user(request),
            keep=_session_id(request),
            by=actor_of(request),
            **parse(requests.ChangePasswordRequest, request),
        )
        return Response({"message": "Your password was changed, and your other sessions were ended."})

    @extend_schema(responses=answers.OwnSessionSerializer(many=True))
    @action(detail=False)
    def sessions(self, request: Request) -> Response:
        """Where the caller is signed in, newest first."""
        live, context = services.live_sessions(_user(request)), {"current": _session_id(request)}
        return Response(answers.OwnSessionSerializer(live, many=True, context=context).data)

    @extend_schema(responses={204: None})
    @action(detail=False, methods=["delete"], url_path=f"sessions/(?P<session_id>{ID_PATTERN})")
    def revoke_session(self, request: Request, session_id: str) -> Response:
        """Ends one of the caller's sessions."""
        services.revoke_own_session(user=_user(request), session_id=UUID(session_id), by=actor_of(request))
        return Response(status=204)


def _user(request: Request) -> User:
    return cast(User, request.user)


def _session_id(request: Request) -> UUID:
    """The session that the request's token belongs to."""
    return cast(Claims, request.auth).session_id
