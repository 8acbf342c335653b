"""What limiting guesses costs: `python -m bench.guessing_cost`, and again under `python -m tests.mariadb`.

One process signs the same user in through Django's request handling, with the limits and without, in rounds that take
turns; then it measures what a guess costs that has to wait. CACHE_URL names a Redis to count with.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from statistics import median

from bench.in_process import Cost, compare, per_call, with_database

ROUNDS, SIGN_INS = 120, 8
PASSWORD = "correct horse battery"


def measure() -> None:
    from django.conf import settings
    from django.db import connection
    from django.test.utils import CaptureQueriesContext, override_settings
    from rest_framework.test import APIClient

    from accounts.models import Actor
    from accounts.services import create_user

    create_user(username="alice", email="alice@example.com", password=PASSWORD, by=Actor())
    client = APIClient(SERVER_NAME="localhost", REMOTE_ADDR="192.0.2.1")

    def attempt(password: str, expected: int) -> None:
        body = {"username": "alice", "password": password}
        assert client.post("/api/auth/signin", body, format="json").status_code == expected

    def sign_in() -> None:
        attempt(PASSWORD, 200)

    def no_limits() -> AbstractContextManager[object]:
        return override_settings(GUESS_RATE=None, GUESS_RATE_ADDRESS=None, GUESS_RATE_ACCOUNT=None)

    def queries(call: Callable[[], None]) -> int:
        with CaptureQueriesContext(connection) as captured:
            call()
        return len(captured)

    per_call(sign_in, 10)
    print(f"{connection.vendor}{' and Redis' if settings.CACHE_URL else ''}, {ROUNDS} rounds of {SIGN_INS}; medians")
    results: dict[str, list[Cost]] = {"with": [], "without": []}
    for _ in range(ROUNDS):
        for name, limits in (("with", nullcontext), ("without", no_limits)):
            with limits():
                results[name].append(per_call(sign_in, SIGN_INS))
    compare("a sign-in", results["with"], results["without"])
    with no_limits():
        without = queries(sign_in)
    print(f"  statements of a sign-in, with BEGIN and COMMIT: {queries(sign_in)} with, {without} without")
    for _ in range(10):
        attempt("wrong", 401)
    refused = [per_call(lambda: attempt("wrong", 429), 1) for _ in range(20)]
    cpu, elapsed = (median(each) * 1000 for each in zip(*refused, strict=True))
    print(f"  a guess that has to wait: {cpu:.2f} ms CPU, {elapsed:.2f} ms elapsed")


if __name__ == "__main__":
    with_database(measure)
