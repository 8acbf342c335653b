"""The least that a Python server can do: an application of WSGI's own, without any framework."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b"Public Content."
HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(BODY)))]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [BODY]
