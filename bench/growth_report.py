"""What a request costs by the number of users: as a table, and as a chart with the reference's sign-in beside ours."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

from bench.growth_load import Row

LIMIT = 1.15
TITLES = {
    "sign_in": "sign-in",
    "sign_in_again": "sign-in, again",
    "mod": "guarded request",
    "refresh": "refresh",
    "users": "user list, first page",
    "users_by_next": "user list, reached by next",
}
LINES = {
    ("express", "sign_in"): ("sign-in, Express as the reference", "#d29922", "s-"),
    ("ours", "sign_in"): ("sign-in", "#1f6feb", "o-"),
    ("ours", "users"): ("user list", "#8957e5", "o--"),
    ("ours", "refresh"): ("refresh", "#2da44e", "o--"),
    ("ours", "mod"): ("guarded request", "#8b949e", "o--"),
}
# Of milliseconds, on the chart's side.
MARKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Growth:
    """How many times dearer with the most users than with the fewest, in CPU of server and database and in time until
    the answer: the median over the rounds, each of which has both."""

    contestant: str
    endpoint: str
    cpu: float
    p50: float


def table(rows: Sequence[Row]) -> str:
    return "\n".join([*_costs(rows), "", *_growths(rows)])


def _costs(rows: Sequence[Row]) -> Iterator[str]:
    yield f"{'medians':<52}{'users':>10}{'ms of CPU':>12}{'its database':>14}{'p50 ms':>10}"
    for (name, endpoint, people), found in _grouped(rows).items():
        cpu, database, p50 = (median(row[figure] for row in found) for figure in ("cpu", "database_cpu", "p50"))
        yield f"{_title(name, endpoint):<52}{people:>10,}{cpu:>12.3f}{database:>14.3f}{p50:>10.2f}"


def _growths(rows: Sequence[Row]) -> Iterator[str]:
    fewest, most = min(row["people"] for row in rows), max(row["people"] for row in rows)
    yield f"{f'{most:,} users, compared with {fewest:,}':<52}{'':>10}{'CPU':>12}{'p50':>10}"
    for growth in growths(rows):
        said = "" if growth.contestant != "ours" else "reached" if growth.cpu <= LIMIT else "NOT REACHED"
        limit = "" if growth.contestant != "ours" else f"≤ {LIMIT}"
        title = _title(growth.contestant, growth.endpoint)
        yield f"{title:<52}{limit:>10}{growth.cpu:>12.3f}{growth.p50:>10.3f}  {said}".rstrip()


def growths(rows: Sequence[Row]) -> Iterator[Growth]:
    groups = _grouped(rows)
    fewest, most = min(row["people"] for row in rows), max(row["people"] for row in rows)
    for name, endpoint in dict.fromkeys((row["contestant"], row["endpoint"]) for row in rows):
        pairs = list(zip(groups[name, endpoint, most], groups[name, endpoint, fewest], strict=True))
        yield Growth(
            name,
            endpoint,
            cpu=median(_cpu(large) / _cpu(small) for large, small in pairs),
            p50=median(large["p50"] / small["p50"] for large, small in pairs),
        )


def _cpu(row: Row) -> float:
    return row["cpu"] + row["database_cpu"]


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str, int], list[Row]]:
    """By contestant, endpoint and number of users, in the order of the rounds."""
    found: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["contestant"], list(TITLES).index(row["endpoint"]), row["people"])):
        found[row["contestant"], row["endpoint"], row["people"]].append(row)
    return found


def _title(contestant: str, endpoint: str) -> str:
    return TITLES[endpoint] + (", Express as the reference" if contestant == "express" else "")


def draw(rows: Sequence[Row], path: Path) -> None:
    groups = _grouped(rows)
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for (name, endpoint), (title, color, line) in LINES.items():
        sizes = sorted(people for *who, people in groups if who == [name, endpoint])
        times: list[Any] = [median(row["p50"] for row in groups[name, endpoint, people]) for people in sizes]
        axes.plot(sizes, times, line, color=color, label=title)
    axes.set(xscale="log", yscale="log", xlabel="users", ylabel="ms until the answer (median)")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_yticks(MARKS, [str(mark) for mark in MARKS])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)
