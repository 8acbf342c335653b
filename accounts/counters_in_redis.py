"""Tallies in a Redis, and in the database while that is away; see accounts/counters.py."""

import json
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import redis
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.counters import Change, DatabaseStore, Kept, Seen, Store
from accounts.rates import Tally

log = logging.getLogger(__name__)
T = TypeVar("T")

MILLISECOND = timedelta(milliseconds=1)


class RedisStore(Store):
    PREFIX = "authproject:"

    def __init__(self, url: str) -> None:
        # One more try, for a connection that broke since it was last used. redis-py's ten would hold the request for
        # many seconds, and the database is there.
        retry = Retry(NoBackoff(), 1)
        self.redis = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=retry)

    def look(self, keys: list[str]) -> Seen:
        found = zip(keys, self.redis.mget([self.PREFIX + key for key in keys]), strict=True)
        return Seen({key: _loaded(raw) for key, raw in found if raw}, {})

    def put(self, key: str, kept: Kept) -> None:
        self._set(self.redis, key, kept)

    def answers(self) -> bool:
        """Raises RedisError where it does not."""
        return bool(self.redis.ping())

    def _swapped(self, keys: list[str], change: Change, seen: Seen | None) -> bool:
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

    def look(self, keys: list[str]) -> Seen:
        return self._ask(lambda store: store.look(keys))

    def put(self, key: str, kept: Kept) -> None:
        self._ask(lambda store: store.put(key, kept))

    def _swapped(self, keys: list[str], change: Change, seen: Seen | None) -> bool:
        return self._ask(lambda store: store._swapped(keys, change, seen))

    def answers(self) -> bool:
        """Not asked while it is left alone for not having answered."""
        return bool(self._ask(lambda store: store.answers()))

    def _ask(self, question: Callable[[Store], T]) -> T:
        if time.monotonic() >= self.away_until:
            try:
                return question(self.first)
            except redis.RedisError as error:
                self.away_until = time.monotonic() + self.NOT_ASKED_FOR
                log.warning("Redis does not answer (%s): the database counts instead", type(error).__name__)
        return question(self.second)


def _dumped(tally: Tally) -> str:
    until = tally.familiar_until
    return json.dumps([tally.level, tally.at.isoformat(), tally.ready_at.isoformat(), until and until.isoformat()])


def _loaded(raw: str | bytes) -> Tally:
    level, at, ready_at, until = json.loads(raw)
    moment = datetime.fromisoformat
    return Tally(level, moment(at), moment(ready_at), until and moment(until))
