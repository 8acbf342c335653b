"""What bench/scale.py found, as tables, and where it is too much."""

from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.scale_requests import EXCEPTIONS

# Rows that a statement may read and not give, however many there are; a count stops at COUNTED + 1 of each table.
ALLOWED = 300
COUNTED = 1000
Results = dict[str, Any]


def too_many(results: Results) -> Iterator[str]:
    """The requests that read more for nothing than they may."""
    for users, request, statement in _statements(results):
        if _excess(statement) > ALLOWED and request not in EXCEPTIONS:
            yield f"{users:,} users, {request}: {_excess(statement):,} rows: {statement['plan']}\n  {statement['sql']}"


def tables(results: Results) -> str:
    parts = [_rooms(results), _rows(results), _pages(results), _pruning(results), too_many(results)]
    return "\n\n".join(filter(None, ("\n".join(part) for part in parts))) + "\n"


def _statements(results: Results) -> Iterator[tuple[int, str, Any]]:
    for users, found in results["statements"].items():
        for each in found:
            yield from ((users, each["request"], statement) for statement in each["statements"])


def _excess(statement: Any) -> int:
    counts = statement["sql"].startswith("SELECT COUNT(*) FROM (SELECT")
    # What is counted goes through a temporary table, too.
    return statement["excess"] - ((COUNTED + 1) * (statement["tables"] + 1) if counts else 0)


def _rows(results: Results) -> Iterator[str]:
    small, large = results["statements"].values()
    sizes = "".join(f"{f'{users:,} users':>18}" for users in results["statements"])
    yield f"{'rows read':<44}{'statements':>11}{sizes}{'given':>8}  {'ms in the database':>20}"
    for before, after in zip(small, large, strict=True):
        numbers = "".join(f"{sum(each['read'] for each in found['statements']):>18,}" for found in (before, after))
        given, elapsed = (sum(each[name] for each in after["statements"]) for name in ("given", "milliseconds"))
        said = "  not promised" if after["request"] in EXCEPTIONS else ""
        yield f"{after['request']:<44}{len(after['statements']):>11}{numbers}{given:>8,}  {elapsed:>20.1f}{said}"


def _rooms(results: Results) -> Iterator[str]:
    *_, rooms = results["sizes"].values()
    yield f"{'table':<24}{'rows':>12}{'MB':>8}{'of indexes':>12}{'bytes a row':>13}"
    for name, room in rooms.items():
        size = room["data"] + room["indexes"]
        figures = f"{room['rows']:>12,}{size / 1e6:>8,.0f}{room['indexes'] / 1e6:>12,.0f}"
        yield f"{name:<24}{figures}{size / max(room['rows'], 1):>13,.0f}"


def _pages(results: Results) -> Iterator[str]:
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in results["rounds"]:
        found[row["endpoint"], row["people"]].append(row["pages_read"])
    for (endpoint, users), pages in found.items():
        yield f"pages read from disk for {endpoint:<20}{users:>12,} users{median(pages):>8.1f}"


def _pruning(results: Results) -> Iterator[str]:
    if found := results.get("prune"):
        yield f"{'writing a sign-in, ms':<44}{'p50':>9}{'p99':>9}{'longest':>9}{'sign-ins':>10}"
        for title in ("before", "meanwhile", "after"):
            figures = found[title]
            times = "".join(f"{figures[name]:>9.1f}" for name in ("p50", "p99", "longest"))
            yield f"{title + ' prune_sessions':<44}{times}{figures['sign_ins']:>10,}"
        yield f"in {found['seconds']:.0f} s: {found['said'][-1]}"
