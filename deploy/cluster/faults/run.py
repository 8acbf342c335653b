"""`deploy/cluster/cluster faults [--short]`: each fault under load on a cluster of its own; a table, and JSON."""

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.cluster.cluster import Cluster
from deploy.cluster.faults.breaking import FAULTS, Fault
from deploy.cluster.faults.ledger import Seen, failures, longest_gap
from deploy.cluster.faults.load import Load
from deploy.cluster.faults.promises import check
from deploy.cluster.processes import wait_until

KINDS = ("sign-up", "sign-in", "refresh", "guarded", "role")
WRITES = ("sign-up", "sign-in", "refresh", "role", "sign-out")
# Seconds of undisturbed load before each fault, and within which every kind of request is well again after it.
BEFORE, WELL_WITHIN = 2.0, 60.0


@dataclass(frozen=True)
class Result:
    fault: str
    seconds: float
    requests: int
    # Answers of 5xx by status; 0 are those that never came.
    failed: dict[int, int]
    longest_without_a_good_answer: float
    longest_without_a_good_write: float
    sign_ups_in_doubt: int
    broken: list[str]


def main(*, short: bool, sync_wait: int, results: Path | None) -> None:
    """Exits with 1 if a promise was broken."""
    chosen = [fault for fault in FAULTS if fault.in_short or not short]
    found = []
    with Cluster.temporary(copies=2, sync_wait=sync_wait) as cluster:
        load = Load(cluster)
        load.prepare()
        print(_row("fault", "seconds", "requests", "no answer", "longest without a good", "broken"))
        print(_row("", "", "", "and 5xx", "answer, write (s)", "promises"), flush=True)
        for fault in chosen:
            found.append(_try(cluster, load, fault))
            print(_line(found[-1]), flush=True)
    if results:
        results.write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n")
    if broken := [complaint for each in found for complaint in each.broken]:
        sys.exit("\n".join(["cluster: promises were broken:", *broken]))
    print("Every promise was kept.")


def _try(cluster: Cluster, load: Load, fault: Fault) -> Result:
    ledger = load.ledger
    known, complaints = len(ledger.people), len(ledger.broken)
    load.begin()
    start = time.monotonic()
    time.sleep(BEFORE)
    fault.happens(cluster)
    _wait_until_well(load)
    load.end()
    end = time.monotonic()
    newly = ledger.people[known:]
    check(cluster, ledger, load.admin, newly)
    seen = ledger.between(start, end)
    # A service that cannot answer says 503.
    if errors := failures(seen).get(500):
        ledger.complain(f"{errors} answers were 500")
    return Result(
        fault=fault.name,
        seconds=round(end - start, 1),
        requests=len(seen),
        failed=failures(seen),
        longest_without_a_good_answer=_gap(seen, start, end),
        longest_without_a_good_write=_gap([each for each in seen if each.kind in WRITES], start, end),
        sign_ups_in_doubt=sum(person.exists is None for person in newly),
        broken=ledger.broken[complaints:],
    )


def _wait_until_well(load: Load) -> None:
    """Until each kind of request has had a good answer since. Raises Refused if that takes too long."""
    mended = time.monotonic()

    def is_well() -> bool:
        good = {each.kind for each in load.ledger.between(mended, time.monotonic()) if each.good}
        return good.issuperset(KINDS)

    wait_until(is_well, WELL_WITHIN, f"The service is not well {WELL_WITHIN:.0f} s after the fault.")


def _gap(seen: Iterable[Seen], start: float, end: float) -> float:
    return round(longest_gap((each.at for each in seen if each.good), start, end), 1)


def _row(fault: str, seconds: str, requests: str, failed: str, longest: str, broken: str) -> str:
    return f"{fault:<36}{seconds:>8}{requests:>10}  {failed:<26}{longest:<24}{broken}"


def _line(result: Result) -> str:
    names = {0: "none"}
    failed = ", ".join(f"{names.get(status, status)}: {count}" for status, count in result.failed.items()) or "-"
    longest = f"{result.longest_without_a_good_answer}, {result.longest_without_a_good_write}"
    return _row(result.fault, str(result.seconds), str(result.requests), failed, longest, str(len(result.broken)))
