"""Each request has an id, which its answer and all of its log lines carry, and a line of its own in the log."""

import logging
import random
import re
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

from accounts.routes import readable
from authproject import metrics
from authproject.logs import Event
from authproject.stderr import RequestLine

log = logging.getLogger(__name__)
# Of its own: from many ids one could tell what comes next.
_ids = random.Random()  # noqa: S311
# Asked for every few seconds.
QUIET = {"health/live", "health/ready", "metrics"}
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,64}")


class RequestLogMiddleware:
    """The outermost one, so that no answer goes out without its id: X-Request-ID.

    The line names the route and not the path, and no query: people and programs put passwords and tokens there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        request_id = _id_of(request)
        # For what Django logs about the request when this is left again.
        request.id = request_id  # type: ignore[attr-defined]
        bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
            # Of which `_id_of` knows the letters; Django would look at them, and at those of the name.
            response.headers._store["x-request-id"] = ("X-Request-ID", request_id)
            _log(request, response, began)
        finally:
            clear_contextvars()
        return response


def _id_of(request: HttpRequest) -> str:
    """A new one; or that of a proxy of ours, whose log then has the same."""
    if settings.TRUSTED_PROXY_COUNT > 0:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        if _WELL_FORMED.fullmatch(given):
            return given
    # It need not be hard to guess; and asking the system for randomness would hand the interpreter to another thread.
    return f"{_ids.getrandbits(128):032x}"


def _log(request: HttpRequest, response: HttpResponse, began: float) -> None:
    """Whoever was found to be signed in has bound `user_id`."""
    match = request.resolver_match
    route = readable(match.route) if match else None
    seconds = perf_counter() - began
    if metrics.prometheus:
        metrics.prometheus.request(request.method, route, response.status_code, seconds)
    level = logging.DEBUG if route in QUIET and response.status_code == 200 else logging.INFO
    if log.isEnabledFor(level):
        log.handle(
            RequestLine(
                __name__,
                level,
                Event(
                    event="request",
                    method=request.method,
                    route=route,
                    status=response.status_code,
                    milliseconds=round(seconds * 1000, 1),
                    address=request.META.get("REMOTE_ADDR"),
                ),
            )
        )
