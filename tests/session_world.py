"""The real server in a world of its own: a database that is rolled back, a clock that stands still, and a client that
sends tokens in every way there is. What it answers is compared with tests/session_model.py."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import time_machine
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from tests import session_model as model
from tests.session_model import OPEN, Answer, Meaning, Pair, RefreshToken, Session

SETTINGS: dict[str, Any] = {
    "ACCESS_TOKEN_LIFETIME": int(model.ACCESS_LIFETIME.total_seconds()),
    "REFRESH_TOKEN_LIFETIME": int(model.REFRESH_LIFETIME.total_seconds()),
    "SESSIONS_PER_USER": model.SESSIONS_PER_USER,
    # Counted, and never reached.
    "REFRESH_RATE": (10**6, 1),
}
BEGIN = datetime(2026, 1, 1, 12, 0, 0, 600_000, UTC)
Via = Literal["header", "bearer", "cookie"]
VIAS: tuple[Via, ...] = get_args(Via)


@dataclass(eq=False)
class Device:
    """Who holds a refresh token: the owner's client, or a thief's."""

    session: Session
    stored: RefreshToken
    # The published clients keep the token of the sign-in for ever; others store each successor.
    keeps_successors: bool
    is_honest: bool = True


class World:
    def __init__(self) -> None:
        self.stack = ExitStack()
        self.stack.enter_context(_rolled_back())
        self.clock = self.stack.enter_context(time_machine.travel(BEGIN, tick=False))
        self.api = APIClient()
        self.api.default_format = "json"
        # All that were ever issued, the lost ones too.
        self.pairs: list[Pair] = []
        self.set(**SETTINGS)

    def set(self, **settings: Any) -> None:
        self.stack.enter_context(override_settings(**settings))

    def end(self) -> None:
        self.stack.close()

    def send(
        self, method: str, path: str, body: Any = None, *, access: str = "", refresh: str = "", via: Via = "header"
    ) -> Any:
        """`via` is how the access token goes; the refresh token goes along in the cookie, or else in the body."""
        self.api.cookies.clear()
        headers = {"x-access-token": access} if via == "header" else {"authorization": f"Bearer {access}"}
        if via == "cookie":
            headers = {"cookie": f"access_token={access}; refresh_token={refresh}"}
        elif refresh:
            body = {**(body or {}), "refreshToken": refresh}
        return getattr(self.api, method)(path, body, headers=headers)

    def refresh(
        self, device: Device, token: RefreshToken, via: Via = "header", overtaken_by: Callable[[], None] | None = None
    ) -> Pair | None:
        """The device presents the token: the answer is as the model says. None if there was no new pair in it."""
        session, now = token.session, timezone.now()
        session.disturbed = session.disturbed or not device.is_honest
        must_end = session.must_end(token, now)
        with _before_the_first_write(overtaken_by):
            response = self.send("post", "/api/auth/refreshtoken", refresh=token.raw, via=via)
        # Each is counted, so each writes, and is judged once more after whatever overtook it.
        meaning = session.meaning(token, now)
        session.carry_out(meaning, token, now)
        assert seen(response) == meaning.answer
        assert session.disturbed or meaning is not Meaning.STOLEN, "poison for an honest client"
        assert session.over or not must_end, "a copy went unnoticed"
        if meaning is Meaning.STOLEN:
            self.check(session.pairs)
        return self.take_down(session, response, to=token) if meaning.answer == OPEN else None

    def take_down(self, session: Session, response: Any, *, to: RefreshToken | None) -> Pair:
        self.pairs.append(session.issued(*tokens_in(response), timezone.now(), to=to))
        return self.pairs[-1]

    def check(self, pairs: Iterable[Pair], via: Via = "header") -> None:
        """Each token is as good or as bad as the model says; nothing changes by that."""
        now = timezone.now()
        for pair in pairs:
            board = self.send("get", "/api/test/user", access=pair.access.raw, via=via)
            assert seen(board) == pair.access.answer(now)
            with _rolled_back():
                response = self.send("post", "/api/auth/refreshtoken", refresh=pair.refresh.raw, via=via)
            assert seen(response) == pair.refresh.session.meaning(pair.refresh, now).answer

    def check_to_the_end(self) -> None:
        """The newest tokens of each open session at their last moments, and at the first ones without them."""
        newest = list({id(pair.refresh.session): pair for pair in self.pairs if not pair.refresh.session.over}.values())
        ends = {token.expires for pair in newest for token in (pair.access, pair.refresh)}
        for moment in sorted(end - before for end in ends for before in (timedelta(seconds=0.5), timedelta(0))):
            if moment > timezone.now():
                self.clock.move_to(moment)
                self.check(newest)


def seen(response: Any) -> Answer:
    """Status and message; what is said to who is let in is another test's business."""
    is_granted = response.status_code in {200, 201, 204}
    return OPEN if is_granted else (response.status_code, response.json()["message"])


def tokens_in(response: Any) -> tuple[str, str]:
    """The access and the refresh token, from the body or from the cookies."""
    body, cookies = response.json(), response.cookies
    if "accessToken" in body:
        return body["accessToken"], body["refreshToken"]
    return cookies["access_token"].value, cookies["refresh_token"].value


@contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def _before_the_first_write(act: Callable[[], None] | None) -> Iterator[None]:
    """Carries out `act` after a request has looked at its session and before it writes there; if it writes nothing,
    afterwards."""
    waiting = [act] if act else []

    def write(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if waiting and sql.startswith("UPDATE") and "accounts_session" in sql:
            waiting.pop()()
        return execute(sql, *args)

    with connection.execute_wrapper(write):
        yield
    if waiting:
        waiting.pop()()
