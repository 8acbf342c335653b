"""`python -m bench.scale [--users 1000000 --sessions 10000000] [--smoke]`: does it hold with millions of rows?

A database of that size and one of a hundredth, on one MariaDB: for each kind of request, the rows that its statements
read and give; what it costs over HTTP with either; and what signing in waits for while sessions are pruned. Fails
where a statement reads more for nothing than scale_report.ALLOWED.
"""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from subprocess import run as run_process
from tempfile import TemporaryDirectory
from typing import Any

from bench import growth_report, scale_report
from bench.contestants import Contestant, Unfit, run, start
from bench.growth import database_pid
from bench.growth_fill import FIRST, connect, query
from bench.growth_load import Crowd, Row
from bench.programs import BENCH, MANAGE, ROOT
from bench.report import surroundings
from bench.scale_fill import Size, fill
from tests.mariadb import mariadb

# How many requests a round has.
TIMES = {"sign_in": 60, "sign_in_again": 60, "mod": 1000, "refresh": 500, "users": 150, "users_by_next": 150}


def main() -> None:
    options = _options()
    try:
        with TemporaryDirectory() as folder:
            results = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **surroundings()}
            results |= _measure(options, Path(folder))
    except Unfit as error:
        sys.exit(f"bench: {error}")
    print(scale_report.tables(results))
    if not options.smoke:
        print(growth_report.table(results["rounds"]))
        (BENCH / "results" / "scale.json").write_text(json.dumps(results, indent=1) + "\n")
    sys.exit(bool(list(scale_report.too_many(results))))


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bench.scale", description="Does it hold with millions of rows?")
    parser.add_argument("--users", type=int, default=100_000, metavar="N")
    parser.add_argument("--grants-per-user", type=int, default=3, metavar="N")
    parser.add_argument("--sessions", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--entries", type=int, default=1_000_000, metavar="N", help="of the audit trail")
    parser.add_argument("--buffer-pool", default="3G", metavar="SIZE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="tiny, and only what does not depend on the machine")
    options = parser.parse_args()
    if options.smoke:
        options.users, options.sessions, options.entries, options.rounds = 20_000, 200_000, 200_000, 0
    return options


def _measure(options: Namespace, folder: Path) -> dict[str, Any]:
    with ExitStack() as stack:
        settings = f"--innodb-buffer-pool-size={options.buffer_pool}", "--innodb-log-file-size=512M"
        server = stack.enter_context(mariadb(settings))
        large = Size(options.users, options.grants_per_user, options.sessions, options.entries)
        small = large.divided(10 if options.smoke else 100)
        servers = {size.users: _filled(stack, server, folder, size) for size in (small, large)}
        found: dict[str, Any] = {"sizes": {users: _rooms(each) for users, each in servers.items()}}
        found["rounds"] = list(_rounds(server, servers, options.rounds))
        found["statements"] = {users: _module("scale_requests", each) for users, each in servers.items()}
        if not options.smoke:
            found["prune"] = _module("scale_prune", servers[large.users])
        return found


def _filled(stack: ExitStack, server: str, folder: Path, size: Size) -> Contestant:
    print(f"{size} is being made", file=sys.stderr, flush=True)
    contestant = start("ours", server, folder, 0, f"_{size.users}")
    stack.callback(contestant.stop)
    contestant.wait()
    contestant.sign_up(FIRST)
    contestant.sign_in(FIRST)
    _manage(contestant, "seed_roles", *size.roles)
    for role in size.roles:
        _manage(contestant, "grant_role", FIRST, role)
    fill(contestant.environment["DATABASE_URL"], size)
    _manage(contestant, "grant_role", FIRST, "admin")
    return contestant


def _manage(contestant: Contestant, *arguments: str) -> None:
    run((*MANAGE, *arguments), contestant.program, contestant.environment)


def _rooms(contestant: Contestant) -> dict[str, dict[str, int]]:
    """By table: rows, and bytes of the rows and of the indexes besides."""
    with closing(connect(contestant.environment["DATABASE_URL"])) as connection:
        found = query(
            connection,
            "SELECT table_name, table_rows, data_length, index_length FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name LIKE 'accounts%'",
        )
    return {name: {"rows": rows, "data": data, "indexes": indexes} for name, rows, data, indexes in found}


def _rounds(server: str, servers: dict[int, Contestant], rounds: int) -> Iterator[Row]:
    """Both sizes take turns, so that what else the machine does meets both; the first round is the warm-up."""
    crowds = [Crowd(each, users, database_pid(server), Random(users)) for users, each in servers.items()]
    for crowd in crowds:
        crowd.enter_admin(FIRST)
    for number in range(rounds + 1 if rounds else 0):
        for endpoint, times in TIMES.items():
            for crowd in crowds[:: -1 if number % 2 else 1]:
                before = _pages_read(server)
                row = {"round": number, **crowd.measure(endpoint, times)}
                if number:
                    yield {**row, "pages_read": (_pages_read(server) - before) / times}


def _pages_read(server: str) -> int:
    """From the disk, because they were not in the buffer pool."""
    with closing(connect(server)) as connection:
        [[_, number]] = query(connection, "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_reads'")
    return int(number)


def _module(name: str, contestant: Contestant) -> Any:
    """What it prints."""
    environment = {**os.environ, **contestant.environment}
    command = [sys.executable, "-m", f"bench.{name}"]
    done = run_process(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(f"{name}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
