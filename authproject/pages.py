"""The middlewares that only pages need, and none of which the API's requests have to pass."""

from typing import Any

from corsheaders import middleware as cors
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware import common
from django.utils.cache import patch_vary_headers
from whitenoise import middleware as whitenoise

OF_THIS_COPY = ("/health/", "/metrics")
FOR_PROGRAMS = ("/api/", *OF_THIS_COPY)


class _NotForPrograms:
    """What programs ask for has no session of Django's, no messages and no files: at most, a request brings a token."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(FOR_PROGRAMS):
            return self.get_response(request)  # type: ignore[attr-defined]
        return super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(_NotForPrograms, sessions.SessionMiddleware):
    pass


class AuthenticationMiddleware(_NotForPrograms, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(_NotForPrograms, messages.MessageMiddleware):
    pass


class WhiteNoiseMiddleware(_NotForPrograms, whitenoise.WhiteNoiseMiddleware):
    pass


class CommonMiddleware(common.CommonMiddleware):
    """Whoever asks after this copy of the server, and no other, does so by its address, not by a host's name."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path_info.startswith(OF_THIS_COPY) else super().process_request(request)


class CorsMiddleware(cors.CorsMiddleware):
    """To a request that names no origin it has one thing to say: that another answer may follow to one that does."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_ORIGIN" in request.META or request.method == "OPTIONS" or not request.path_info.startswith("/api/"):
            return super().__call__(request)  # type: ignore[return-value]
        response = self.get_response(request)
        patch_vary_headers(response, ("origin",))  # type: ignore[arg-type]
        return response  # type: ignore[return-value]
