"""Sign-up, sign-in, refresh, sign-out: /api/auth/…"""

from contextlib import suppress

from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import authentication, cross_site, delivery, services
from accounts.authentication import actor_of
from accounts.conf import conf
from accounts.errors import CrossSiteRequest
from accounts.serializers.answers import signed_in
from accounts.serializers.requests import SignInRequest, SignUpRequest, parse

SIGNED_OUT = "You've been signed out!"


class AuthViewSet(ViewSet):
    """Open to all: a bad or expired access token is ignored here, because clients send theirs with every request."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @action(detail=False, methods=["post"])
    def signup(self, request: Request) -> Response:
        cross_site.refuse_where_cookies_play(request)
        body = parse(SignUpRequest, request)
        roles = body.pop("roles") or []
        user = authentication.user_if_signed_in(request) if roles else None
        services.sign_up(**body, roles=roles, signed_in=user, by=actor_of(request, user))
        return Response({"message": "User registered successfully!"})

    @action(detail=False, methods=["post"])
    def signin(self, request: Request) -> Response:
        cross_site.refuse_where_cookies_play(request)
        token, _ = authentication.access_token_of(request)
        user, pair = services.sign_in(**parse(SignInRequest, request), by=actor_of(request), access_token=token)
        return delivery.with_tokens(signed_in(user), pair)

    @action(detail=False, methods=["post"])
    def refreshtoken(self, request: Request) -> Response:
        cross_site.refuse_where_cookies_play(request)
        token = authentication.refresh_token_of(request)
        pair = services.refresh(refresh_token=token, by=actor_of(request))
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
                everywhere=authentication.body_if_readable(request).get("everywhere") in (True, "true"),
                by=actor_of(request),
            )
            return delivery.without_tokens({"message": SIGNED_OUT})
        return Response({"message": SIGNED_OUT})
