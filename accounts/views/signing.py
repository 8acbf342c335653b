"""Sign-up, sign-in, refresh, sign-out: /api/auth/…"""

from contextlib import suppress

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import authentication, cross_site, delivery, services
from accounts.authentication import actor_of
from accounts.conf import conf
from accounts.errors import CrossSiteRequest
from accounts.serializers import answers, requests
from accounts.serializers.requests import parse
from accounts.views.base import SETS_COOKIES

SIGNED_OUT = "You've been signed out!"


class AuthViewSet(ViewSet):
    """Open to all: a bad or expired access token is ignored here, because clients send theirs with every request."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        request=requests.SignUpRequest,
        responses={200: answers.Message, 403: answers.Error, 429: answers.Error},
    )
    @action(detail=False, methods=["post"])
    def signup(self, request: Request) -> Response:
        """Makes an account. Roles that are not self-assignable can be given by an admin who is signed in."""
        cross_site.refuse_where_cookies_play(request)
        body = parse(requests.SignUpRequest, request)
        roles = body.pop("roles") or []
        user = authentication.user_if_signed_in(request) if roles else None
        services.sign_up(**body, roles=roles, signed_in=user, by=actor_of(request, user))
        return Response({"message": "User registered successfully!"})

    @extend_schema(
        parameters=[SETS_COOKIES],
        request=requests.SignInRequest,
        responses={
            200: answers.SignedIn,
            401: answers.SignInError,
            403: answers.Error,
            404: answers.Error,
            429: answers.Error,
        },
    )
    @action(detail=False, methods=["post"])
    def signin(self, request: Request) -> Response:
        """Opens a session. An unknown name is answered as a wrong password, unless REVEAL_UNKNOWN_USERNAME is on."""
        cross_site.refuse_where_cookies_play(request)
        token, _ = authentication.access_token_of(request)
        body = parse(requests.SignInRequest, request)
        user, pair = services.sign_in(**body, by=actor_of(request), access_token=token)
        return delivery.with_tokens(answers.who(user), pair)

    @extend_schema(
        parameters=[SETS_COOKIES],
        request=requests.RefreshRequest,
        responses={200: answers.Refreshed, 403: answers.Error, 429: answers.Error},
    )
    @action(detail=False, methods=["post"])
    def refreshtoken(self, request: Request) -> Response:
        """Gives new tokens for the refresh token in the body or the cookie. Store the new one."""
        cross_site.refuse_where_cookies_play(request)
        token = authentication.refresh_token_of(request)
        pair = services.refresh(refresh_token=token, by=actor_of(request))
        body = {} if conf.delivers_in_body else {"message": "Token is refreshed successfully!"}
        return delivery.with_tokens(body, pair)

    @extend_schema(parameters=[SETS_COOKIES], request=requests.SignOutRequest, responses=answers.Message)
    @action(detail=False, methods=["post"])
    def signout(self, request: Request) -> Response:
        """Ends the session of the tokens that came along.

        Always 200: a published client that is refused here signs out again, without end.
        """
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
