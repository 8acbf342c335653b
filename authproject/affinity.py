"""PIN_WORKERS: each worker on a core of its own, so that the threads that share its interpreter share a core's caches.

Of use where the server has its cores to itself: elsewhere a worker waits for its core while another one is idle.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def cores() -> set[int]:
    """On which this process may run. Raises OSError where the system does not say."""
    if not hasattr(os, "sched_getaffinity"):
        raise OSError("this system has no way to keep a process on a core")
    return os.sched_getaffinity(0)


def pin() -> int:
    """Keeps this process, all its threads, on the core that the fewest of its parent's other children are kept on; says
    which."""
    with Path(__file__).open() as lock:
        # Else two that start at the same moment would choose the same. It ends with the file.
        fcntl.flock(lock, fcntl.LOCK_EX)
        taken = Counter(_taken_by_siblings())
        core = min(cores(), key=lambda each: (taken[each], each))
        for thread in (PROC / "self" / "task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
    return core


def _taken_by_siblings() -> Iterator[int]:
    for stat in PROC.glob("[0-9]*/stat"):
        pid = int(stat.parent.name)
        # Processes end while they are looked at.
        with suppress(OSError):
            # What comes after the name, which may hold anything. A dead one's core is free, buried or not.
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) != os.getppid() or pid == os.getpid() or state in {"Z", "X"}:
                continue
            kept_on = os.sched_getaffinity(pid)
            if len(kept_on) == 1:
                yield from kept_on
