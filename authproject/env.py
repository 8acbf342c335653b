"""How settings.py reads one environment variable: an empty one counts as unset, a wrong one says so."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

T = TypeVar("T")

_FLAGS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def secret(name: str) -> str:
    """As `text`, or the content of the file that NAME_FILE names, as container platforms hand out secrets."""
    path = text(f"{name}_FILE")
    if not path:
        return text(name)
    if text(name):
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; which one is meant?")
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from None


def folder(name: str, base: Path) -> Path | None:
    """Seen from `base` if it is relative."""
    return base / text(name) if text(name) else None


def flag(name: str, *, default: bool) -> bool:
    """A misspelt flag must not quietly turn a protection off, so only the words of _FLAGS are taken."""
    return _read(name, default, lambda raw: _FLAGS[raw.lower()], "on or off")


def whole_number(name: str, default: int) -> int:
    return _read(name, default, int, "a whole number")


def rate(name: str, default: str) -> tuple[int, int] | None:
    """How often something may be done, as a number and seconds, from '10/h'; None for 'off'."""
    return _read(name, _rate(default), _rate, "off, or a number per s, m, h or d such as 10/h")


def _rate(raw: str) -> tuple[int, int] | None:
    if raw.lower() == "off":
        return None
    number, _, unit = raw.partition("/")
    if not 1 <= int(number) <= 1_000_000:
        raise ValueError(raw)
    return int(number), _SECONDS[unit.strip().lower()]


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def names(name: str, default: list[str]) -> list[str]:
    """Values separated by commas."""
    return _read(name, default, lambda raw: [part.strip() for part in raw.split(",") if part.strip()], "a list")


def one_of(name: str, choices: tuple[str, ...]) -> str:
    """One of the choices, in any letter case; the first is the default."""
    by_lower = {choice.lower(): choice for choice in choices}
    return _read(name, choices[0], lambda raw: by_lower[raw.lower()], " or ".join(choices))


def database(name: str, default: Path) -> dict[str, Any]:
    """One of Django's DATABASES, from a URL, or the SQLite file `default`. A wrong URL is not shown, because it may
    hold a password."""
    url = secret(name)
    if not url:
        return _for_us_alone({"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)})
    try:
        if url.startswith("sqlite:"):
            return _for_us_alone(Env.db_url_config(url))
        if url.startswith("mysql:"):
            return Env.db_url_config(url)
    except (KeyError, ValueError):
        pass
    raise ImproperlyConfigured(f"{name} must be sqlite:///FILE or mysql://USER:PASSWORD@HOST:PORT/NAME.")


def _for_us_alone(config: dict[str, Any]) -> dict[str, Any]:
    """SQLite would let everyone on the machine read what it creates."""
    with suppress(OSError):  # where it cannot be created, or is there, SQLite has the say
        os.close(os.open(config["NAME"], os.O_CREAT | os.O_EXCL, 0o600))
    return config


def redis(name: str) -> str:
    """The URL of a Redis, '' for none. A wrong one is not shown, because it may hold a password."""
    url = secret(name)
    try:
        if not url or _is_redis(url):
            return url
    except ValueError:
        pass
    raise ImproperlyConfigured(f"{name} must be redis://[USER:PASSWORD@]HOST:PORT/NUMBER, rediss://… or unix:///PATH.")


def _is_redis(url: str) -> bool:
    """Raises ValueError for a host or port that is none: redis-py would say so at the first request only."""
    parts = urlsplit(url)
    host, number = (parts.hostname or "").encode("idna"), parts.path.removeprefix("/")
    if not url.startswith(("redis://", "rediss://", "unix://")) or parts.query or parts.fragment:
        return False
    if parts.scheme == "unix":
        return bool(number)
    return bool(host) and parts.port != 0 and (number or "0").isdecimal()


def read_file(path: Path) -> None:
    """Takes in the variables of a .env file; those that are set already stay.

    A line that is not understood is refused: passed over, it would leave a protection off. It is not shown.
    """
    if not path.exists():
        if "ENV_FILE" in os.environ:
            raise ImproperlyConfigured(f"ENV_FILE is {path}, which is not there.")
        return
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), start=1):
        if not _LINE.match(line):
            raise ImproperlyConfigured(
                f"{path}, line {number}: must be NAME=VALUE, and comments on lines of their own."
            )
    # An empty variable counts as unset: it must not hide what the file says.
    for name in [name for name, value in os.environ.items() if not value.strip()]:
        del os.environ[name]
    Env.read_env(path, encoding="utf-8-sig")


# Nothing, a comment, or NAME=VALUE, where an unquoted value holds no ' #' that was meant as a comment.
_LINE = re.compile(r"""\s*($|\#|(export\s+)?\w+=('[^']*'|"[^"]*"|(?!.*\s\#)([^'"\s].*)?)\s*$)""")


def _read(name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
    raw = text(name)
    try:
        return parse(raw) if raw else default
    except (KeyError, ValueError):
        raise ImproperlyConfigured(f"{name} must be {expected}, but is {raw!r}.") from None
