"""PIN_WORKERS: each worker on a core of its own, so that the threads that share its interpreter share a core's caches.

Of use where the server has its cores to itself: elsewhere a worker waits for its core while another one is idle.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from structlog import get_logger

log = get_logger(__name__)
PROC = Path("/proc")
# Seconds that a worker waits, at most, for another one that chooses at the same moment.
CHOOSE_WITHIN = 2.0
# Where proc(5) has the state, the parent and the start of a process, after its name.
STATE, PARENT, STARTED = 0, 1, 19


def cores() -> set[int]:
    """On which this process may run. Raises OSError where the system does not say."""
    if not hasattr(os, "sched_getaffinity"):
        raise OSError("this system has no way to keep a process on a core")
    return os.sched_getaffinity(0)


def pin() -> None:
    """Keeps this process, all its threads, on the core that the fewest of its parent's other children are kept on. Of
    several, on that of the oldest: where workers are replaced one by one, that one is next to go."""
    try:
        with _one_at_a_time():
            siblings = list(_siblings())

            def how_taken(core: int) -> tuple[int, int, int]:
                began = [sibling.began for sibling in siblings if sibling.core == core]
                return len(began), min(began, default=0), core

            core = min(cores(), key=how_taken)
            for thread in (PROC / "self" / "task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})
    except OSError as error:
        # It serves all the same.
        log.warning("PIN_WORKERS: this worker is kept on no core", error=str(error))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Else two that start at the same moment would choose the same. Whoever else holds the lock holds nobody up."""
    deadline = time.monotonic() + CHOOSE_WITHIN
    with Path(__file__).open() as lock:
        while time.monotonic() < deadline:
            try:
                # It ends with the file.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                # Some file systems of networks have no such locks.
                break
            else:
                break
        yield


class _Sibling(NamedTuple):
    core: int
    began: int


def _siblings() -> Iterator[_Sibling]:
    """Those of the parent's other children that are kept on a single core."""
    for stat in PROC.glob("[0-9]*/stat"):
        pid = int(stat.parent.name)
        # Processes end while they are looked at.
        with suppress(OSError):
            # A name may hold anything.
            said = stat.read_bytes().rpartition(b")")[2].split()
            # A dead one's core is free, buried or not.
            if int(said[PARENT]) != os.getppid() or pid == os.getpid() or said[STATE] in {b"Z", b"X"}:
                continue
            kept_on = os.sched_getaffinity(pid)
            if len(kept_on) == 1:
                yield _Sibling(min(kept_on), int(said[STARTED]))
