"""What a password's hash was made in, some 19 MiB: kept while more are made, and given back to the system after that.

To fetch it anew for each would take half as long again as to hash.
"""

import ctypes
from threading import Event, Lock, Thread
from time import monotonic, sleep

# Seconds without a password after which a process counts as idle.
IDLE = 5.0


class Keeper:
    def __init__(self) -> None:
        self._used = Event()
        self._used_at = 0.0
        self._lock = Lock()
        self._thread: Thread | None = None

    def touch(self) -> None:
        """After each password."""
        self._used_at = monotonic()
        if not self._used.is_set():
            self._start()

    def _start(self) -> None:
        with self._lock:
            self._used.set()
            if self._thread is None:
                self._thread = Thread(target=self._give_back_when_idle, name="memory", daemon=True)
                self._thread.start()

    def _give_back_when_idle(self) -> None:
        while self._used.wait():
            self._used.clear()
            while (rest := self._used_at + IDLE - monotonic()) > 0:
                sleep(rest)
            give_back()


def give_back() -> None:
    """Does nothing where the C library is not glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


keeper = Keeper()
