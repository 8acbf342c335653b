"""The tables that are printed, and what is said of the machine beside the figures."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.api import ENDPOINTS
from bench.programs import PROGRAMS
from bench.targets import Medians, medians, verdicts

PACKAGES = ("Django", "djangorestframework", "granian", "argon2-cffi", "bcrypt", "mysqlclient", "djoser", "gunicorn")
PROGRAMS_USED = {"node": ("node", "--version"), "mariadb": ("mariadb", "--version"), "wrk": ("wrk", "-v")}


def surroundings() -> dict[str, Any]:
    """The machine, and the versions of what takes part."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    # Debian's own, in /usr, is a quarter faster than one that was built here without profile-guided optimisation.
    python = f"{platform.python_version()} in {sys.base_prefix}"
    versions = {"python": python, **{name: metadata.version(name) for name in PACKAGES}}
    for name, command in PROGRAMS_USED.items():
        versions[name] = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    cpu = f"{os.cpu_count()} x {model.partition(': ')[2]}"
    return {"machine": {"cpu": cpu, "memory": f"{memory:.0f} GiB", "kernel": platform.release()}, "versions": versions}


def table(results: dict[str, Any]) -> str:
    return "\n".join([*_figures(results), *_other(results), "", *_verdicts(results)])


def _figures(results: dict[str, Any]) -> Iterator[str]:
    known = medians(results)
    yield f"\n{'medians':<56}{'ms of CPU':>12}{'per second':>12}{'p50 ms':>10}{'p99 ms':>10}"
    for endpoint in ENDPOINTS:
        for name, program in PROGRAMS.items():
            if (endpoint, name, "cpu") in known:
                yield _line(known, endpoint, f"{endpoint:<18}{program.title}", name)
    for board in ("user", "mod"):
        for name in PROGRAMS:
            if (f"mixed_{board}", name, "p99") in known:
                yield _line(known, f"mixed_{board}", f"{board}, {_beside(known, board, name)}", name)


def _beside(known: Medians, board: str, name: str) -> str:
    sign_ins = known[f"mixed_{board}", name, "sign_ins"]
    # What they take alone: how many cores they filled.
    cores = sign_ins * known.get(("sign_in", name, "cpu"), float("nan")) / 1000
    return f"beside {sign_ins:.0f} sign-ins/s, {cores:.1f} cores: {name}"


def _line(known: Medians, endpoint: str, title: str, name: str) -> str:
    cpu = f"{known[endpoint, name, 'cpu']:.3f}" if (endpoint, name, "cpu") in known else ""
    rate, p50, p99 = (known[endpoint, name, figure] for figure in ("rate", "p50", "p99"))
    return f"{title:<56}{cpu:>12}{rate:>12.0f}{p50:>10.2f}{p99:>10.2f}"


def _other(results: dict[str, Any]) -> Iterator[str]:
    for (kind, name, _), cpu in medians(results).items():
        if kind == "hash":
            yield f"bare hash, {name}: {cpu:.2f} ms of CPU"
    for name, found in results.get("memory", {}).get("idle", {}).items():
        yield f"idle {name}: {found['worker']:.0f} MiB a worker, {found['together']:.0f} MiB all processes together"
    if burst := results.get("memory", {}).get("burst"):
        yield (
            f"burst of {burst['sign_ins']} sign-ins: {burst['statuses']} in {burst['seconds']:.1f} s; MiB of the "
            f"larger worker: {burst['before']:.0f} before, {burst['peak']:.0f} at the peak, {burst['after']:.0f} after"
        )


def _verdicts(results: dict[str, Any]) -> Iterator[str]:
    yield f"{'target':<60}{'':>10}{'measured':>10}"
    for verdict in verdicts(results):
        limit = f"{verdict.sign} {verdict.limit:.2f}"
        said = "reached" if verdict.reached else "NOT REACHED"
        yield f"{verdict.what:<60}{limit:>10}{verdict.measured:>10.3f}  {said}"
