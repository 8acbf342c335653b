"""Where tallies are kept: in Redis if CACHE_URL names one, else, and while it is away, in the database.

Both have one operation, `swap`, which is a compare-and-swap of all its keys at once: however many ask at the same
time, on however many servers, each of them sees what the one before left.
"""

import json
import logging
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import redis
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.conf import conf
from accounts.errors import TooManyRequests
from accounts.models import Counter
from accounts.rates import Tally
from accounts.transactions import retrying

log = logging.getLogger(__name__)
T = TypeVar("T")

# Each lost race means that another request got through, so that a few rounds settle it.
ROUNDS = 50
PAUSE = 0.005  # seconds, at most, between two rounds
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Kept:
    tally: Tally
    until: datetime


Tallies = Mapping[str, Tally]
# What to keep under each key from now on; may raise, and then nothing changes.
Change = Callable[[Tallies], Mapping[str, Kept]]


class Store(ABC):
    def swap(self, keys: list[str], change: Change) -> None:
        """Replaces the tallies of `keys` by what `change` makes of them. Raises what `change` raises, and
        TooManyRequests if so many do the same that none of ROUNDS attempts goes through."""
        for _ in range(ROUNDS):
            if self._swapped(sorted(keys), change):
                return
            time.sleep(random.uniform(0, PAUSE))  # noqa: S311
        raise TooManyRequests(timedelta(seconds=1))

    @abstractmethod
    def put(self, key: str, kept: Kept) -> None:
        """Replaces what is kept under `key`, whatever that is."""

    @abstractmethod
    def _swapped(self, keys: list[str], change: Change) -> bool:
        """One attempt; False if another request came between, and nothing changed."""


class _LostRace(Exception):
    pass


class DatabaseStore(Store):
    # One write in so many sweeps out rows that have run out, so that the table stays as small as what counts now.
    SWEEPS_ONE_IN = 100
    SWEEP = 500

    def _swapped(self, keys: list[str], change: Change) -> bool:
        try:
            self._swap(keys, change)
        except (_LostRace, IntegrityError):
            return False
        if random.randrange(self.SWEEPS_ONE_IN) == 0:  # noqa: S311
            # The swap is done: what befalls the sweep must not have it done again. The next one sweeps.
            with suppress(OperationalError):
                self.sweep(timezone.now())
        return True

    @retrying
    def put(self, key: str, kept: Kept) -> None:
        if not Counter.objects.put(key, _values(kept)):
            self.swap([key], lambda _: {key: kept})

    @retrying
    def _swap(self, keys: list[str], change: Change) -> None:
        if len(keys) == 1:
            row = Counter.objects.find(keys[0])
            self._write_all(change({keys[0]: _tally(row)} if row else {}), {keys[0]: row} if row else {})
            return
        with transaction.atomic():
            # The lock lets others queue instead of losing; what decides, also between nodes of a cluster that
            # do not see each other's locks, is the version.
            rows = {row.key: row for row in Counter.objects.select_for_update().filter(key__in=keys)}
            self._write_all(change({key: _tally(row) for key, row in rows.items()}), rows)

    @staticmethod
    def _write_all(changed: Mapping[str, Kept], rows: Mapping[str, Counter]) -> None:
        """Raises _LostRace or IntegrityError if a row is not as it was read."""
        for key in sorted(changed):
            version = rows[key].version if key in rows else None
            if not Counter.objects.swap(key, _values(changed[key]), version):
                raise _LostRace()

    def sweep(self, now: datetime) -> None:
        run_out = Counter.objects.filter(expires_at__lt=now)
        keys = list(run_out.values_list("key", flat=True)[: self.SWEEP])
        run_out.filter(key__in=keys).delete()


class RedisStore(Store):
    PREFIX = "authproject:"

    def __init__(self, url: str) -> None:
        # One more try, for a connection that broke since it was last used. redis-py's ten would hold the request for
        # many seconds, and the database is there.
        retry = Retry(NoBackoff(), 1)
        self.redis = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=retry)

    def put(self, key: str, kept: Kept) -> None:
        self._set(self.redis, key, kept)

    def _swapped(self, keys: list[str], change: Change) -> bool:
        names = [self.PREFIX + key for key in keys]
        with self.redis.pipeline() as pipe:
            pipe.watch(*names)  # type: ignore[no-untyped-call]
            found = {key: raw for key, raw in zip(keys, pipe.mget(names), strict=True) if raw}
            changed = change({key: _loaded(raw) for key, raw in found.items()})
            pipe.multi()
            for key, kept in changed.items():
                self._set(pipe, key, kept)
            try:
                pipe.execute()
            except redis.WatchError:
                return False
        return True

    def _set(self, to: redis.Redis, key: str, kept: Kept) -> None:
        # From now on, and not until when: Redis may have another clock, and must not forget too soon.
        milliseconds = max((kept.until - timezone.now()) // MILLISECOND, 0) + 1
        to.set(self.PREFIX + key, _dumped(kept.tally), px=milliseconds)


class RedisOrDatabase(Store):
    """Redis, and the database for as long as Redis does not answer: guessing is never without a limit."""

    NOT_ASKED_FOR = 5.0  # seconds after it did not answer

    def __init__(self, url: str) -> None:
        self.first, self.second = RedisStore(url), DatabaseStore()
        self.away_until = 0.0

    def put(self, key: str, kept: Kept) -> None:
        self._ask(lambda store: store.put(key, kept))

    def _swapped(self, keys: list[str], change: Change) -> bool:
        return self._ask(lambda store: store._swapped(keys, change))

    def _ask(self, question: Callable[[Store], T]) -> T:
        if time.monotonic() >= self.away_until:
            try:
                return question(self.first)
            except redis.RedisError as error:
                self.away_until = time.monotonic() + self.NOT_ASKED_FOR
                log.warning("Redis does not answer (%s): the database counts instead", type(error).__name__)
        return question(self.second)


def store() -> Store:
    return _store(conf.cache_url)


@lru_cache(maxsize=4)
def _store(url: str) -> Store:
    return RedisOrDatabase(url) if url else DatabaseStore()


def _values(kept: Kept) -> dict[str, Any]:
    return {**vars(kept.tally), "expires_at": kept.until}


def _tally(row: Counter) -> Tally:
    return Tally(row.level, row.at, row.ready_at, row.familiar_until)


def _dumped(tally: Tally) -> str:
    until = tally.familiar_until
    return json.dumps([tally.level, tally.at.isoformat(), tally.ready_at.isoformat(), until and until.isoformat()])


def _loaded(raw: str | bytes) -> Tally:
    level, at, ready_at, until = json.loads(raw)
    moment = datetime.fromisoformat
    return Tally(level, moment(at), moment(ready_at), until and moment(until))
