"""The doors: each action parses, makes one service call, and answers."""

from contextlib import suppress
from typing import Any

from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import authentication, cross_site, delivery, services
from accounts.conf import conf
from accounts.errors import CrossSiteRequest
from accounts.serializers import SignInRequest, SignUpRequest, signed_in
from accounts.sessions import Client


class AuthViewSet(ViewSet):
    """Open to all: a bad or expired access token is ignored here, because clients send theirs with every request."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @action(detail=False, methods=["post"])
    def signup(self, request: Request) -> Response:
        cross_site.refuse_where_cookies_play(request)
        body = _parse(SignUpRequest, request)
        roles = body.pop("roles") or []
        actor = authentication.user_if_signed_in(request) if roles else None
        services.sign_up(**body, roles=roles, actor=actor)
        return Response({"message": "User registered successfully!"})

    @action(detail=False, methods=["post"])
    def signin(self, request: Request) -> Response:
        cross_site.refuse_where_cookies_play(request)
        user, pair = services.sign_in(**_parse(SignInRequest, request), client=_client(request))
        return delivery.with_tokens(signed_in(user), pair)

    @action(detail=False, methods=["post"])
    def refreshtoken(self, request: Request) -> Response:
        cross_site.refuse_where_cookies_play(request)
        pair = services.refresh(refresh_token=authentication.refresh_token_of(request))
        body = {} if conf.delivers_in_body else {"message": "Token is refreshed successfully!"}
        return delivery.with_tokens(body, pair)

    @action(detail=False, methods=["post"])
    def signout(self, request: Request) -> Response:
        """Always 200: a published client that is refused here signs out again, without end."""
        with suppress(CrossSiteRequest):
            cross_site.refuse_where_cookies_play(request)
            services.sign_out(
                access_token=authentication.access_token_of(request)[0],
                refresh_token=authentication.refresh_token_if_readable(request),
            )
            return delivery.without_tokens({"message": SIGNED_OUT})
        return Response({"message": SIGNED_OUT})


SIGNED_OUT = "You've been signed out!"


def _parse(shape: type[SignUpRequest] | type[SignInRequest], request: Request) -> dict[str, Any]:
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _client(request: Request) -> Client:
    return Client(
        address=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.META.get("HTTP_USER_AGENT", ""),
    )
