"""How often something may be done: so many times at leisure, then with waits that double."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.rates import LONGEST_WAIT, Rate, Tally, forgotten_at, one_less, one_more, wait

pytestmark = pytest.mark.no_database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MICROSECOND, SECOND, HOUR = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)
TEN_AN_HOUR = Rate(10, HOUR)

periods = st.sampled_from([SECOND, timedelta(minutes=1), HOUR, timedelta(days=1)])
thoroughly = settings(max_examples=150, deadline=None)
rates = st.builds(Rate, st.integers(1, 200), periods)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3), timezones=st.just(UTC))
pauses = st.timedeltas(timedelta(0), timedelta(hours=2)) | st.just(timedelta(0))


def after(rate: Rate, moments: Iterable[datetime]) -> Tally | None:
    """The tally after tries at these moments."""
    tally = None
    for moment in moments:
        tally = one_more(tally, rate, moment)
    return tally


def tries(rate: Rate, number: int) -> Tally:
    """The tally after so many tries at noon."""
    tally = after(rate, [NOON] * number)
    assert tally
    return tally


def level(tally: Tally, rate: Rate, now: datetime) -> float:
    """What has not worn off by then."""
    return one_more(tally, rate, now).level - 1


# --- waiting


def test_the_first_try_may_come_at_once() -> None:
    assert wait(None, NOON) == timedelta(0)


def test_within_the_rate_nobody_waits_and_beyond_it_each_wait_is_twice_the_one_before_up_to_15_minutes() -> None:
    waits = [wait(tries(TEN_AN_HOUR, number), NOON) // SECOND for number in range(1, 23)]
    assert waits == [0] * 9 + [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_a_wait_runs_out() -> None:
    tally = tries(TEN_AN_HOUR, 12)
    assert [wait(tally, NOON + seconds * SECOND) // SECOND for seconds in (0, 1, 3, 4)] == [4, 3, 1, 0]


def test_tries_in_quick_succession_wait_as_those_in_one_moment_do() -> None:
    """The tenth leaves no room for an eleventh, also where a moment's worth has worn off."""
    tally = after(TEN_AN_HOUR, [NOON + number * SECOND / 10 for number in range(10)])
    assert timedelta(seconds=0.9) < wait(tally, NOON + 0.9 * SECOND) <= SECOND


def test_one_try_wears_off_each_period_divided_by_number() -> None:
    full = tries(TEN_AN_HOUR, 10)
    assert [level(full, TEN_AN_HOUR, NOON + minutes * HOUR / 60) for minutes in (0, 6, 30, 60, 90)] == [10, 9, 5, 0, 0]


def test_after_a_period_without_tries_as_many_may_come_again() -> None:
    tally = after(TEN_AN_HOUR, [*[NOON] * 10, *[NOON + HOUR] * 9])
    assert wait(tally, NOON + HOUR) == timedelta(0)


@thoroughly
@given(rates, st.lists(pauses, max_size=100))
def test_no_schedule_that_obeys_the_waits_has_more_tries_than_the_rate_and_what_the_waits_leave(
    rate: Rate, pauses: list[timedelta]
) -> None:
    """Of the tries that the rate does not cover, the waits before them double, so that they number the logarithm of
    the time; beyond the longest wait, one each 15 minutes."""
    tally, now = None, NOON
    for number, pause in enumerate(pauses, start=1):
        now += max(wait(tally, now), timedelta(0)) + pause
        tally = one_more(tally, rate, now)
        elapsed = now - NOON
        uncovered = log2(max(elapsed / SECOND, 1)) + elapsed / LONGEST_WAIT + 2
        assert number <= rate.number * (1 + elapsed / rate.period) + uncovered


@thoroughly
@given(rates, st.lists(moments, min_size=1), moments)
def test_nobody_is_ever_told_to_wait_longer_than_15_minutes(rate: Rate, tried: list[datetime], now: datetime) -> None:
    assert wait(after(rate, tried), now) <= LONGEST_WAIT


# --- clocks


