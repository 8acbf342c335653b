"""How often something may be done: so many times at leisure, then with waits that double. Pure functions."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True)
class Rate:
    """`number` tries in `period` at leisure; of more, one at a time wears off each period / number."""

    number: int
    period: timedelta


@dataclass(frozen=True)
class Tally:
    """The tries so far: `level` of them had not worn off at the moment `at`, and the next may come at `ready_at`.
    `familiar_until` is for how long it is remembered that one of them was right."""

    level: float
    at: datetime
    ready_at: datetime
    familiar_until: datetime | None = None

    def is_familiar(self, now: datetime) -> bool:
        return self.familiar_until is not None and self.familiar_until > now


def wait(tally: Tally | None, now: datetime) -> timedelta:
    """How long the next try has to wait; nothing or less if it may come now. Where none was asked to wait, a clock
    that is behind another server's makes none."""
    return tally.ready_at - now if tally and tally.ready_at > tally.at else timedelta(0)


def one_more(tally: Tally | None, rate: Rate, now: datetime) -> Tally:
    """The tally after a try. Within the rate the next may follow at once; beyond it, each waits twice as long."""
    level = _level(tally, rate, now) + 1
    beyond = level - rate.number
    # 2 ** 10 seconds are more than the longest wait, and 2 ** 2000 would be more than a float.
    delay = min(FIRST_WAIT * 2 ** min(beyond, 10), LONGEST_WAIT) if beyond >= 0 else timedelta(0)
    return replace(tally or Tally(0, now, now), level=level, at=now, ready_at=now + delay)


def one_less(tally: Tally | None, rate: Rate, now: datetime) -> Tally:
    """The tally without one of its tries, which proved to be honest: nobody has to wait for that one."""
    return Tally(max(_level(tally, rate, now) - 1, 0), now, now)


def forgotten_at(tally: Tally, rate: Rate) -> datetime:
    """From when on the tally says no more than none at all."""
    worn_off = tally.at + tally.level * rate.period / rate.number
    return max(tally.ready_at, worn_off, tally.familiar_until or tally.at)


def _level(tally: Tally | None, rate: Rate, now: datetime) -> float:
    """What is left of the tally by now. Clocks of several servers differ, and time never adds to it."""
    if tally is None:
        return 0
    return max(tally.level - max(now - tally.at, timedelta(0)) * rate.number / rate.period, 0)
