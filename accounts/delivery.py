"""How tokens reach the client: in the body, in HttpOnly cookies, or both."""

from typing import Any

from django.utils import timezone
from rest_framework.response import Response

from accounts.conf import conf
from accounts.sessions import TokenPair

# Only the auth endpoints ever see the refresh token.
REFRESH_COOKIE_PATH = "/api/auth"


def with_tokens(body: dict[str, Any], pair: TokenPair) -> Response:
    """An answer with the tokens where the settings want them."""
    if conf.delivers_in_body:
        body = {**body, "accessToken": pair.access, "refreshToken": pair.refresh}
    response = Response(body)
    if conf.delivers_in_cookies:
        # The access cookie stays for as long as the refresh token is good: a browser that had dropped it would be
        # answered 403 (no token) instead of 401 (expired), and the published clients would never refresh.
        seconds = int((pair.refresh_expires_at - timezone.now()).total_seconds())
        _set(response, conf.access_cookie, pair.access, "/", seconds)
        _set(response, conf.refresh_cookie, pair.refresh, REFRESH_COOKIE_PATH, seconds)
    return response


def without_tokens(body: dict[str, Any]) -> Response:
    """An answer that takes the cookies back."""
    response = Response(body)
    _set(response, conf.access_cookie, "", "/", 0)
    _set(response, conf.refresh_cookie, "", REFRESH_COOKIE_PATH, 0)
    return response


def _set(response: Response, name: str, value: str, path: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        secure=conf.cookie_secure,
        httponly=True,
        samesite=conf.cookie_samesite,  # type: ignore[arg-type]
    )
