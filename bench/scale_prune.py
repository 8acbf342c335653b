"""`python -m bench.scale_prune` on DATABASE_URL: what signing in waits for while `prune_sessions` deletes millions.

What is measured is the writing of a sign-in, session and audit entry with their commit, at a steady pace on two
connections; without the hash of the password, whose 20 ms would hide what is looked for. Prints JSON.
"""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles
from typing import Any

from bench.growth_fill import FIRST
from bench.programs import MANAGE, ROOT

CONNECTIONS, PER_SECOND, QUIET = 2, 50, 20.0
Figures = dict[str, float]


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "authproject.settings"
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    found: dict[str, Any] = {"before": _figures(_sign_ins_for(QUIET))}
    process = subprocess.Popen([*MANAGE, "prune_sessions"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    clock = time.monotonic()
    found["meanwhile"] = _figures(_sign_ins(lambda: process.poll() is None))
    found["seconds"] = time.monotonic() - clock
    found["said"] = (process.stdout.read() if process.stdout else "").splitlines()
    found["after"] = _figures(_sign_ins_for(QUIET))
    print(json.dumps(found))
    sys.exit(process.returncode)


def _sign_ins_for(seconds: float) -> list[float]:
    deadline = time.monotonic() + seconds
    return _sign_ins(lambda: time.monotonic() < deadline)


def _sign_ins(more: Callable[[], bool]) -> list[float]:
    """Milliseconds that each took."""
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return [each for taken in threads.map(_paced, [more] * CONNECTIONS) for each in taken]


def _paced(more: Callable[[], bool]) -> list[float]:
    from django.db import connection

    from accounts.models import Actor, User
    from accounts.services import signing

    people = list(User.objects.exclude(username=FIRST).order_by("id")[:1000])
    by, due = Actor(via="api", address="192.0.2.1"), time.monotonic()
    taken: list[float] = []
    while more():
        time.sleep(max(0.0, due - time.monotonic()))
        clock = time.perf_counter()
        signing._open_session(people[len(taken) % len(people)], by)
        taken.append((time.perf_counter() - clock) * 1000)
        due += 1 / PER_SECOND
    connection.close()
    return taken


def _figures(taken: list[float]) -> Figures:
    p99 = quantiles(taken, n=100)[98]
    return {"sign_ins": len(taken), "p50": median(taken), "p99": p99, "longest": max(taken)}


if __name__ == "__main__":
    main()
