"""`python -m bench.node_cost [--database URL --nodes PID …]`: what a database node does for each kind of request.

Several clients at once over HTTP; CPU time and bytes written to disk as the operating system counts them for the
database's processes. Without --database on a MariaDB of its own; with it on any other, such as a node of a cluster,
whose nodes' process ids are then given, that one's first.
"""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bench.contestants import Contestant, Unfit, run, start
from bench.cpu import cpu_seconds
from bench.growth import AFTER, BEFORE, database_pid
from bench.growth_fill import FIRST, OURS, fill
from bench.growth_load import Crowd
from tests.live import execute
from tests.mariadb import mariadb

CLIENTS, PEOPLE = 8, 10_000
# How many requests of each kind a client sends.
TIMES = {"sign_in": 60, "sign_in_again": 60, "refresh": 400, "mod": 800}


def main() -> None:
    options = _options()
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory())
            server = options.database or stack.enter_context(mariadb(("--innodb-buffer-pool-size=1G",)))
            contestant = _contestant(stack, server, Path(folder))
            rows = list(_measure(contestant, options.nodes or [database_pid(server)], options.rounds))
    except Unfit as error:
        sys.exit(f"bench: {error}")
    print(json.dumps(rows, indent=1))


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bench.node_cost", description="What a database node does for a request.")
    parser.add_argument("--database", metavar="URL", help="of a server where databases may be made")
    parser.add_argument("--nodes", type=int, nargs="+", metavar="PID")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _contestant(stack: ExitStack, server: str, folder: Path) -> Contestant:
    contestant = start("ours", server, folder, 0)
    stack.callback(execute, server, "DROP DATABASE ours")
    stack.callback(contestant.stop)
    contestant.wait()
    contestant.sign_up(FIRST)
    contestant.sign_in(FIRST)
    run(BEFORE["ours"], contestant.program, contestant.environment)
    fill(contestant.environment["DATABASE_URL"], OURS, PEOPLE)
    run(AFTER["ours"], contestant.program, contestant.environment)
    return contestant


def _measure(contestant: Contestant, nodes: Sequence[int], rounds: int) -> Iterator[dict[str, Any]]:
    crowds = [Crowd(contestant, PEOPLE, nodes[0], Random(number)) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        for number in range(rounds + 1):
            for endpoint, times in TIMES.items():
                before, clock = list(map(_used, nodes)), time.perf_counter()
                list(threads.map(lambda crowd, name=endpoint, times=times: crowd.ask(name, times), crowds))
                sent, elapsed = times * CLIENTS, time.perf_counter() - clock
                used = [
                    {name: (after[name] - then[name]) / sent for name in after}
                    for then, after in zip(before, map(_used, nodes), strict=True)
                ]
                if number:
                    yield {"round": number, "endpoint": endpoint, "rate": sent / elapsed, "nodes": used}


def _used(pid: int) -> dict[str, float]:
    """Milliseconds of CPU, and bytes written."""
    lines = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return {"cpu": cpu_seconds(pid) * 1000, "written": int(lines["write_bytes"])}


if __name__ == "__main__":
    main()
