"""Where tallies are kept: in Redis if CACHE_URL names one, else, and while it is away, in the database.

Both have one operation, `swap`, which is a compare-and-swap of all its keys at once: however many ask at the same
time, on however many servers, each of them sees what the one before left.
"""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from accounts.conf import conf
from accounts.errors import TooManyRequests
from accounts.models import Counter, CounterRow
from accounts.rates import Tally
from accounts.transactions import retrying

# Each lost race means that another request got through, so that a few rounds settle it.
ROUNDS = 50
PAUSE = 0.005  # seconds, at most, between two rounds


@dataclass(frozen=True)
class Kept:
    tally: Tally
    until: datetime


Tallies = Mapping[str, Tally]


class Seen(NamedTuple):
    """What a look found: the tallies, and of those that the database keeps the rows, by their keys."""

    tallies: Tallies
    rows: Mapping[str, CounterRow]


# What to keep under each key from now on; may raise, and then nothing changes.
Change = Callable[[Tallies], Mapping[str, Kept]]


class Store(ABC):
    def swap(self, keys: list[str], change: Change, seen: Seen | None = None) -> None:
        """Replaces the tallies of `keys` by what `change` makes of them. Raises what `change` raises, and
        TooManyRequests if so many do the same that none of ROUNDS attempts goes through.

        `seen` is what a look just found: where nobody came between, a single key need not be read again."""
        for _ in range(ROUNDS):
            if self._swapped(sorted(keys), change, seen):
                return
            if seen:
                # It was old. Nobody need be in the way now.
                seen = None
                continue
            time.sleep(random.uniform(0, PAUSE))  # noqa: S311
        raise TooManyRequests(timedelta(seconds=1))

    @abstractmethod
    def look(self, keys: list[str]) -> Seen:
        """What is kept under those of the keys, three at most, that there are."""

    @abstractmethod
    def put(self, key: str, kept: Kept) -> None:
        """Replaces what is kept under `key`, whatever that is."""

    def answers(self) -> bool | None:
        """Whether the Redis that should count does so; None where there is none."""
        return None

    @abstractmethod
    def _swapped(self, keys: list[str], change: Change, seen: Seen | None) -> bool:
        """One attempt; False if another request came between, and nothing changed."""


class _LostRace(Exception):
    pass


class DatabaseStore(Store):
    # One write in so many sweeps out rows that have run out, so that the table stays as small as what counts now.
    SWEEPS_ONE_IN = 100
    SWEEP = 500

    def _swapped(self, keys: list[str], change: Change, seen: Seen | None) -> bool:
        try:
            self._swap(keys, change, seen)
        except (_LostRace, IntegrityError):
            return False
        if not connection.in_atomic_block and random.randrange(self.SWEEPS_ONE_IN) == 0:  # noqa: S311
            # The swap is done: what befalls the sweep must not have it done again. The next one sweeps.
            with suppress(OperationalError):
                self.sweep(timezone.now())
        return True

    def look(self, keys: list[str]) -> Seen:
        rows = {row.key: row for row in Counter.objects.look(keys)}
        return Seen({key: _tally(row) for key, row in rows.items()}, rows)

    @retrying
    def put(self, key: str, kept: Kept) -> None:
        if not Counter.objects.put(key, _values(kept)):
            self.swap([key], lambda _: {key: kept})

    @retrying
    def _swap(self, keys: list[str], change: Change, seen: Seen | None) -> None:
        if len(keys) == 1:
            # As before a reading: this is done again, should the connection be lost.
            connection.health_check_done = True  # type: ignore[attr-defined]
            tallies, found = seen if seen and keys[0] in seen.rows else self.look(keys)
            self._write_all(change({key: tallies[key] for key in keys if key in tallies}), found)
            return
        with transaction.atomic():
            # The lock lets others queue instead of losing; what decides, also between nodes of a cluster that
            # do not see each other's locks, is the version.
            rows = {row.key: row for row in Counter.objects.select_for_update().filter(key__in=keys)}
            self._write_all(change({key: _tally(row) for key, row in rows.items()}), rows)

    @staticmethod
    def _write_all(changed: Mapping[str, Kept], rows: Mapping[str, Counter | CounterRow]) -> None:
        """Raises _LostRace or IntegrityError if a row is not as it was read."""
        for key in sorted(changed):
            version = rows[key].version if key in rows else None
            if not Counter.objects.swap(key, _values(changed[key]), version):
                raise _LostRace()

    def sweep(self, now: datetime) -> None:
        run_out = Counter.objects.filter(expires_at__lt=now)
        keys = list(run_out.values_list("key", flat=True)[: self.SWEEP])
        run_out.filter(key__in=keys).delete()


def store() -> Store:
    return _store(conf.cache_url)


@lru_cache(maxsize=4)
def _store(url: str) -> Store:
    if not url:
        return DatabaseStore()
    # Here, because most have none, and redis-py takes a tenth of what a process needs in memory and at its start.
    from accounts.counters_in_redis import RedisOrDatabase

    return RedisOrDatabase(url)


def _values(kept: Kept) -> dict[str, Any]:
    return {**vars(kept.tally), "expires_at": kept.until}


def _tally(row: Counter | CounterRow) -> Tally:
    return Tally(row.level, row.at, row.ready_at, row.familiar_until)
