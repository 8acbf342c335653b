"""Any order of sign-ins, refreshes, lost answers, tabs, thefts, replays and endings: the server and the model agree.

No request is answered with a 500, no refresh with a 401, no token is better or worse than the model of
tests/session_model.py says. `pytest tests/test_refresh_model.py --hypothesis-profile=long` goes on for much longer.
"""

import sys
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Actor
from accounts.services import create_user
from tests import session_model as model
from tests.conftest import PASSWORD
from tests.session_model import OPEN, Answer, Pair, Person, Session
from tests.session_world import VIAS, Device, Via, World, seen, tokens_in

WRONG_PASSWORD: Answer = (401, "Invalid Password!")
WRONG_CURRENT_PASSWORD: Answer = (400, "The current password is not right.")
NO_SESSION: Answer = (404, "There is no such session.")

# In seconds: around the grace and the minute of `lastUsedAt`, and long enough to come near the lifetimes; None is
# until the last moment of the token that is stored.
PAUSES = (0, 0.25, 4.5, 9.75, 10, 10.25, 59.5, 61, 600, 3600, 30_000, None)
OVERTAKING = ("refresh", "refresh twice", "refresh twice", "sign out", "sign out everywhere", "change the password")
# How an admin ends what a user has open, and lets them in again.
ADMINS_ACTS: dict[str, tuple[str, str, Any]] = {
    "end sessions": ("delete", "/sessions", None),
    "deactivate": ("delete", "", None),
    "activate": ("patch", "", {"active": True}),
}

names = st.sampled_from(["ada", "bob"])
vias = st.sampled_from(VIAS)
mostly = st.sampled_from([True, True, True, False])
# Which of a session's tokens: counted back from the newest, or on from the oldest.
nth = st.integers(-4, 8)
recent = st.sampled_from([0, 0, 0, 1, -1])
pauses = st.sampled_from(PAUSES)
# For each tab how long after the one before, in seconds, and whether its answer is lost.
tabs = st.lists(st.tuples(st.sampled_from([0, 0.5, 2, 3]), st.booleans()), min_size=2, max_size=3)
devices: Bundle[Device] = Bundle("devices")
open_devices = devices.filter(lambda device: device.session.is_open(timezone.now()))
while_one_is_open = precondition(
    lambda machine: any(pair.refresh.session.is_open(timezone.now()) for pair in machine.world.pairs)
)

# Ends would soon leave nothing to look at, so one machine goes without them, and some of them are rare in the other.
where_sessions_end = precondition(lambda machine: machine.sessions_end)
now_and_then = precondition(lambda machine: machine.sessions_end and machine.steps % 3 == 0)


def nth_of(device: Device, n: int) -> Pair:
    pairs = device.session.pairs
    return pairs[-1 - n % len(pairs)]


