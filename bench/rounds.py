"""The rounds: in each, every endpoint of every contestant once, so that what else the machine does meets all alike."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from bench import bare_hash
from bench.contestants import Contestant
from bench.load import run
from bench.programs import PROCESSES
from bench.requests import load

Row = dict[str, Any]


def measure(contestants: Sequence[Contestant], endpoints: Sequence[str], number: int, seconds: int) -> list[Row]:
    """One round; the contestant that begins is another one in each."""
    turn = number % len(contestants)
    order = [*contestants[turn:], *contestants[:turn]]
    return [
        one(contestant, endpoint, number, seconds)
        for endpoint in endpoints
        for contestant in order
        if endpoint in contestant.program.endpoints
    ]


def all_together(contestants: Sequence[Contestant], endpoints: Sequence[str]) -> list[Row]:
    """As a round, but short, light, and all contestants at once: to see that everything works, not how fast."""

    def each(contestant: Contestant) -> list[Row]:
        chosen = [name for name in endpoints if name in contestant.program.endpoints]
        # Some hashes take so long that there would be no answer in one second.
        return [one(contestant, name, 1, 2 if "sign" in name else 1, light=True) for name in chosen]

    with ThreadPoolExecutor(len(contestants)) as threads:
        return [row for rows in threads.map(each, contestants) for row in rows]


def one(contestant: Contestant, endpoint: str, number: int, seconds: int, *, light: bool = False) -> Row:
    chosen = load(contestant, endpoint)
    if light:
        chosen = replace(chosen, connections=chosen.threads)
    found = run(chosen, seconds, contestant.process.pid)
    contestant.tidy()
    row = {"round": number, "endpoint": endpoint, "contestant": contestant.name, **asdict(found)}
    numbers = f"{found.cpu:9.3f} ms CPU {found.rate:10.1f}/s  p50 {found.p50:7.2f}  p99 {found.p99:7.2f} ms"
    print(f"round {number}  {endpoint:16} {contestant.name:22} {numbers}", file=sys.stderr, flush=True)
    return row


def hashes(number: int, seconds: float) -> list[Row]:
    """The bare hashes, in one process, and in as many at once as each contestant has: then they are in each other's
    way, as those of a server are."""
    return [
        {"round": number, "hash": name, "processes": processes, "cpu": bare_hash.measure(name, processes, seconds)}
        for name in bare_hash.HASHES
        for processes in (1, int(PROCESSES))
    ]
