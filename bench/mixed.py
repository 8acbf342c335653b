"""Guarded requests while others sign in: how long those wait whose request needs no hash."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.contestants import Contestant
from bench.load import send
from bench.requests import board, sign_in

BOARDS = ("user", "mod")
# Enough to have something in flight at each process all the time, few enough to leave the sign-ins a core.
CONNECTIONS = 4


def measure(
    contestants: Sequence[Contestant], boards: Sequence[str], number: int, seconds: int, clients: int
) -> list[dict[str, Any]]:
    """One round; `clients` sign in, each again as soon as it is answered."""
    order = contestants if number % 2 else list(reversed(contestants))
    return [one(contestant, name, number, seconds, clients) for name in boards for contestant in order]


def one(contestant: Contestant, name: str, number: int, seconds: int, clients: int) -> dict[str, Any]:
    guarded, hashing = board(contestant, name, CONNECTIONS), sign_in(contestant, clients)
    with ThreadPoolExecutor(1) as thread:
        # A second longer, so that the last guarded request meets sign-ins too.
        background = thread.submit(send, hashing, seconds + 1)
        found = send(guarded, seconds)
    sign_ins = background.result()
    contestant.tidy()
    row = {
        **{"round": number, "contestant": contestant.name, "board": name},
        **{"p50": found["p50"] / 1000, "p99": found["p99"] / 1000},
        "rate": found["requests"] / found["microseconds"] * 1_000_000,
        "sign_ins": sign_ins["requests"] / sign_ins["microseconds"] * 1_000_000,
    }
    numbers = f"p50 {row['p50']:7.2f}  p99 {row['p99']:7.2f} ms {row['rate']:9.1f}/s; {row['sign_ins']:.1f} sign-ins/s"
    print(f"round {number}  mixed {name:10} {contestant.name:22} {numbers}", file=sys.stderr, flush=True)
    return row
