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

    @property
    def slows(self) -> bool:
        """Whether the last try had the next one wait."""
        return self.ready_at > self.at

    def is_familiar(self, now: datetime) -> bool:
        return self.familiar_until is not None and self.familiar_until > now


def resumed(level: float, at: datetime | None, rate: Rate) -> Tally | None:
    """The tally of which only these two were kept, as a try leaves them; None if there was none yet."""
    return Tally(level, at, at + _delay(level, rate)) if at else None


def wait(tally: Tally | None, now: datetime) -> timedelta:
    """How long the next try has to wait; nothing or less if it may come now."""
    return tally.ready_at - max(now, tally.at) if tally else timedelta(0)


def one_more(tally: Tally | None, rate: Rate, now: datetime) -> Tally:
    """The tally after a try. Within the rate the next may follow at once; beyond it, each waits twice as long.

    Time never runs back here: the clocks of several servers differ, and none may wear off what another has yet to.
    """
    tally = tally or Tally(0, now, now)
    at = max(now, tally.at)
    level = max(tally.level - (at - tally.at) * rate.number / rate.period, 0) + 1
    return replace(tally, level=level, at=at, ready_at=at + _delay(level, rate))


def one_less(tally: Tally, counted: Tally, rate: Rate) -> Tally:
    """The tally without the try that had made it `counted`, and that proved to be honest: nobody has to wait for that
    one, but for those that came after it."""
    level = max(tally.level - 1, 0)
    delay = timedelta(0) if tally == counted else _delay(level, rate)
    return replace(tally, level=level, ready_at=min(tally.ready_at, tally.at + delay))


def forgotten_at(tally: Tally, rate: Rate) -> datetime:
    """From when on the tally says no more than none at all."""
    worn_off = tally.at + tally.level * rate.period / rate.number
    return max(tally.ready_at, worn_off, tally.familiar_until or tally.at)


def _delay(level: float, rate: Rate) -> timedelta:
    """How long the next try has to wait after one that made it `level`."""
    if level + 1 <= rate.number:
        return timedelta(0)
    # 2 ** 10 seconds are more than the longest wait, and 2 ** 2000 would be more than a float.
    return min(FIRST_WAIT * 2 ** min(level - rate.number, 10), LONGEST_WAIT)
