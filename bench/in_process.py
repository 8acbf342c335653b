"""To measure request handling in one process, without a server: a database, and two ways compared."""

import os
import time
from collections.abc import Callable
from statistics import median
from tempfile import TemporaryDirectory

# Seconds of CPU, and elapsed.
Cost = tuple[float, float]


def with_database(measure: Callable[[], None]) -> None:
    """Calls it with Django set up, on DATABASE_URL or a temporary SQLite, with all tables."""
    with TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ["DJANGO_SETTINGS_MODULE"] = "authproject.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        measure()


def per_call(call: Callable[[], None], times: int) -> Cost:
    """The mean of that many."""
    cpu, clock = time.process_time(), time.perf_counter()
    for _ in range(times):
        call()
    return (time.process_time() - cpu) / times, (time.perf_counter() - clock) / times


def compare(name: str, with_it: list[Cost], without: list[Cost]) -> None:
    """Prints the medians of the pairs, which are measured one after the other."""
    for label, index in (("CPU of this process", 0), ("elapsed", 1)):
        pairs = [(a[index] * 1000, b[index] * 1000) for a, b in zip(with_it, without, strict=True)]
        lone, ratio, more = (median(each) for each in zip(*((b, a / b, a - b) for a, b in pairs), strict=True))
        print(f"  {name}, {label}: {lone:.2f} ms without, with it {ratio:.3f} times as much, {more:+.2f} ms")
