"""`python -m bench.growth [--users 1000 1000000] [--smoke]`: what a request costs with how many users.

Each number of users has a database and a server of its own, all on one MariaDB, and they take turns: so what else the
machine does meets all alike. Whose turn it is answers one request after the other, each of somebody else's.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bench import growth_report
from bench.contestants import Contestant, Unfit, run, start
from bench.growth_fill import FIRST, OURS, REFERENCE, connect, fill, query
from bench.growth_load import Crowd, Row
from bench.programs import BENCH, MANAGE
from bench.report import surroundings
from tests.mariadb import mariadb

SIZES = (1000, 10_000, 100_000, 1_000_000)
# How many requests a round has; a sign-in of the reference reads all its users.
TIMES = {
    "ours": {"sign_in": 40, "mod": 600, "refresh": 300, "users": 150, "users_by_next": 150},
    "express": {"sign_in": 15},
}
COPIES = {"ours": OURS, "express": REFERENCE}
# What the contestant's own FIRST is given, before all others become copies and after.
BEFORE = {"ours": (*MANAGE, "grant_role", FIRST, "moderator")}
AFTER = {"ours": (*MANAGE, "grant_role", FIRST, "admin")}
# Durable as it comes, and with room for a million users, their sessions, counts and audit entries (4 GB) in memory.
MARIADB = ("--innodb-buffer-pool-size=6G", "--innodb-log-file-size=512M")


def main() -> None:
    options = _options()
    try:
        with TemporaryDirectory() as folder:
            rows = list(_measure(options, Path(folder)))
            results = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **surroundings(), "rows": rows}
            _publish(results, BENCH / "results", options.smoke)
    except Unfit as error:
        sys.exit(f"bench: {error}")


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bench.growth", description="What a request costs with how many users.")
    parser.add_argument("--users", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--contestants", nargs="+", default=list(COPIES), choices=COPIES, metavar="NAME")
    parser.add_argument("--smoke", action="store_true", help="everything once, tiny; judges nothing, keeps nothing")
    options = parser.parse_args()
    if options.smoke:
        options.users, options.rounds = (100, 1000), 1
    return options


def _measure(options: Namespace, folder: Path) -> Iterator[Row]:
    with ExitStack() as stack:
        server = stack.enter_context(mariadb(MARIADB))
        wanted = [(name, people) for people in options.users for name in options.contestants]
        with ThreadPoolExecutor(2) as threads:
            crowds = list(threads.map(partial(_crowd, stack, server, folder), *zip(*wanted, strict=True)))
        # The first is the warm-up, and does not count.
        for number in range(0 if options.rounds > 1 else 1, options.rounds + 1):
            rows = _round(crowds[:: -1 if number % 2 else 1], few=options.smoke)
            yield from ({"round": number, **row} for row in rows if number)


def _crowd(stack: ExitStack, server: str, folder: Path, name: str, people: int) -> Crowd:
    print(f"{name}: {people:,} users are being made", file=sys.stderr, flush=True)
    contestant = start(name, server, folder, 0, f"_{people}")
    stack.callback(contestant.stop)
    contestant.wait()
    contestant.sign_up(FIRST)
    contestant.sign_in(FIRST)
    _run(contestant, BEFORE)
    fill(contestant.environment["DATABASE_URL"], COPIES[name], people)
    _run(contestant, AFTER)
    crowd = Crowd(contestant, people, database_pid(server), Random(people))
    crowd.enter_admin(FIRST)
    return crowd


def _run(contestant: Contestant, commands: Mapping[str, Sequence[str]]) -> None:
    if contestant.name in commands:
        run(commands[contestant.name], contestant.program, contestant.environment)


def database_pid(server: str) -> int:
    with closing(connect(server)) as connection:
        [[path]] = query(connection, "SELECT @@pid_file")
    return int(Path(path).read_text())


def _round(crowds: Sequence[Crowd], *, few: bool) -> Iterator[Row]:
    """Each endpoint at all sizes, before the next."""
    for endpoint in TIMES["ours"]:
        for crowd in crowds:
            if times := TIMES[crowd.contestant.name].get(endpoint):
                row = crowd.measure(endpoint, min(times, 5) if few else times)
                print(_line(row), file=sys.stderr, flush=True)
                yield row


def _line(row: Row) -> str:
    who = f"{row['contestant']:8} {row['endpoint']:14} {row['people']:>9,} users"
    return f"{who}  {row['cpu']:8.3f} + {row['database_cpu']:8.3f} ms CPU  p50 {row['p50']:8.2f} ms"


def _publish(results: dict[str, Any], folder: Path, smoke: bool) -> None:
    if smoke:
        print("Everything answered as it should.")
        return
    folder.mkdir(exist_ok=True)
    (folder / "growth.json").write_text(json.dumps(results, indent=1) + "\n")
    growth_report.draw(results["rows"], folder / "growth.png")
    print(growth_report.table(results["rows"]))


if __name__ == "__main__":
    main()
