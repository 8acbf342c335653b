"""What a server's workers hold in memory, and a burst of sign-ins all at once, which must not make it grow unbounded."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

MIB = 1024


def resident(pid: int) -> float:
    """MiB that are resident now, shared pages included."""
    return _field(pid, "status", "VmRSS")


def proportional(pid: int) -> float:
    """MiB now; of a page that several processes share, each counts its part."""
    return _field(pid, "smaps_rollup", "Pss")


def peak(pid: int) -> float:
    """MiB that were resident at most, since the start or `forget_peak`."""
    return _field(pid, "status", "VmHWM")


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _field(pid: int, file: str, name: str) -> float:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) / MIB for line in lines if line.startswith(f"{name}:"))


def at_once(url: str, body: dict[str, str], number: int) -> Counter[str]:
    """That many POSTs, each on a connection of its own and all begun together: how many had which status; one that
    says when to come back is told from one that does not."""

    def status(_: int) -> str:
        answer = client.post(url, json=body)
        return f"{answer.status_code}{' with Retry-After' if 'retry-after' in answer.headers else ''}"

    limits = httpx.Limits(max_connections=number)
    with httpx.Client(timeout=120, limits=limits) as client, ThreadPoolExecutor(number) as threads:
        return Counter(threads.map(status, range(number)))
