"""How many passwords a process works on at once: each takes a core and 19 MiB. The rest waits its turn, in a line that
never holds so many that no thread is left for other requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from threading import Lock, Semaphore, local

from accounts.conf import conf
from accounts.connections import give_back
from accounts.errors import TooBusy
from accounts.memory import keeper
from accounts.metrics import in_line

# Seconds. Less than a server that stops gives the requests at hand (authproject/serve.py), so that none is cut off.
LONGEST_WAIT = 5.0
COME_BACK = timedelta(seconds=2)
# Else those who come first, all at once, would each make a line of their own.
_one_at_a_time = Lock()


class Turns:
    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._free = Semaphore(at_once)
        self._seats = Semaphore(waiting) if waiting else None
        self._held = local()

    @contextmanager
    def one(self) -> Iterator[None]:
        """One turn, in which the same thread may ask for more without waiting. Raises TooBusy."""
        if getattr(self._held, "by_me", False):
            yield
            return
        self._wait()
        self._held.by_me = True
        try:
            yield
        finally:
            self._held.by_me = False
            self._free.release()
            keeper.touch()

    def _wait(self) -> None:
        if self._free.acquire(blocking=False):
            return
        if not self._seats or not self._seats.acquire(blocking=False):
            raise TooBusy(COME_BACK)
        # Most of those in the line would hold one, and the others need it.
        give_back()
        try:
            with in_line():
                got_it = self._free.acquire(timeout=LONGEST_WAIT)
            if not got_it:
                raise TooBusy(COME_BACK)
        finally:
            self._seats.release()


@contextmanager
def turn() -> Iterator[None]:
    """Around all work on a password, and as a decorator; before a guess is counted, so that who is told to come back
    has not used up a try, and before a transaction begins, whose locks another's turn may wait for. Raises TooBusy."""
    with _one_at_a_time:
        turns = _turns(conf.passwords_at_once, conf.threads)
    with turns.one():
        yield


@lru_cache(maxsize=4)
def _turns(at_once: int, threads: int) -> Turns:
    others = max(threads // 8, 1)
    at_once = max(min(at_once, threads - others), 1)
    return Turns(at_once=at_once, waiting=max(threads - at_once - others, 0))
