"""How everything is logged: a JSON object a line, or a line for people; and nothing secret in either."""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from http.client import responses
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest
from structlog import contextvars, processors, stdlib

from authproject.stderr import RequestLine

Processor = Callable[[Any, str, Any], Any]

# Ours may speak at any level. Libraries at WARNING at most: what they tell below that was not written with secrets
# in mind (addresses with their queries, parameters of SQL, contexts of templates).
OWN_LOGGERS = ("authproject", "accounts", "content")


def config(level: str) -> dict[str, Any]:
    """Django's LOGGING, all of it to standard error; and structlog's lines go the same way."""
    structlog.configure(
        processors=[_hand_over],
        logger_factory=stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    # What no line shows need not be found out for each (Logging HOWTO, "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    libraries = max(level, "WARNING", key=logging.getLevelNamesMapping().__getitem__)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "authproject.logs.formatter"}},
        "handlers": {"stderr": {"class": "authproject.stderr.StderrHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": libraries},
        "loggers": {
            **{name: {"level": level} for name in OWN_LOGGERS},
            # Without this Django would mail its errors to nobody instead of printing them.
            "django": {"handlers": [], "level": libraries, "propagate": True},
            # A refused request is an answer, not an incident: its line is that of authproject/request_log.py.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "CRITICAL"},
            # accounts.breached says when a lookup failed; this would say it again.
            "pwned_passwords_django": {"level": "CRITICAL"},
            # The application server's own lines; those of its parent process are set up by granian.json.
            "_granian": {"handlers": [], "level": libraries, "propagate": True},
        },
    }


class Event(dict[str, Any]):
    """What structlog hands to the standard library's logging, for `LineFormatter`."""


def _hand_over(logger: Any, name: str, event: MutableMapping[str, Any]) -> Any:
    return (Event(event),), {}


class LineFormatter(logging.Formatter):
    """Any record as a line; structlog's own ProcessorFormatter does the same in twice the time."""

    def __init__(self, renderers: list[Processor], of_requests: Processor | None = None) -> None:
        super().__init__()
        self.processors = [contextvars.merge_contextvars, *renderers, without_tokens]
        self.of_requests = [contextvars.merge_contextvars, of_requests, without_tokens] if of_requests else None

    def format(self, record: logging.LogRecord) -> str:
        line: Any = dict(record.msg) if isinstance(record.msg, Event) else _of_a_library(record)
        line["logger"], line["level"] = record.name, record.levelname.lower()
        line["timestamp"] = _moment(record.created)
        for processor in self.of_requests if self.of_requests and isinstance(record, RequestLine) else self.processors:
            line = processor(None, "", line)
        return line


def _moment(created: float) -> str:
    """RFC 3339, in UTC, to the microsecond."""
    second = int(created)
    return f"{_second(second)}.{int((created - second) * 1_000_000):06d}Z"


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def formatter() -> logging.Formatter:
    """As LOG_FORMAT says. Tracebacks come without local variables: passwords live there."""
    if settings.LOG_FORMAT == "json":
        return LineFormatter([processors.format_exc_info, without_secrets, _as_json], _request_as_json)
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    plain = structlog.dev.plain_traceback
    return LineFormatter(
        [without_secrets, structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=plain)]
    )


class WithoutAdvice(logging.Filter):
    """granian advises against more threads than cores; here most of them wait (see accounts/turns.py)."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Python threads" not in record.getMessage()


_encode, _quoted = json.JSONEncoder(default=repr).encode, json.encoder.encode_basestring_ascii
# But for the user's id.
REQUEST_KEYS = 10


def _as_json(logger: Any, name: str, event: Event) -> str:
    return _encode(event)


def _request_as_json(logger: Any, name: str, event: Event) -> str:
    """The same in a third of the time. What authproject/request_log.py says is no secret; if anyone has bound more to
    the request, the line is made as any other."""
    user_id = event.get("user_id")
    is_usual = "request_id" in event and len(event) == REQUEST_KEYS + (type(user_id) is int)
    if not is_usual or event["address"] is None:
        return _as_json(logger, name, without_secrets(logger, name, event))
    whose = "" if user_id is None else f'"user_id": {user_id}, '
    route = "null" if event["route"] is None else _quoted(event["route"])
    return (
        f'{{"event": "request", "method": {_quoted(event["method"])}, "route": {route}, "status": {event["status"]}, '
        f'"milliseconds": {event["milliseconds"]}, "address": {_quoted(event["address"])}, '
        f'{whose}"request_id": {_quoted(event["request_id"])}, '
        f'"logger": "{event["logger"]}", "level": "{event["level"]}", "timestamp": "{event["timestamp"]}"}}'
    )


def _of_a_library(record: logging.LogRecord) -> dict[str, Any]:
    """Django's 'Internal Server Error: /path' comes without the path, in which anything may stand; but with the id of
    the request, which may be over by now."""
    event: dict[str, Any] = {"event": record.getMessage()}
    if record.exc_info:
        event["exc_info"] = record.exc_info
    if record.stack_info:
        event["stack"] = record.stack_info
    if isinstance(request := getattr(record, "request", None), HttpRequest):
        event["event"] = responses.get(getattr(record, "status_code", 0), "Something about a request")
        event["request_id"] = getattr(request, "id", None)
    return event


# --- a safety net: no line should hold a secret in the first place

REDACTED = "[redacted]"
_SECRET_NAME = re.compile("passw|secret|token|cookie|authorization|credential|api_?key", re.IGNORECASE)
# `eyJ` is how base64 writes the `{"` that each part of a JWT but the signature begins with.
_TOKEN = re.compile(r"eyJ[\w.-]{10,}", re.ASCII)


def without_secrets(logger: Any, name: str, event: MutableMapping[str, Any]) -> Any:
    """The event, and what is nested in it, without the values of names such as `password`."""
    return {key: REDACTED if _is_secret(key) else _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        return without_secrets(None, "", value)
    return [_redacted(inner) for inner in value] if isinstance(value, list | tuple) else value


@lru_cache(maxsize=1000)
def _is_secret(name: object) -> bool:
    return bool(_SECRET_NAME.search(str(name)))


def without_tokens(logger: Any, name: str, line: Any) -> str:
    """The rendered line, whatever in it, message or traceback, looked like a JWT taken out."""
    return _TOKEN.sub(REDACTED, line) if "eyJ" in line else line
