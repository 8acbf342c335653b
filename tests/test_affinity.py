"""PIN_WORKERS keeps each worker, whatever it does, on a core of its own."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import pytest

from authproject import affinity
from tests.asking import serve
from tests.live import ROOT, Server

if not hasattr(os, "sched_getaffinity"):
    pytest.skip("This system keeps no process on a core.", allow_module_level=True)

pytestmark = pytest.mark.no_database

CORES = sorted(os.sched_getaffinity(0))
PATIENCE = 60  # seconds


@pytest.fixture(scope="module")
def process_with_an_odd_name() -> Iterator[None]:
    """As of a program in another script, whose name the kernel cut in the midst of a letter."""
    odd = "open('/proc/self/comm', 'wb').write(b') Z 1 \\xd0'); print(flush=True); import time; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", odd], stdout=subprocess.PIPE) as process:
        process.stdout.readline()  # type: ignore[union-attr]
        yield
        process.kill()


@pytest.fixture(scope="module")
def pinned(start_server: Callable[..., Server], process_with_an_odd_name: None) -> Server:
    return start_server(WORKERS=str(len(CORES)), PIN_WORKERS="on")


def workers_of(server: Server) -> list[int]:
    return [pid for pid in server.children() if "granian" in Path(f"/proc/{pid}/cmdline").read_text()]


def cores_of(worker: int) -> list[int]:
    """On which any of its threads may run."""
    threads = Path(f"/proc/{worker}/task").iterdir()
    return sorted({core for thread in threads for core in os.sched_getaffinity(int(thread.name))})


def shares(server: Server) -> list[list[int]]:
    try:
        return sorted(map(cores_of, workers_of(server)))
    except OSError:
        # One has just ended.
        return []


def soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


def each_core_has_one(server: Server) -> bool:
    return shares(server) == [[core] for core in CORES]


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
    assert sorted(os.sched_getaffinity(pinned.process.pid)) == CORES


class Child:
    """A process that keeps itself on a core, until it is told to end."""

    def __init__(self) -> None:
        program = (
            "import os; from authproject import affinity; affinity.CHOOSE_WITHIN = 0.2; affinity.pin();"
            "print(*os.sched_getaffinity(0), flush=True); input()"
        )
        command = [sys.executable, "-c", program]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @cached_property
    def cores(self) -> list[int]:
        return [int(core) for core in self.process.stdout.readline().split()]  # type: ignore[union-attr]

    def end(self) -> None:
        self.process.communicate(b"\n")


@pytest.fixture
def children() -> Iterator[Callable[[int], list[Child]]]:
    """So many at once."""
    with ExitStack() as stack:

        def start(number: int) -> list[Child]:
            started = [Child() for _ in range(number)]
            for child in started:
                stack.enter_context(child.process)
                stack.callback(child.process.kill)
            assert [len(child.cores) for child in started] == [1] * number
            return started

        yield start


Start = Callable[[int], list[Child]]


def test_more_workers_than_cores_are_spread_over_all_of_them(children: Start) -> None:
    assert {core for child in children(len(CORES) + 1) for core in child.cores} == set(CORES)


def test_workers_that_are_replaced_one_by_one_are_on_a_core_each_again(children: Start) -> None:
    """As granian does at SIGHUP: the new one comes before the old one goes."""
    replaced = []
    for old in children(len(CORES)):
        replaced += children(1)
        old.end()
    assert sorted(child.cores for child in replaced) == [[core] for core in CORES]


def test_whoever_holds_the_lock_holds_no_worker_up(children: Start) -> None:
    with Path(affinity.__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        children(1)


def test_a_worker_that_no_core_takes_serves_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    affinity.pin()
    assert sorted(os.sched_getaffinity(0)) == CORES


def test_without_it_workers_may_run_anywhere(start_server: Callable[..., Server]) -> None:
    assert shares(start_server(WORKERS="1")) == [CORES]


@pytest.mark.skipif(len(CORES) < 2, reason="One core is never idle while the other one works.")
def test_fewer_workers_than_cores_are_refused_in_one_sentence() -> None:
    code, error = serve(PIN_WORKERS="on", WORKERS="1")
    assert (code, error.count("\n"), f"Set WORKERS={len(CORES)}, or PIN_WORKERS=off." in error) == (1, 1, True)