class Sessions(RuleBasedStateMachine):
    devices = devices
    sessions_end = False

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.people: dict[str, Person] = {}
        self.steps = 0
        create_user(username="root", email="root@example.com", password=PASSWORD, roles=["admin"], by=Actor())

    def teardown(self) -> None:
        try:
            # What failed before is the news; else all that was ever issued is looked at once more.
            if sys.exc_info()[0] is None:
                self.world.check(self.world.pairs)
                self.world.check_to_the_end()
        finally:
            self.world.end()

    @initialize(
        target=devices,
        grace=st.sampled_from([10, 10, 10, 0]),
        lifetime=st.sampled_from([89_000, 200_000]),
        delivery=st.sampled_from(["body", "cookie", "both"]),
        keep_successors=st.tuples(mostly, mostly),
    )
    def begin(self, grace: int, lifetime: int, delivery: str, keep_successors: tuple[bool, bool]) -> Any:
        self.grace, self.lifetime = timedelta(seconds=grace), timedelta(seconds=lifetime)
        self.world.set(REFRESH_TOKEN_GRACE=grace, SESSION_LIFETIME=lifetime, TOKEN_DELIVERY=delivery)
        return multiple(*(self.sign_in("ada", keeps_successors) for keeps_successors in keep_successors))

    @invariant()
    def a_sample_is_as_the_model_says(self) -> None:
        self.steps += 1
        if pairs := self.world.pairs:
            self.world.check([pairs[-1 - self.steps % len(pairs)]], via=VIAS[self.steps % len(VIAS)])

    def wait(self, device: Device, pause: float | None) -> None:
        last_moment = device.stored.expires - timedelta(seconds=0.5)
        if pause is not None:
            self.world.clock.shift(pause)
        elif last_moment > timezone.now():
            self.world.clock.move_to(last_moment)

    # Holding tokens, and using them

    @precondition(lambda self: sum(len(person.open_sessions(timezone.now())) for person in self.people.values()) < 3)
    @rule(target=devices, name=names, keeps_successors=mostly)
    def sign_in(self, name: str, keeps_successors: bool) -> Any:
        person = self.people.get(name) or self.sign_up(name)
        self.world.clock.shift(0.5)
        while any(session.may_look_alive(timezone.now()) for session in person.sessions):
            self.world.clock.shift(model.LAG)
        response = self.world.send("post", "/api/auth/signin", {"username": name, "password": person.password})
        assert seen(response) == (OPEN if person.active else WRONG_PASSWORD)
        if not person.active:
            return multiple()
        session = Session(person, timezone.now(), self.grace, self.lifetime)
        pair = self.world.take_down(session, response, to=None)
        person.add(session, timezone.now())
        session.id = self.id_in_the_list(session)
        return Device(session, pair.refresh, keeps_successors)

    def sign_up(self, name: str) -> Person:
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        assert seen(self.world.send("post", "/api/auth/signup", body)) == OPEN
        user_id = get_user_model().objects.get_by_natural_key(name).pk
        self.people[name] = Person(name, user_id, PASSWORD)
        return self.people[name]

    def id_in_the_list(self, session: Session) -> str:
        """The owner is shown this session, and all others that the model knows to be open."""
        shown = self.world.send("get", "/api/auth/sessions", access=session.pairs[0].access.raw).json()
        others = {other.id for other in session.person.open_sessions(timezone.now()) if other is not session}
        assert {row["id"] for row in shown if not row["current"]} == others
        return next(row["id"] for row in shown if row["current"])

    @while_one_is_open
    @rule(device=open_devices, pauses=st.lists(pauses, min_size=1, max_size=6), lost=nth, via=vias)
    def live_on(self, device: Device, pauses: list[float | None], lost: int, via: Via) -> None:
        """Refreshing now and then; one of the answers may be lost, and what was stored is presented again."""
        for number, pause in enumerate(pauses):
            self.wait(device, pause)
            if device.session.is_open(timezone.now()):
                self.refresh(device, via, is_lost=number == lost)

    def refresh(self, device: Device, via: Via = "header", is_lost: bool = False) -> None:
        pair = self.world.refresh(device, device.stored, via)
        if pair and device.keeps_successors and not is_lost:
            device.stored = pair.refresh

    @while_one_is_open
    @precondition(lambda self: self.grace)
    @rule(device=open_devices, pause=pauses, tabs=tabs, eager=st.integers(0, 6), last=nth)
    def refresh_in_several_tabs(
        self, device: Device, pause: float | None, tabs: list[tuple[float, bool]], eager: int, last: int
    ) -> None:
        """They read what is stored at one moment and send it within the grace; some answers are lost; and one tab may
        be so eager as to use its successor while the others are still on their way."""
        self.wait(device, pause)
        token, arrived = device.stored, []
        for number, (seconds, is_lost) in enumerate(tabs):
            self.world.clock.shift(seconds)
            pair = self.world.refresh(device, token)
            if pair and number == eager and device.keeps_successors:
                arrived.append(pair.refresh)
                pair = self.world.refresh(device, pair.refresh)
            if pair and not is_lost:
                arrived.append(pair.refresh)
        if arrived and device.keeps_successors:
            device.stored = arrived[last % len(arrived)]

    @while_one_is_open
    @rule(target=devices, device=open_devices, pause=pauses, which=nth, keeps_successors=mostly, via=vias)
    def replay(self, device: Device, pause: float | None, which: int, keeps_successors: bool, via: Via) -> Device:
        """Somebody presents a copy of a token, and goes on with it as owners do, in step with this one or out of it."""
        self.wait(device, pause)
        token = nth_of(device, which).refresh
        thief = Device(device.session, token, keeps_successors, is_honest=False)
        self.refresh(thief, via)
        return thief

    @while_one_is_open
    @rule(device=open_devices, pause=pauses, other=open_devices, act=st.sampled_from(OVERTAKING))
    def be_overtaken(self, device: Device, pause: float | None, other: Device, act: str) -> None:
        """Another request, or two, are carried out between a refresh's look at its session and what it writes there."""

        def overtake() -> None:
            for _ in range({"refresh": 1, "refresh twice": 2}.get(act, 0)):
                self.refresh(other)
            if act.startswith("sign out"):
                everywhere = act.endswith("everywhere")
                self.sign_out(other, 0, other, 0, {"access"} if everywhere else {"refresh"}, everywhere, "header")
            if act == "change the password":
                self.change_password(other, 0, is_right=True)

        self.wait(device, pause)
        # Without grace no honest client is so quick.
        device.is_honest = device.is_honest and (bool(self.grace) or act != "refresh twice")
        pair = self.world.refresh(device, device.stored, overtaken_by=overtake)
        if pair and device.keeps_successors:
            device.stored = pair.refresh

    # Ending sessions

    @where_sessions_end
    @while_one_is_open
    @rule(
        device=devices,
        which=nth,
        other=open_devices,
        others=nth,
        sends=st.sampled_from([{"access"}, {"refresh"}, {"access", "refresh"}, set()]),
        everywhere=st.sampled_from([False, True, "true"]),
        via=vias,
    )
    def sign_out(
        self, device: Device, which: int, other: Device, others: int, sends: set[str], everywhere: Any, via: Via
    ) -> None:
        """With an access token, a refresh token, one of each, or none; of whatever age and session."""
        access, refresh = nth_of(device, which).access, nth_of(other, others).refresh
        raw = {kind: token.raw for kind, token in (("access", access), ("refresh", refresh)) if kind in sends}
        response = self.world.send("post", "/api/auth/signout", {"everywhere": everywhere}, **raw, via=via)
        assert seen(response) == OPEN
        if "access" in sends:
            if everywhere and access.is_good(timezone.now()):
                access.session.person.end_all()
            access.session.over = True
        if "refresh" in sends:
            refresh.session.over = True

    @where_sessions_end
    @while_one_is_open
    @rule(device=open_devices, which=recent, is_right=mostly)
    def change_password(self, device: Device, which: int, is_right: bool) -> None:
        session, access = device.session, nth_of(device, which).access
        current, new = session.person.password if is_right else "not the password", f"{PASSWORD} {self.steps}"
        expected = access.answer(timezone.now())
        if expected == OPEN and not is_right:
            expected = WRONG_CURRENT_PASSWORD
        body = {"currentPassword": current, "newPassword": new}
        assert seen(self.world.send("post", "/api/auth/password", body, access=access.raw)) == expected
        if expected == OPEN:
            session.person.password = new
            session.person.end_all(keep=session)

    @where_sessions_end
    @while_one_is_open
    @rule(device=open_devices, which=recent, other=open_devices)
    def revoke_one(self, device: Device, which: int, other: Device) -> None:
        """From the list of one's own sessions."""
        access, chosen, now = nth_of(device, which).access, other.session, timezone.now()
        expected = {access.answer(now)}
        if expected == {OPEN}:
            is_mine = chosen.person is access.session.person
            expected = {OPEN} if is_mine and chosen.is_open(now) else {NO_SESSION}
            expected |= {OPEN} if is_mine and chosen.may_look_alive(now) else set()
        response = self.world.send("delete", f"/api/auth/sessions/{chosen.id}", access=access.raw)
        assert seen(response) in expected
        chosen.over = chosen.over or seen(response) == OPEN

    @now_and_then
    @precondition(lambda self: self.people)
    @rule(name=names, acts=st.lists(st.sampled_from(sorted(ADMINS_ACTS)), min_size=1, max_size=3))
    def administrate(self, name: str, acts: list[str]) -> None:
        for act in acts:
            self.act_on(name, act)

    def act_on(self, name: str, act: str) -> None:
        if person := self.people.get(name):
            # Of two sessions that are opened at one moment either may be the oldest.
            self.world.clock.shift(0.5)
            root = self.world.send("post", "/api/auth/signin", {"username": "root", "password": PASSWORD})
            method, rest, body = ADMINS_ACTS[act]
            path = f"/api/users/{person.id}{rest}"
            assert seen(self.world.send(method, path, body, access=tokens_in(root)[0])) == OPEN
            person.active = {"deactivate": False, "activate": True}.get(act, person.active)
            if act != "activate":
                person.end_all()

    @now_and_then
    @while_one_is_open
    @rule(device=open_devices, which=recent)
    def delete_account(self, device: Device, which: int) -> None:
        person, access = device.session.person, nth_of(device, which).access
        expected = access.answer(timezone.now())
        body = {"password": person.password}
        assert seen(self.world.send("post", "/api/auth/me/delete", body, access=access.raw)) == expected
        if expected == OPEN:
            person.end_all()
            del self.people[person.name]


class SessionsThatEnd(Sessions):
    sessions_end = True


@pytest.mark.django_db
@pytest.mark.usefixtures("without_limits")
@pytest.mark.parametrize("machine", [Sessions, SessionsThatEnd])
def test_the_server_and_the_model_agree_whatever_happens_in_whatever_order(machine: type[Sessions]) -> None:
    profile = settings()
    # Each takes more than a second.
    examples = profile.max_examples // 14
    run_state_machine_as_test(
        machine,
        settings=settings(
            profile, max_examples=examples, stateful_step_count=40, suppress_health_check=list(HealthCheck)
        ),
    )
