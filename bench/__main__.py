"""`script/bench [--smoke] …`: this server and its peers side by side; bench/README.md says what and how."""

import json
import sys
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import chart, memory, mixed, report, rounds, start
from bench.api import ENDPOINTS
from bench.contestants import Contestant, Unfit, started
from bench.load import UnexpectedAnswer
from bench.programs import BENCH, PROGRAMS
from bench.requests import inspect
from tests.mariadb import mariadb

PARTS = ("rounds", "mixed", "memory", "start")
# As MariaDB comes, durable at each commit; tables that grow to a million rows stay in memory.
MARIADB = ("--innodb-buffer-pool-size=1G",)


def main() -> None:
    options = _options()
    try:
        with TemporaryDirectory() as folder:
            results = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **report.surroundings()}
            # Where the results go is nobody else's concern.
            asked = {name: value for name, value in vars(options).items() if name != "results"}
            results |= {"options": asked, **_measure(options, Path(folder))}
            _publish(results, Path(folder) if options.smoke else options.results)
    except (Unfit, UnexpectedAnswer) as error:
        sys.exit(f"bench: {error}")


def _options() -> Namespace:
    parser = ArgumentParser(prog="script/bench", description="Measures this server and its peers side by side.")
    parser.add_argument("--smoke", action="store_true", help="everything once, tiny; judges no times, keeps nothing")
    parser.add_argument("--results", type=Path, default=BENCH / "results", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each load")
    parser.add_argument("--people", type=int, default=200, help="how many sign in by turns")
    parser.add_argument("--clients", type=int, default=2, help="how many sign in beside guarded requests")
    parser.add_argument("--contestants", nargs="+", choices=PROGRAMS, metavar="NAME")
    parser.add_argument("--endpoints", nargs="+", default=list(ENDPOINTS), choices=ENDPOINTS, metavar="NAME")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS, metavar="PART")
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.seconds, options.people = 1, 1, 4
    # They are the same server once more. tests/test_affinity.py shows that the first works; tests/test_processor.py
    # that the second does.
    left_out = {"ours_pinned", "ours_compiled"} if options.smoke else set()
    options.contestants = options.contestants or [name for name in PROGRAMS if name not in left_out]
    options.burst = 20 if options.smoke else 200
    return options


def _measure(options: Namespace, folder: Path) -> dict[str, Any]:
    with ExitStack() as stack:
        server = stack.enter_context(mariadb(MARIADB))
        running = stack.enter_context(started(options.contestants, server, folder, options.people))
        contestants = list(running.values())
        for contestant in contestants:
            inspect(contestant)
        found: dict[str, Any] = {}
        if "memory" in options.parts:
            found["memory"] = {"idle": memory.idle(contestants, **({"after": 0} if options.smoke else {}))}
        if "rounds" in options.parts:
            found |= _rounds(contestants, options)
        if "mixed" in options.parts:
            found["mixed"] = _mixed(contestants, options)
        if "memory" in options.parts and "ours" in running:
            found["memory"]["burst"] = memory.burst(running["ours"], options.burst)
    if "start" in options.parts:
        found["start"] = start.measure(folder, 1 if options.smoke else 3)
    return found


def _rounds(contestants: list[Contestant], options: Namespace) -> dict[str, Any]:
    if options.smoke:
        rows = rounds.all_together(contestants, options.endpoints)
        return {"rounds": rows, "hashes": rounds.hashes(1, 0.1)}
    found: dict[str, Any] = {"rounds": [], "hashes": []}
    # The first is the warm-up, and does not count.
    rounds.measure(contestants, options.endpoints, 0, min(2, options.seconds))
    for number in range(1, options.rounds + 1):
        found["rounds"] += rounds.measure(contestants, options.endpoints, number, options.seconds)
        found["hashes"] += rounds.hashes(number, options.seconds)
    return found


def _mixed(contestants: list[Contestant], options: Namespace) -> list[dict[str, Any]]:
    compared = [contestant for contestant in contestants if contestant.name in {"ours", "ours_pinned", "express"}]
    numbers = range(1, options.rounds + 1)
    boards = mixed.BOARDS[-1:] if options.smoke else mixed.BOARDS
    return [row for n in numbers for row in mixed.measure(compared, boards, n, options.seconds, options.clients)]


def _publish(results: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "latest.json").write_text(json.dumps(results, indent=1, default=str) + "\n")
    chart.draw(results, folder / "chart.png")
    table = report.table(results)
    print("Everything answered as it should." if results["options"]["smoke"] else table)


if __name__ == "__main__":
    main()
