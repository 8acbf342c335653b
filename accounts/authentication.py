"""The one place that reads tokens off a request, and who it is that they stand for."""

from enum import Enum, auto
from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from accounts import cross_site, tokens
from accounts.conf import conf
from accounts.errors import InvalidToken, RefreshTokenUnknown
from accounts.models import Actor, Session, User
from accounts.tokens import AccessToken, Claims


class Source(Enum):
    HEADER = auto()
    COOKIE = auto()


class TokenAuthentication(BaseAuthentication):
    """Gives `request.user`, whose `role_names` are those of this moment, and `request.auth`, the token's claims.

    One query asks for the session, the account and the roles. Raises InvalidToken, ExpiredToken, and
    CrossSiteRequest for a state-changing request of another site's that comes with our cookie.
    """

    def authenticate(self, request: Request) -> tuple[User, Claims] | None:
        raw, source = access_token_of(request)
        if not raw:
            return None
        if source is Source.COOKIE:
            cross_site.refuse(request)
        claims = tokens.read(AccessToken, raw)
        user = Session.objects.user_with_roles(session_id=claims.session_id, user_id=claims.user_id, now=timezone.now())
        if user is None:
            raise InvalidToken()
        bind_contextvars(user_id=user.pk)  # for the log
        return user, claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def user_if_signed_in(request: Request) -> User | None:
    """Who is signed in, where a token is welcome but not needed: an absent, bad or expired one is nobody."""
    try:
        found = TokenAuthentication().authenticate(request)
    except InvalidToken:
        return None
    return found[0] if found else None


def actor_of(request: Request, user: User | None = None) -> Actor:
    """Who calls, for the audit trail and the session: `user`, or whoever is signed in for the view."""
    return Actor.seen(request.META, user_id=(user or request.user).pk, via="api")


def access_token_of(request: Request) -> tuple[str, Source]:
    """The access token as it came, '' where there is none: the first place that is not empty decides."""
    header = request.META.get("HTTP_X_ACCESS_TOKEN", "").strip() or bearer(request)
    if header:
        return header, Source.HEADER
    return request.COOKIES.get(conf.access_cookie, ""), Source.COOKIE


def bearer(request: Request) -> str:
    """RFC 6750 section 2.1; an empty header, a bare `Bearer` and another scheme hold no token."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def refresh_token_of(request: Request) -> str:
    """The refresh token as it came, '' where there is none: the body before the cookie.

    Raises RefreshTokenUnknown for a field that is not a text, and ParseError as any reading of a body does.
    """
    token = request.data.get("refreshToken") if isinstance(request.data, dict) else None
    if token is not None and not isinstance(token, str):
        raise RefreshTokenUnknown()
    return token or request.COOKIES.get(conf.refresh_cookie, "")


def body_if_readable(request: Request) -> dict[str, Any]:
    """The body, {} where there is none that can be read: a sign-out must not fail on its body."""
    try:
        return request.data if isinstance(request.data, dict) else {}
    except APIException:
        return {}


def refresh_token_if_readable(request: Request) -> str:
    """As `refresh_token_of`, but what cannot be read holds no token."""
    token = body_if_readable(request).get("refreshToken")
    return token if isinstance(token, str) and token else request.COOKIES.get(conf.refresh_cookie, "")
