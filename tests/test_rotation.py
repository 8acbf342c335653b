"""accounts/rotation.py: the rules of refresh tokens, and that they never hurt an honest client."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rotation import Known, Verdict, judge

pytestmark = pytest.mark.no_database

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GRACE = timedelta(seconds=10)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# Generation 5 was proved at noon by a token issued a minute before.
KNOWN = Known(generation=5, current_issued_at=at(-60), confirmed_at=at(0))


@pytest.mark.parametrize(
    ("generation", "issued", "now", "verdict"),
    [
        pytest.param(6, 1, 2, Verdict.CONFIRMS, id="the successor"),
        pytest.param(9, 1, 2, Verdict.CONFIRMS, id="a later one: this database is behind"),
        pytest.param(5, -60, 9e6, Verdict.REPEATS, id="the current token, at any time"),
        pytest.param(5, -50, 9e6, Verdict.REPEATS, id="its twin, issued within the grace"),
        pytest.param(5, -70, 9e6, Verdict.REPEATS, id="its twin, issued before it within the grace"),
        pytest.param(5, -49, 1, Verdict.REUSED, id="another of its generation"),
        pytest.param(4, -90, 9.9, Verdict.REPEATS, id="the one before it, within the grace"),
        pytest.param(4, -90, 10, Verdict.REUSED, id="the one before it, after the grace"),
        pytest.param(3, -90, 0, Verdict.REUSED, id="one long retired"),
    ],
)
def test_the_table_of_verdicts(generation: int, issued: float, now: float, verdict: Verdict) -> None:
    assert judge(KNOWN, generation=generation, issued_at=at(issued), now=at(now), grace=GRACE) is verdict


@pytest.mark.parametrize(
    ("generation", "issued", "verdict"),
    [(6, 1, Verdict.CONFIRMS), (5, -60, Verdict.REPEATS), (5, -59, Verdict.REUSED), (4, -90, Verdict.REUSED)],
)
def test_without_grace_only_the_current_token_and_its_successors_count(
    generation: int, issued: float, verdict: Verdict
) -> None:
    assert judge(KNOWN, generation=generation, issued_at=at(issued), now=at(0), grace=timedelta(0)) is verdict


@dataclass(frozen=True)
class Token:
    generation: int
    issued_at: datetime


class Server:
    """What accounts/sessions.py does with a verdict, without a database."""

    def __init__(self) -> None:
        self.known = Known(0, NOON, NOON)
        self.revoked = False

    def refresh(self, token: Token, now: datetime) -> Token | None:
        if self.revoked:
            return None
        verdict = judge(self.known, generation=token.generation, issued_at=token.issued_at, now=now, grace=GRACE)
        if verdict is Verdict.REUSED:
            self.revoked = True
            return None
        if verdict is Verdict.CONFIRMS:
            self.known = replace(
                self.known, generation=token.generation, current_issued_at=token.issued_at, confirmed_at=now
            )
        return Token(self.known.generation + 1, now.replace(microsecond=0))


# What an honest client may live through at one refresh: how long it waited before, how many tabs or retries send
# the stored token together, how far apart they arrive, which answers are lost, which of the others is stored last,
# and whether it stores any.
steps = st.lists(
    st.tuples(
        st.floats(0, 100_000),
        st.lists(st.tuples(st.floats(0, 4), st.booleans()), min_size=1, max_size=4),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=20,
)


@given(steps)
def test_no_order_of_losses_twins_and_tabs_signs_an_honest_client_out(
    story: list[tuple[float, list[tuple[float, bool]], int, bool]],
) -> None:
    server, stored, now = Server(), Token(0, NOON), NOON
    for wait, tabs, last_to_store, keeps in story:
        now += timedelta(seconds=wait)
        arrived = []
        for delay, lost in sorted(tabs):
            answer = server.refresh(stored, now + timedelta(seconds=delay))
            assert answer is not None
            if not lost:
                arrived.append(answer)
        now += timedelta(seconds=5)
        if arrived and keeps:
            stored = arrived[last_to_store % len(arrived)]


@given(st.integers(1, 5), st.floats(11, 1e6), st.floats(11, 1e6))
def test_a_replayed_token_ends_the_session_however_late(rotations: int, pause: float, until_replay: float) -> None:
    server, now, token = Server(), NOON, Token(0, NOON)
    stolen = token
    for _ in range(rotations + 1):
        now += timedelta(seconds=pause)
        successor = server.refresh(token, now)
        assert successor is not None
        token = successor
    server.refresh(stolen, now + timedelta(seconds=until_replay))
    assert server.revoked


@given(st.floats(12, 1e6))
def test_a_thief_who_keeps_in_step_ends_the_session_with_the_second_successor(apart: float) -> None:
    server, stolen = Server(), Token(0, NOON)
    owners = server.refresh(stolen, at(1))
    thiefs = server.refresh(stolen, at(1 + apart))
    assert owners is not None
    assert thiefs is not None
    server.refresh(thiefs, at(2 + apart))
    server.refresh(owners, at(3 + apart))
    assert server.revoked
