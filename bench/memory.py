"""What a server's workers hold in memory, also in a burst of sign-ins, which must not make it grow without bound."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from accounts.memory import IDLE
from bench.api import PASSWORD
from bench.contestants import Contestant, Unfit
from bench.cpu import family

MIB = 1024
EXPECTED = {"200", "503 with Retry-After"}


def idle(contestants: Sequence[Contestant], after: float = 2 * IDLE) -> dict[str, dict[str, float]]:
    """The largest worker of each, in MiB, and all its processes together (shared pages counted once), `after` so many
    seconds with nothing to do."""
    time.sleep(after)
    found = {}
    for contestant in contestants:
        parent, *workers = family(contestant.process.pid)
        together = sum(map(proportional, [parent, *workers]))
        found[contestant.name] = {"worker": max(map(resident, workers)), "together": together}
    return found


def burst(contestant: Contestant, number: int) -> dict[str, Any]:
    """Sign-ins of one person, all at once: which statuses came, how long it took, MiB of the largest worker."""
    _, *workers = family(contestant.process.pid)
    before = max(map(resident, workers))
    for worker in workers:
        forget_peak(worker)
    clock = time.perf_counter()
    statuses = at_once(contestant.path("sign_in"), {"username": "person0", "password": PASSWORD}, number)
    if unexpected := set(statuses) - EXPECTED:
        raise Unfit(f"{contestant.name}: a burst of {number} sign-ins was answered {unexpected}")
    return {
        **{"sign_ins": number, "statuses": dict(statuses), "seconds": time.perf_counter() - clock},
        **{"before": before, "peak": max(map(peak, workers)), "after": max(map(resident, workers))},
    }


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
