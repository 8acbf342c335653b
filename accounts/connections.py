"""How many database connections the requests of a process have: a few, lent to whichever thread has work for one.

Else each thread would keep one of its own, and there are many threads, most of which wait for something else.
"""

from collections import deque
from threading import Semaphore, local
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, OperationalError, close_old_connections, connections, reset_queries
from django.db.utils import ConnectionHandler

# Seconds that a request waits for one. Others hold theirs for milliseconds, unless the database is in trouble.
LONGEST_WAIT = 2.0


class AllLent(OperationalError):
    """As MySQL says of one connection too many; it has been waited for already."""

    def __init__(self) -> None:
        super().__init__(1040, "All connections are lent.")


def new() -> Any:
    """A connection of Django's, to be opened when it is first used."""
    return ConnectionHandler.create_connection(connections, DEFAULT_DB_ALIAS)


class Pool:
    def __init__(self, *, limit: int, timeout: int) -> None:
        """Of so many connections at most; `timeout` is for how many seconds their requests wait for an answer."""
        self._timeout = timeout
        self._seats = Semaphore(limit)
        # What was used last is used next.
        self._idle: deque[Any] = deque()
        self._thread = local()

    def __enter__(self) -> None:
        """Around a request. Threads that do other work have connections of their own, as Django makes them."""
        self._thread.borrows = True

    def __exit__(self, *exception: object) -> None:
        self._thread.borrows = False
        self.give_back()

    def give_back(self) -> None:
        """What this thread was lent, unless it is in a transaction; it is lent another when it needs one."""
        connection = getattr(self._thread, "lent", None)
        if connection is None or connection.in_atomic_block:
            return
        self._thread.lent = None
        del connections[DEFAULT_DB_ALIAS]
        self._idle.append(connection)
        self._seats.release()

    def create(self, alias: str) -> Any:
        """For `connections`, where this thread has none. Raises AllLent."""
        if alias != DEFAULT_DB_ALIAS or not getattr(self._thread, "borrows", False):
            return ConnectionHandler.create_connection(connections, alias)
        if not self._seats.acquire(timeout=LONGEST_WAIT):
            raise AllLent()
        try:
            self._thread.lent = self._idle_one() or self._patient_one()
        except BaseException:
            self._seats.release()
            raise
        return self._thread.lent

    def _idle_one(self) -> Any:
        try:
            connection = self._idle.pop()
        except IndexError:
            return None
        connection.close_if_unusable_or_obsolete()
        return connection

    def _patient_one(self) -> Any:
        connection = new()
        connection.inc_thread_sharing()
        if connection.vendor == "mysql":
            limits = dict.fromkeys(("read_timeout", "write_timeout"), self._timeout)
            said = connection.settings_dict
            connection.settings_dict = {**said, "OPTIONS": {**limits, **said["OPTIONS"]}}
        return connection


_pool: Pool | None = None


def install(*, limit: int, timeout: int) -> Pool:
    """From now on `connections` lends what requests need; see Pool."""
    global _pool
    _pool = Pool(limit=limit, timeout=timeout)
    connections.create_connection = _pool.create  # type: ignore[method-assign]
    # Django's own asks each time whether an event loop runs here; where one does, it lets nobody ask the database.
    of_threads = local()
    for connection in connections.all(initialized_only=True):
        setattr(of_threads, connection.alias, connection)
    connections._connections = of_threads  # type: ignore[attr-defined]
    # A thread has none when its request begins and ends, and whether one can still be used the pool finds out.
    if list(connections) == [DEFAULT_DB_ALIAS]:
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        request_started.disconnect(reset_queries)
    return _pool


def give_back() -> None:
    """For who is about to wait for something else than the database."""
    if _pool:
        _pool.give_back()
