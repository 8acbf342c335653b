"""What happened, for whoever counts it: nobody, unless the process that runs this has said who."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SIGN_INS, SIGN_UPS, REFRESHES = "sign_ins", "sign_ups", "refreshes"
REVOKED, RETRIES = "sessions_revoked", "database_retries"
# What each may have come to; nothing that a caller chooses is ever among them.
OUTCOMES = {
    SIGN_INS: ("ok", "wrong", "limited", "busy", "failed"),
    SIGN_UPS: ("ok", "refused", "limited", "busy", "failed"),
    REFRESHES: ("ok", "reused", "refused", "limited", "failed"),
    RETRIES: ("conflict", "lost", "away"),
}


class Meter(Protocol):
    def count(self, what: str, outcome: str, number: int) -> None: ...
    def hashed(self, seconds: float) -> None: ...
    def in_line(self, change: int) -> None: ...


_meter: Meter | None = None


def tell(meter: Meter | None) -> None:
    """From now on, whatever happens."""
    global _meter
    _meter = meter


def count(what: str, outcome: str, number: int = 1) -> None:
    if _meter:
        _meter.count(what, outcome, number)


def counted(what: str, failures: dict[type[Exception], str]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorates what is 'ok' unless it raises one of those, of which the first that fits has the word; 'failed' is
    anything else."""

    def decorate(work: Callable[P, T]) -> Callable[P, T]:
        @wraps(work)
        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                result = work(*args, **kwargs)
            except Exception as error:
                count(what, next((word for kind, word in failures.items() if isinstance(error, kind)), "failed"))
                raise
            count(what, "ok")
            return result

        return run

    return decorate


@contextmanager
def hashing() -> Iterator[None]:
    """Around the work on one password."""
    began = perf_counter()
    yield
    if _meter:
        _meter.hashed(perf_counter() - began)


@contextmanager
def in_line() -> Iterator[None]:
    """While somebody waits for a turn at a password."""
    meter = _meter
    if meter:
        meter.in_line(1)
    try:
        yield
    finally:
        if meter:
            meter.in_line(-1)
