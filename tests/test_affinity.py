"""PIN_WORKERS keeps each worker, whatever it does, on a core of its own."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live import Server
from tests.test_settings import serve

pytestmark = pytest.mark.no_database

CORES = os.sched_getaffinity(0)
PATIENCE = 30  # seconds


@pytest.fixture(scope="module")
def pinned(start_server: Callable[..., Server]) -> Server:
    return start_server(WORKERS=str(len(CORES)), PIN_WORKERS="on")


def workers_of(server: Server) -> list[int]:
    return [int(pid) for pid in _children(server.process.pid) if "granian" in Path(f"/proc/{pid}/cmdline").read_text()]


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def cores_of(worker: int) -> set[int]:
    """On which any of its threads may run."""
    threads = Path(f"/proc/{worker}/task").iterdir()
    return {core for thread in threads for core in os.sched_getaffinity(int(thread.name))}


def shares(server: Server) -> list[set[int]]:
    return sorted(map(cores_of, workers_of(server)), key=sorted)


def soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


def each_core_has_one(server: Server) -> bool:
    try:
        return shares(server) == [{core} for core in sorted(CORES)]
    except OSError:
        return False


def test_each_core_has_one_worker_with_all_its_threads(pinned: Server) -> None:
    # Of which some come with the first requests.
    with pinned.client() as client:
        assert {client.get("/api/test/all").status_code for _ in range(20)} == {200}
    assert soon(lambda: each_core_has_one(pinned)), shares(pinned)


def test_the_successor_of_a_worker_that_was_killed_takes_its_core(pinned: Server) -> None:
    assert soon(lambda: each_core_has_one(pinned))
    killed = workers_of(pinned)[-1]
    os.kill(killed, signal.SIGKILL)
    assert soon(lambda: killed not in workers_of(pinned) and each_core_has_one(pinned)), shares(pinned)


def test_the_first_process_may_run_anywhere(pinned: Server) -> None:
    assert os.sched_getaffinity(pinned.process.pid) == CORES


def test_without_it_workers_may_run_anywhere(start_server: Callable[..., Server]) -> None:
    assert shares(start_server(WORKERS="1")) == [CORES]


@pytest.mark.skipif(len(CORES) < 2, reason="one core is never idle while the other one works")
def test_fewer_workers_than_cores_are_refused_in_one_sentence() -> None:
    code, error = serve(PIN_WORKERS="on", WORKERS="1")
    assert (code, error.count("\n"), f"Set WORKERS={len(CORES)}, or PIN_WORKERS=off." in error) == (1, 1, True)
