"""What a server's processes have used, as the operating system counts it: all of them, parent and workers."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
# Seconds between two looks at whether a server has come to rest, and after how many we no longer wait for that.
PAUSE, PATIENCE = 0.1, 5.0


def family(pid: int) -> list[int]:
    """The process, and all that it started, and those in turn."""
    children = (path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [pid, *(each for names in children for child in names for each in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    return sum(map(_cpu_seconds, family(pid)))


def cpu_seconds_at_rest(pid: int) -> float:
    """As `cpu_seconds`, once the server has finished what it was still working on."""
    deadline, before, now = time.monotonic() + PATIENCE, -1.0, cpu_seconds(pid)
    # Timers of an idle server use less than a tick in a pause, most of the time.
    while now - before > 1.5 / TICKS and time.monotonic() < deadline:
        time.sleep(PAUSE)
        before, now = now, cpu_seconds(pid)
    return now


def _cpu_seconds(pid: int) -> float:
    # The second field is the program's name, which may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / TICKS
