"""The middlewares that only pages need, and none of which the API's requests have to pass."""

from typing import Any

from corsheaders import middleware as cors
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from whitenoise import middleware as whitenoise


class _NotForTheApi:
    """What is below /api/ has no session of Django's, no messages and no files: its requests come with tokens."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)  # type: ignore[attr-defined]
        return super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(_NotForTheApi, sessions.SessionMiddleware):
    pass


class AuthenticationMiddleware(_NotForTheApi, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(_NotForTheApi, messages.MessageMiddleware):
    pass


class WhiteNoiseMiddleware(_NotForTheApi, whitenoise.WhiteNoiseMiddleware):
    pass


class CorsMiddleware(cors.CorsMiddleware):
    """To a request that names no origin it has one thing to say: that another answer may follow to one that does."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_ORIGIN" in request.META or request.method == "OPTIONS" or not request.path_info.startswith("/api/"):
            return super().__call__(request)  # type: ignore[return-value]
        response = self.get_response(request)
        patch_vary_headers(response, ("origin",))  # type: ignore[arg-type]
        return response  # type: ignore[return-value]
