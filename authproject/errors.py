"""Every error, whoever raised it, becomes JSON with a `message` here and nowhere else."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from accounts import errors
from accounts.transactions import is_away

STATUS: dict[type[Exception], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.BAD_REQUEST,
    errors.RoleNotSelfAssignable: HTTPStatus.FORBIDDEN,
    errors.UserNotFound: HTTPStatus.NOT_FOUND,
    errors.SessionNotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.InvalidCredentials: HTTPStatus.UNAUTHORIZED,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.TooBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DatabaseAway: HTTPStatus.SERVICE_UNAVAILABLE,
    # RFC 6750 section 3.1 would have 401; the published clients rely on 403 (docs/contract.md).
    errors.NoToken: HTTPStatus.FORBIDDEN,
    errors.InvalidToken: HTTPStatus.UNAUTHORIZED,
    errors.RefreshTokenRefused: HTTPStatus.FORBIDDEN,
    errors.CrossSiteRequest: HTTPStatus.FORBIDDEN,
}

# What WWW-Authenticate says (RFC 6750 section 3). Every 401 has to have it (RFC 9110 section 15.5.2).
CHALLENGE: dict[type[Exception], str] = {
    errors.NoToken: "Bearer",
    errors.InvalidCredentials: "Bearer",
    errors.InvalidToken: 'Bearer error="invalid_token"',
    errors.ExpiredToken: 'Bearer error="invalid_token", error_description="The access token expired"',
}
# By then the next copy of the database may have taken over.
COME_BACK = timedelta(seconds=2)
INSUFFICIENT_SCOPE = 'Bearer error="insufficient_scope"'

_DJANGO: dict[type[Exception], type[exceptions.APIException]] = {
    Http404: exceptions.NotFound,
    PermissionDenied: exceptions.PermissionDenied,
}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER: the answer to `exc`, or None for what only `server_error` can answer."""
    if isinstance(exc, (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)):
        exc = errors.NoToken() if isinstance(exc, exceptions.NotAuthenticated) else errors.InvalidToken()
    if is_away(exc):
        exc = errors.DatabaseAway(COME_BACK)
    if isinstance(exc, errors.AccountError):
        return _account_error(exc)
    if type(exc) in _DJANGO:
        exc = _DJANGO[type(exc)]()
    if isinstance(exc, exceptions.APIException):
        response = _api_exception(exc)
        if isinstance(exc, exceptions.PermissionDenied) and _came_with_a_good_token(context):
            response["WWW-Authenticate"] = INSUFFICIENT_SCOPE
        return response
    return None


def _came_with_a_good_token(context: dict[str, Any]) -> bool:
    return "request" in context and context["request"].auth is not None


def _account_error(exc: errors.AccountError) -> Response:
    _forget_where_it_was_raised(exc)
    status = _first_of_mro(STATUS, exc)
    headers = {}
    if challenge := _first_of_mro(CHALLENGE, exc):
        headers["WWW-Authenticate"] = challenge
    if isinstance(exc, errors.TryLater):
        headers["Retry-After"] = str(exc.retry_after)
    body: dict[str, Any] = {"message": exc.message}
    if isinstance(exc, errors.InvalidCredentials):
        body = {"accessToken": None, **body}
    response = Response(body, status=status, headers=headers)
    # A 503 too is an answer; Django would log it as an error of the server's.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _forget_where_it_was_raised(exc: BaseException | None) -> None:
    """It is an answer, and nobody asks. Django's ValidationError, out of which some of ours come, is in its own list of
    errors, and so each frame that it came through stays, passwords and all, until Python next looks for rings."""
    while exc:
        for each in (exc, *vars(exc).pop("error_list", ())):
            each.__traceback__ = None
            vars(each).pop("error_list", None)
        exc = exc.__context__


def _first_of_mro(table: dict[type[Exception], Any], exc: Exception) -> Any:
    return next((table[cls] for cls in type(exc).__mro__ if cls in table), None)


def _api_exception(exc: exceptions.APIException) -> Response:
    if isinstance(exc, exceptions.ValidationError):
        message = next(_sentences(exc.detail), "The request is not valid.")
        return Response({"message": message, "errors": exc.detail}, status=exc.status_code)
    wait = getattr(exc, "wait", None)
    headers = {"Retry-After": str(ceil(wait))} if wait else None
    return Response({"message": str(exc.detail)}, status=exc.status_code, headers=headers)


def _sentences(detail: Any, field: str = "") -> Iterator[str]:
    """What is wrong, field by field in the order of the serializer: 'roles: Must be a list of names.'"""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _sentences(inner, "" if name == "non_field_errors" else field or str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _sentences(inner, field)
    else:
        yield f"{field}: {detail}" if field else str(detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _outside_drf(request, HTTPStatus.BAD_REQUEST, "Bad request.") or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _outside_drf(request, HTTPStatus.FORBIDDEN, "Forbidden.") or defaults.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For the admin's forms. Django's own page has its style in it, which our content security policy forbids."""
    message = "This page is too old, or your browser keeps no cookies. Please go back, reload the page and try again."
    return HttpResponse(message, status=HTTPStatus.FORBIDDEN, content_type="text/plain; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _outside_drf(request, HTTPStatus.NOT_FOUND, "Not found.") or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """For what was raised outside of the API: in the admin, and by middlewares."""
    if is_away(sys.exc_info()[1]):
        return _database_away(request)
    message = "Something went wrong on our side. Please try again later."
    return _outside_drf(request, HTTPStatus.INTERNAL_SERVER_ERROR, message) or defaults.server_error(request)


def _database_away(request: HttpRequest) -> HttpResponse:
    error, status = errors.DatabaseAway(COME_BACK), HTTPStatus.SERVICE_UNAVAILABLE
    text = HttpResponse(error.message, status=status, content_type="text/plain; charset=utf-8")
    response = _outside_drf(request, status, error.message) or text
    response["Retry-After"] = str(error.retry_after)
    return response


def _outside_drf(request: HttpRequest, status: HTTPStatus, message: str) -> HttpResponse | None:
    """The JSON answer, or None in the admin, whose users read pages."""
    if request.path_info.startswith("/admin/"):
        return None
    return JsonResponse({"message": message}, status=status)
