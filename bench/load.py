"""wrk: what it sends, and what it found. An answer that is not as expected ends the run."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bench.cpu import cpu_seconds_at_rest

SCRIPTS = Path(__file__).parent / "lua"
TROUBLES = ("refused", "connect", "read", "write", "timeout")


class UnexpectedAnswer(Exception):
    """A status of 400 or more, a connection that broke, or no answer in time."""


@dataclass(frozen=True)
class Load:
    """A script of bench/lua with its arguments; a thread of wrk serves an equal part of the connections."""

    url: str
    script: str = "plain"
    arguments: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    threads: int = 2
    connections: int = 8


@dataclass(frozen=True)
class Found:
    """Answers per second, milliseconds that half and 99 of 100 took at most, milliseconds of CPU per request."""

    requests: int
    rate: float
    p50: float
    p99: float
    cpu: float


def run(load: Load, seconds: int, pid: int) -> Found:
    """`pid` is the server's first process. Raises UnexpectedAnswer."""
    before = cpu_seconds_at_rest(pid)
    found = send(load, seconds)
    # At the end a few are under way, whose answers wrk does not count, but whose CPU we do.
    used = cpu_seconds_at_rest(pid) - before
    return Found(
        requests=found["requests"],
        rate=found["requests"] / found["microseconds"] * 1_000_000,
        p50=found["p50"] / 1000,
        p99=found["p99"] / 1000,
        cpu=used / found["sent"] * 1000,
    )


def send(load: Load, seconds: int) -> dict[str, int]:
    """What bench/lua/report.lua found. Raises UnexpectedAnswer."""
    done = subprocess.run(_command(load, seconds), capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnexpectedAnswer(f"{load.url}: wrk failed: {done.stdout}{done.stderr}")
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    troubles = {name: found[name] for name in TROUBLES if found[name]}
    if troubles or not found["requests"]:
        raise UnexpectedAnswer(f"{load.url}: of {found['requests']} answers: {troubles or 'none'}")
    return found


def _command(load: Load, seconds: int) -> list[str]:
    headers = {"Content-Type": "application/json", **load.headers} if load.arguments else load.headers
    return [
        *("wrk", "--timeout", "30s", "--duration", f"{seconds}s"),
        *("--threads", str(load.threads), "--connections", str(load.connections)),
        *("--script", str(SCRIPTS / f"{load.script}.lua")),
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
        *(load.url, "--", *load.arguments),
    ]
