"""What limiting guesses costs: `python bench/guessing_cost.py`, and again under `python -m tests.mariadb`.

One process signs the same user in through Django's request handling, with the limits and without, in rounds that take
turns; then it measures what a guess costs that has to wait. CACHE_URL names a Redis to count with.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
ROUNDS, SIGN_INS = 120, 8
PASSWORD = "correct horse battery"


def main() -> None:
    with TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ["DJANGO_SETTINGS_MODULE"] = "authproject.settings"
        sys.path.insert(0, str(ROOT))
        import django

        django.setup()
        measure()


def measure() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext, override_settings
    from rest_framework.test import APIClient

    from accounts.models import Actor
    from accounts.services import create_user

    call_command("migrate", verbosity=0)
    create_user(username="alice", email="alice@example.com", password=PASSWORD, by=Actor())
    client = APIClient(SERVER_NAME="localhost", REMOTE_ADDR="192.0.2.1")

    def attempt(password: str, expected: int) -> None:
        body = {"username": "alice", "password": password}
        assert client.post("/api/auth/signin", body, format="json").status_code == expected

    def sign_in() -> None:
        attempt(PASSWORD, 200)

    def no_limits() -> AbstractContextManager[None]:
        return override_settings(GUESS_RATE=None, GUESS_RATE_ADDRESS=None, GUESS_RATE_ACCOUNT=None)

    def queries(call: Callable[[], None]) -> int:
        with CaptureQueriesContext(connection) as captured:
            call()
        return len(captured)

    per_round(sign_in, 10)
    print(f"{connection.vendor}{' and Redis' if settings.CACHE_URL else ''}, {ROUNDS} rounds of {SIGN_INS}; medians")
    results: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
    for _ in range(ROUNDS):
        for name, limits in (("with", nullcontext), ("without", no_limits)):
            with limits():
                results[name].append(per_round(sign_in, SIGN_INS))
    for label, index in (("CPU of this process", 0), ("elapsed", 1)):
        pairs = [(a[index] * 1000, b[index] * 1000) for a, b in zip(results["with"], results["without"], strict=True)]
        lone, ratio, more = (median(each) for each in zip(*((b, a / b, a - b) for a, b in pairs), strict=True))
        print(f"  sign-in, {label}: {lone:.2f} ms without, with limits {ratio:.3f} times as much, {more:+.2f} ms")
    with no_limits():
        without = queries(sign_in)
    print(f"  statements of a sign-in, with BEGIN and COMMIT: {queries(sign_in)} with, {without} without")
    for _ in range(10):
        attempt("wrong", 401)
    refused = [per_round(lambda: attempt("wrong", 429), 1) for _ in range(20)]
    cpu, elapsed = (median(each) * 1000 for each in zip(*refused, strict=True))
    print(f"  a guess that has to wait: {cpu:.2f} ms CPU, {elapsed:.2f} ms elapsed")


def per_round(call: Callable[[], None], times: int) -> tuple[float, float]:
    """Seconds of CPU, and elapsed, for one call."""
    cpu, clock = time.process_time(), time.perf_counter()
    for _ in range(times):
        call()
    return (time.process_time() - cpu) / times, (time.perf_counter() - clock) / times


if __name__ == "__main__":
    main()
