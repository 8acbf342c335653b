"""What must be reached, and what was: medians over the rounds, and the ratios of them that the targets name."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

# By endpoint, contestant and figure.
Medians = dict[tuple[str, str, str], float]

# What, the sign, the limit; and the endpoint, the figure, whose, and compared with whose.
RATIOS = [
    *(
        target
        for name in ("mod", "admin")
        for target in (
            (f"1  /{name}: CPU, to the reference's", "≤", 0.4, name, "cpu", "ours", "express"),
            (f"1  /{name}: requests per second, to the reference's", "≥", 2.5, name, "rate", "ours", "express"),
        )
    ),
    ("2  /user: CPU, to the reference's", "≤", 0.75, "user", "cpu", "ours", "express"),
    ("3  /all: CPU, to an empty Django view's", "≤", 1.25, "all", "cpu", "ours", "empty_view"),
    *(
        target
        for name, words in (("sign_in", "sign-in"), ("sign_up", "sign-up"))
        for target in (
            (f"4  {words}, Argon2id: CPU, to the bare hash's", "≤", 1.12, name, "cpu", "ours", "bare_argon2id"),
            (f"4  {words}, bcrypt: CPU, to the bare hash's", "≤", 1.12, name, "cpu", "ours_bcrypt", "bare_bcrypt_8"),
            (f"4  {words}, bcrypt: per second, to the reference's", "≥", 1.1, name, "rate", "ours_bcrypt", "express"),
        )
    ),
    ("4  refresh: CPU, to the reference's", "≤", 0.5, "refresh", "cpu", "ours", "express"),
    ("4  refresh, rotating: CPU, to the reference's", "≤", 0.5, "refresh_rotating", "cpu", "ours", "express"),
    *(
        (f"5  /{name} beside sign-ins: p99, to the reference's", "≤", 1 / 3, f"mixed_{name}", "p99", "ours", "express")
        for name in ("user", "mod")
    ),
]
WORKER, START, COMMAND = 90, 2.5, 1.0


@dataclass(frozen=True)
class Verdict:
    """`what` begins with the target's number and ends with the unit, where there is one."""

    what: str
    sign: str
    limit: float
    measured: float

    @property
    def reached(self) -> bool:
        return self.measured <= self.limit if self.sign == "≤" else self.measured >= self.limit


def medians(results: dict[str, Any]) -> Medians:
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for row in results.get("rounds", []):
        for figure in ("cpu", "rate", "p50", "p99"):
            found[row["endpoint"], row["contestant"], figure].append(row[figure])
    for row in results.get("mixed", []):
        for figure in ("rate", "p50", "p99", "sign_ins"):
            found[f"mixed_{row['board']}", row["contestant"], figure].append(row[figure])
    for row in results.get("hashes", []):
        found["hash", f"{row['hash']}, {row['processes']} at once", "cpu"].append(row["cpu"])
        # A server's processes hash at the same time, too.
        if row["processes"] > 1:
            for endpoint in ("sign_in", "sign_up"):
                found[endpoint, f"bare_{row['hash']}", "cpu"].append(row["cpu"])
    return {key: median(values) for key, values in found.items()}


def verdicts(results: dict[str, Any]) -> Iterator[Verdict]:
    """Of all targets for which something was measured."""
    known = medians(results)
    for what, sign, limit, endpoint, figure, one, other in RATIOS:
        keys = (endpoint, one, figure), (endpoint, other, figure)
        if all(key in known for key in keys):
            yield Verdict(what, sign, limit, known[keys[0]] / known[keys[1]])
    if worker := results.get("memory", {}).get("idle", {}).get("ours"):
        yield Verdict("6  idle worker, MiB", "≤", WORKER, worker["worker"])
    for what, seconds in results.get("start", {}).items():
        yield Verdict(f"8  {what}, seconds", "≤", START if what == "script/server" else COMMAND, seconds)