@thoroughly
@given(rates, st.lists(moments))
def test_a_clock_that_runs_back_neither_adds_nor_removes_anything(rate: Rate, tried: list[datetime]) -> None:
    """As if it had stood still until it was where it had been."""
    assert after(rate, tried) == after(rate, accumulate(tried, max))


@thoroughly
@given(rates, st.lists(moments, min_size=1), moments)
def test_a_wait_is_the_same_on_a_clock_that_is_behind(rate: Rate, tried: list[datetime], now: datetime) -> None:
    tally = after(rate, tried)
    assert wait(tally, min(now, max(tried))) == wait(tally, max(tried))


def test_who_need_not_wait_need_not_on_a_clock_that_is_behind() -> None:
    assert wait(tries(TEN_AN_HOUR, 3), NOON - HOUR) == timedelta(0)


# --- taking back


@thoroughly
@given(rates, st.lists(moments), pauses)
def test_one_less_undoes_one_more(rate: Rate, tried: list[datetime], pause: timedelta) -> None:
    before, now = after(rate, sorted(tried)), max(tried, default=NOON) + pause
    counted = one_more(before, rate, now)
    undone = one_less(counted, counted, rate)
    assert undone.level == pytest.approx(level(before, rate, now) if before else 0)
    assert wait(undone, now) == timedelta(0)


@thoroughly
@given(rates, st.integers(0, 220), st.integers(1, 5))
def test_of_several_at_once_one_less_leaves_the_others_and_their_waits(rate: Rate, before: int, others: int) -> None:
    counted = tries(rate, before + 1)
    left = one_less(tries(rate, before + 1 + others), counted, rate)
    assert left == tries(rate, before + others)


def test_taking_one_back_brings_back_no_wait_that_was_given_back() -> None:
    first, second = tries(TEN_AN_HOUR, 14), tries(TEN_AN_HOUR, 15)
    without_second = one_less(second, second, TEN_AN_HOUR)
    assert wait(one_less(without_second, first, TEN_AN_HOUR), NOON) == timedelta(0)


def test_one_less_than_none_is_none() -> None:
    none = Tally(0, NOON, NOON)
    assert one_less(none, none, TEN_AN_HOUR) == none


# --- forgetting


@thoroughly
@given(rates, st.lists(moments, min_size=1), st.none() | moments)
def test_when_a_tally_is_forgotten_it_says_no_more_than_none(
    rate: Rate, tried: list[datetime], familiar_until: datetime | None
) -> None:
    tally = replace(tries(rate, 1), familiar_until=familiar_until)
    for moment in sorted(tried):
        tally = one_more(tally, rate, moment)
    then = forgotten_at(tally, rate) + MICROSECOND
    fresh, next_one = one_more(None, rate, then), one_more(tally, rate, then)
    assert (wait(tally, then) <= timedelta(0), tally.is_familiar(then)) == (True, False)
    assert next_one.level == pytest.approx(fresh.level, abs=1e-4)
    assert abs(wait(next_one, then) - wait(fresh, then)) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("tally", "forgotten"),
    [
        pytest.param(tries(TEN_AN_HOUR, 3), NOON + 18 * HOUR / 60, id="worn off"),
        pytest.param(tries(Rate(1, SECOND), 20), NOON + LONGEST_WAIT, id="a wait over"),
        pytest.param(Tally(0, NOON, NOON, NOON + 30 * HOUR), NOON + 30 * HOUR, id="no longer familiar"),
    ],
)
def test_it_is_not_forgotten_before(tally: Tally, forgotten: datetime) -> None:
    rate = Rate(1, SECOND) if tally.level == 20 else TEN_AN_HOUR
    assert forgotten_at(tally, rate) == forgotten


def test_familiar_is_until_the_moment_named() -> None:
    tally = Tally(0, NOON, NOON, familiar_until=NOON)
    assert [tally.is_familiar(NOON - MICROSECOND), tally.is_familiar(NOON)] == [True, False]


def test_a_try_does_not_make_a_familiar_address_forgotten() -> None:
    familiar = Tally(0, NOON, NOON, familiar_until=NOON + HOUR)
    assert one_more(familiar, TEN_AN_HOUR, NOON).is_familiar(NOON)
