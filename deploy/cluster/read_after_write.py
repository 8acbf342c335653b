"""`deploy/cluster/cluster read-after-write`: does a copy on another node see at once what was just acknowledged, with
and without wsrep_sync_wait, and what does waiting cost? Copies 1 and 2 do without, on n1 and n2; 3 and 4 wait."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import median, quantiles
from typing import Any
from urllib.parse import quote

from deploy.cluster import copies
from deploy.cluster.client import Answer, Client
from deploy.cluster.cluster import Cluster
from deploy.cluster.layout import LOOPBACK, Refused
from deploy.cluster.processes import Process

PASSWORD = "correct horse battery"
# All comes from one address, and a sign-in that is refused because the account is not seen counts as a guess.
NO_LIMITS = dict.fromkeys(("SIGN_UP_RATE", "GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT"), "off")
VARIABLES = {**NO_LIMITS, "WORKERS": "1"}
# The copies on n1 and on n2, by wsrep_sync_wait.
PAIRS = {0: (1, 2), 1: (3, 4)}
ROUNDS, REQUESTS = 5, 1000


def main(tries: int) -> None:
    with Cluster.temporary(copies=4) as cluster:
        for sync_wait, pair in PAIRS.items():
            for node, number in enumerate(pair, start=1):
                _point(cluster, number, node, sync_wait)
        print(f"{'':<42}" + "".join(f"sync_wait={sync_wait:<6}" for sync_wait in PAIRS))
        _stale(cluster, tries, "idle")
        with _busy(cluster):
            _stale(cluster, tries, "busy")
        _costs(cluster)


def _point(cluster: Cluster, number: int, node: int, sync_wait: int) -> None:
    """Starts the copy again, on that node alone, with that setting."""
    option = quote(f"SET SESSION wsrep_sync_wait={sync_wait}")
    url = cluster.layout.database_url(cluster.layout.node(node).sql)
    copies.copy(cluster.layout, number).stop()
    copies.start_copy(cluster.layout, number, DATABASE_URL=f"{url}?init_command={option}", **VARIABLES)
    copies.wait_for_copy(cluster.layout, number)


def _stale(cluster: Cluster, tries: int, how: str) -> None:
    """Prints of how many tries the second node did not know what the first had acknowledged."""
    signed_up: dict[int, int] = dict.fromkeys(PAIRS, 0)
    signed_out: dict[int, int] = dict.fromkeys(PAIRS, 0)
    for turn in range(tries):
        for sync_wait, (one, other) in PAIRS.items():
            a, b = (Client(cluster.layout.copy_port(number)) for number in (one, other))
            name = f"{how}{sync_wait}x{turn}"
            _expect(a.sign_up(name, PASSWORD))
            signed_up[sync_wait] += b.sign_in(name, PASSWORD).status != 200
            token = _expect(a.sign_in(name, PASSWORD))["accessToken"]
            _expect(a.post("/api/auth/signout", {}, token))
            signed_out[sync_wait] += b.get("/api/test/user", token).status != 401
    _print(f"{how}: sign-ups not seen, of {tries}", signed_up)
    _print(f"{how}: revocations not seen, of {tries}", signed_out)


def _expect(answer: Answer) -> Any:
    """The body of a good answer; raises Refused for any other."""
    if answer.status != 200:
        raise Refused(f"An answer was {answer}.")
    return answer.body


@contextmanager
def _busy(cluster: Cluster) -> Iterator[None]:
    """Meanwhile somebody writes to n1 in large transactions, which n2 takes time to carry out too."""
    n1, done = cluster.nodes[1], threading.Event()
    n1.query("CREATE DATABASE load_test")
    n1.query("CREATE TABLE load_test.numbers (id BIGINT AUTO_INCREMENT PRIMARY KEY, said CHAR(64), KEY (said))")

    def write() -> None:
        while not done.is_set():
            n1.query("INSERT INTO load_test.numbers (said) SELECT SHA2(RAND(), 256) FROM load_test.seq_1_to_2000")
            time.sleep(0.05)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()
        n1.query("DROP DATABASE load_test")


def _costs(cluster: Cluster) -> None:
    """Prints what a guarded request to the copies on n2 takes: milliseconds, and CPU of the copy and of all nodes."""
    found: dict[int, list[Cost]] = {sync_wait: [] for sync_wait in PAIRS}
    token = _expect(Client(cluster.layout.copy_port(1)).sign_in("idle0x0", PASSWORD))["accessToken"]
    # As every node of this cluster waits where nothing else is said, this one has all when it answers.
    cluster.nodes[2].query("SELECT COUNT(*) FROM authproject.accounts_session")
    for _ in range(ROUNDS):
        for sync_wait, (_, number) in PAIRS.items():
            found[sync_wait].append(_cost(cluster, number, token))
    for name in ("p50", "p99", "copy", "nodes"):
        unit = "ms" if name.startswith("p") else "ms of CPU"
        best = {
            sync_wait: round(median(getattr(cost, name) for cost in costs), 2) for sync_wait, costs in found.items()
        }
        _print(f"guarded request, {name}, {unit}", best)


@dataclass(frozen=True)
class Cost:
    """Of one request, in milliseconds."""

    p50: float
    p99: float
    copy: float
    nodes: float


def _cost(cluster: Cluster, number: int, token: str) -> Cost:
    """The median and the 99th percentile, one request after the other on one connection."""
    copy, nodes = copies.copy(cluster.layout, number), [node.process for node in cluster.nodes.values()]
    connection = HTTPConnection(LOOPBACK, cluster.layout.copy_port(number), timeout=10)
    before, times = (_cpu([copy]), _cpu(nodes)), []
    for _ in range(REQUESTS):
        clock = time.perf_counter()
        connection.request("GET", "/api/test/user", headers={"x-access-token": token})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise Refused(f"A guarded request was answered {answer.status}.")
        times.append(1000 * (time.perf_counter() - clock))
    connection.close()
    used = [1000 * (now - then) / REQUESTS for now, then in zip((_cpu([copy]), _cpu(nodes)), before, strict=True)]
    return Cost(median(times), quantiles(times, n=100)[98], *used)


def _cpu(processes: list[Process]) -> float:
    return sum(process.cpu_seconds() for process in processes)


def _print(what: str, by_setting: Mapping[int, float]) -> None:
    print(f"{what:<42}" + "".join(f"{value:<16}" for value in by_setting.values()), flush=True)
