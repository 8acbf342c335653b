"""How everything is logged: a JSON object a line, or a line for people; and nothing secret in either."""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from http.client import responses
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest
from structlog import contextvars, processors, stdlib

Event = MutableMapping[str, Any]
Processor = Callable[[Any, str, Any], Any]

# Ours may speak at any level. Libraries at WARNING at most: what they tell below that was not written with secrets
# in mind (addresses with their queries, parameters of SQL, contexts of templates).
OWN_LOGGERS = ("authproject", "accounts", "content")


def config(level: str) -> dict[str, Any]:
    """Django's LOGGING, all of it to standard error; and structlog's lines go the same way."""
    structlog.configure(
        processors=[stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    libraries = max(level, "WARNING", key=logging.getLevelNamesMapping().__getitem__)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "authproject.logs.formatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
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


def formatter() -> logging.Formatter:
    """As LOG_FORMAT says. Tracebacks come without local variables: passwords live there."""
    return stdlib.ProcessorFormatter(
        foreign_pre_chain=[without_path],
        processors=[
            contextvars.merge_contextvars,
            stdlib.add_logger_name,
            stdlib.add_log_level,
            processors.TimeStamper(fmt="iso", utc=True),
            stdlib.ProcessorFormatter.remove_processors_meta,
            *_renderers(),
            without_tokens,
        ],
    )


def _renderers() -> list[Processor]:
    if settings.LOG_FORMAT == "json":
        return [processors.format_exc_info, without_secrets, processors.JSONRenderer()]
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    plain = structlog.dev.plain_traceback
    return [without_secrets, structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=plain)]


def without_path(logger: Any, name: str, event: Event) -> Event:
    """Django's 'Internal Server Error: /path' without the path, in which anything may stand; but with the id of the
    request, which may be over by now."""
    record = event["_record"]
    if isinstance(request := getattr(record, "request", None), HttpRequest):
        event["event"] = responses.get(getattr(record, "status_code", 0), "Something about a request")
        event["request_id"] = getattr(request, "id", None)
    return event


# --- a safety net: no line should hold a secret in the first place

REDACTED = "[redacted]"
_SECRET_NAME = re.compile("passw|secret|token|cookie|authorization|credential|api_?key", re.IGNORECASE)
# `eyJ` is how base64 writes the `{"` that each part of a JWT but the signature begins with.
_TOKEN = re.compile(r"eyJ[\w.-]{10,}", re.ASCII)


def without_secrets(logger: Any, name: str, event: Event) -> Any:
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
