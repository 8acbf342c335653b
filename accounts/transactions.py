"""What is asked of the database again, when it was busy or lost on the way: the one place that decides that."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial, wraps
from threading import local
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

from django.db import Error, IntegrityError, OperationalError, connection, models, transaction
from structlog import get_logger

from accounts import metrics
from accounts.connections import AllLent

log = get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

TRY_FOR = 2.0  # seconds after the first error
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25  # seconds
# While the database stays away, requests are told so at once: else each would hold a thread for TRY_FOR.
TOLD_AT_ONCE = 1.0  # seconds after one has tried that long in vain

# MySQL and MariaDB. A lock wait timed out, a deadlock's victim; a Galera cluster says 1213 too, at the COMMIT, where
# another node's transaction came first. The transaction was rolled back.
_VICTIM = {1205, 1213}
# The connection is no more. What was under way may have been carried out: the server has gone away, was lost during
# the query or the handshake, is shutting down, killed the connection, could not read or write it. 0 is mysqlclient's
# own, for a connection that it has closed.
_LOST = {0, 1053, 1152, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 2055}
# No connection, or none of use: too many, a Galera node outside of the primary component (1180 where it learns that
# at a COMMIT), nobody listens.
_AWAY = {1040, 1047, 1180, 1203, 2002, 2003, 2005}
_SQLITE_IS_BUSY = "database is locked"


def is_away(error: BaseException | None) -> bool:
    """Whether that says that the database cannot be asked now, rather than that it was asked something wrong."""
    if _code(error) in _VICTIM | _LOST | _AWAY:
        return True
    return isinstance(error, OperationalError) and str(error) == _SQLITE_IS_BUSY


def _code(error: BaseException | None) -> int | None:
    if not isinstance(error, Error) or isinstance(error, IntegrityError):
        return None
    code = error.args[0] if error.args else None
    return code if isinstance(code, int) else None


def retrying(work: Callable[P, T]) -> Callable[P, T]:
    """Decorates what may be carried out twice: a reading, or one statement that leaves the same again. It is, for
    TRY_FOR, when the database is busy or lost. Inside somebody's transaction only its owner can do that."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except Error as error:
            return again(error, partial(work, *args, **kwargs))

    return run


def again(error: Error, work: Callable[[], T]) -> T:
    """What `retrying` does after the first error. Raises the last one."""
    patience = _Patience()
    while True:
        if not patience.outlasts(error):
            raise error
        metrics.count(metrics.RETRIES, _kind(_code(error)))
        try:
            return work()
        except Error as next_error:
            error = next_error


def _kind(code: int | None) -> str:
    return "conflict" if code in _VICTIM else "lost" if code in _LOST else "away"


class _Patience:
    away_until = 0.0  # of the process, on the monotonic clock

    def __init__(self) -> None:
        self.ends = time.monotonic() + TRY_FOR
        self.tries = 0

    def outlasts(self, error: Error) -> bool:
        """Waits a while, and says True, if it is worth trying again."""
        if (
            isinstance(error, AllLent)
            or not is_away(error)
            or connection.in_atomic_block
            or connection.vendor == "sqlite"
        ):
            return False
        self.tries += 1
        code = _code(error)
        if code not in _VICTIM:
            connection.close()
            # Nearly always a connection that lay idle while the database was restarted.
            if code in _LOST and self.tries == 1:
                return True
            if time.monotonic() < _Patience.away_until:
                return False
        # All at once they would collide again (full jitter).
        pause = random.uniform(0, min(FIRST_PAUSE * 2**self.tries, LONGEST_PAUSE))  # noqa: S311
        if time.monotonic() + pause > self.ends:
            self._give_up(code)
            return False
        time.sleep(pause)
        return True

    def _give_up(self, code: int | None) -> None:
        if code not in _VICTIM:
            _Patience.away_until = time.monotonic() + TOLD_AT_ONCE
        log.warning("the database does not answer", code=code, tries=self.tries)


# --- writing


def once(write: Callable[P, T]) -> Callable[P, T]:
    """Decorates a function that writes: it becomes one transaction, or a part of the one that it is called in.

    That is tried again as `retrying` does, and yet carried out once. Where the connection is lost at the COMMIT,
    nobody knows whether that was done. The rows that the transaction gave to `proof` tell: they have the same ids at
    each try, so that a second one collides with the first, however late that becomes visible; and where they are
    found, the result of the first is the answer.
    """

    @wraps(write)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.in_atomic_block:
            with transaction.atomic():
                return write(*args, **kwargs)
        return retrying(_Once(partial(write, *args, **kwargs)).attempt)()

    return run


class _Here(local):
    once: "_Once[Any] | None" = None


_here = _Here()


class _Unheard(NamedTuple, Generic[T]):
    """A try that reached its COMMIT and heard no more."""

    result: T
    row: models.Model
    told_by: str
    on_commit: Sequence[Callable[[], object]]


class _Once(Generic[T]):
    def __init__(self, write: Callable[[], T]) -> None:
        self.write = write
        self.ids: list[Any] = []
        self.given = 0
        self.proofs: list[tuple[models.Model, str]] = []
        self.unheard: list[_Unheard[T]] = []

    def attempt(self) -> T:
        if done := self._done():
            return _what_came_of(done)
        try:
            result = self._transaction()
        except Exception as error:
            # What went wrong may well be that one before was carried out after all.
            if not is_away(error) and (done := self._done()):
                return _what_came_of(done)
            raise
        if not self.proofs and (done := self._done()):
            return _what_came_of(done)
        return result

    def _transaction(self) -> T:
        self.given, self.proofs = 0, []
        unheard: list[_Unheard[T]] = []
        _here.once = self
        try:
            with transaction.atomic():
                result = self.write()
                on_commit = [each[1] for each in connection.run_on_commit]
                unheard = [_Unheard(result, row, told_by, on_commit) for row, told_by in self.proofs[:1]]
        except Error as error:
            if is_away(error) and _code(error) not in _VICTIM:
                self.unheard += unheard
            raise
        else:
            return result
        finally:
            _here.once = None

    def _done(self) -> _Unheard[T] | None:
        """Which of those that were not heard of was carried out, if one was."""
        if not self.unheard:
            return None
        _, row, told_by, _ = self.unheard[0]
        told = type(row)._base_manager.filter(pk=row.pk).values_list(told_by, flat=True).first()
        return next((each for each in self.unheard if getattr(each.row, each.told_by) == told), None)

    def same(self, make: Callable[[], Any]) -> Any:
        if self.given == len(self.ids):
            self.ids.append(make())
        self.given += 1
        return self.ids[self.given - 1]


def same_at_each_try(make: Callable[[], T]) -> T:
    """What `make` made at the first try of the transaction that is under way."""
    return _here.once.same(make) if _here.once else make()


def proof(row: models.Model, *, told_by: str) -> None:
    """That row, whose id is the same at each try, is there if and only if the transaction was carried out; at which
    try, the field `told_by` says, which is another one each time."""
    if _here.once:
        _here.once.proofs.append((row, told_by))


def _what_came_of(done: _Unheard[T]) -> T:
    """With what was to follow the COMMIT, such as a line in the log."""
    for function in done.on_commit:
        function()
    return done.result
