"""Passwords are worked on a few at a time; the rest waits in a line, and is told when to come back."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event, Thread, current_thread
from time import sleep
from typing import Any

import httpx
import pytest
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import turns
from accounts.errors import TooBusy
from accounts.models import Counter as Tally
from accounts.models import User
from accounts.services import signing
from accounts.turns import Turns, turn
from tests.conftest import PASSWORD
from tests.live import Server

SIGN_IN = {"username": "alice", "password": PASSWORD}
BUSY = {"message": "The server is busy. Please try again in 2 seconds."}


class Holder(Thread):
    """Another request, which has its turn until it is told to end it."""

    def __init__(self, own: Any) -> None:
        super().__init__(daemon=True)
        self.own, self.has_settled, self.has_begun, self.may_end = own, Event(), Event(), Event()

    def run(self) -> None:
        with self.own():
            self.has_begun.set()
            self.has_settled.set()
            self.may_end.wait(30)


def take_a_turn() -> None:
    with turn():
        pass


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], Holder]]:
    """Begins a turn, or stands in line for one, when it returns."""
    holders: list[Holder] = []

    @contextmanager
    def in_line() -> Iterator[None]:
        if isinstance(each := current_thread(), Holder):
            each.has_settled.set()
        yield

    def hold(own: Any) -> Holder:
        holders.append(Holder(own))
        holders[-1].start()
        assert holders[-1].has_settled.wait(30)
        return holders[-1]

    monkeypatch.setattr(turns, "in_line", in_line)
    yield hold
    for holder in holders:
        holder.may_end.set()
        holder.join()


# --- the line


def test_no_more_are_worked_on_at_once_than_may_be() -> None:
    line, begun, most = Turns(at_once=3, waiting=20), [0], [0]

    def work(_: int) -> None:
        with line.one():
            begun[0] += 1
            most[0] = max(most[0], begun[0])
            sleep(0.002)
            begun[0] -= 1

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(100)))
    assert most == [3]


def test_those_who_come_first_all_at_once_stand_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Turns] = []

    def slowly(**numbers: int) -> Turns:
        sleep(0.05)
        lines.append(Turns(**numbers))
        return lines[-1]

    def come(_: int) -> None:
        with turn():
            pass

    turns._turns.cache_clear()
    monkeypatch.setattr(turns, "Turns", slowly)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come, range(8)))
    turns._turns.cache_clear()
    assert len(lines) == 1


def test_who_finds_the_line_full_is_told_to_come_back(hold: Callable[[Any], Holder]) -> None:
    line = Turns(at_once=1, waiting=1)
    hold(line.one)
    hold(line.one)
    with pytest.raises(TooBusy), line.one():
        pass


def test_who_waits_gets_the_next_turn(hold: Callable[[Any], Holder]) -> None:
    line = Turns(at_once=1, waiting=1)
    first, second = hold(line.one), hold(line.one)
    assert not second.has_begun.is_set()
    first.may_end.set()
    assert second.has_begun.wait(10)


def test_who_has_waited_too_long_is_told_to_come_back_and_leaves_the_line(
    hold: Callable[[Any], Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)
    line = Turns(at_once=1, waiting=1)
    first = hold(line.one)
    for _ in range(2):
        with pytest.raises(TooBusy), line.one():
            pass
    first.may_end.set()
    first.join()
    with line.one():
        pass


def test_a_turn_holds_further_ones_of_the_same_thread() -> None:
    line = Turns(at_once=1, waiting=0)
    with line.one(), line.one():
        pass
    with line.one():
        pass


def test_a_turn_ends_when_its_work_fails() -> None:
    line = Turns(at_once=1, waiting=0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), line.one():
            1 / 0  # noqa: B018


def test_an_eighth_of_the_threads_never_waits_in_line(hold: Callable[[Any], Holder], settings: Settings) -> None:
    settings.PASSWORDS_AT_ONCE, settings.THREADS = 2, 8
    for _ in range(7):
        hold(turn)
    with pytest.raises(TooBusy), turn():
        pass


# --- the doors


@pytest.fixture
def busy(hold: Callable[[Any], Holder], settings: Settings) -> None:
    """A server that works on a password, and has no thread to spare for who would wait."""
    settings.PASSWORDS_AT_ONCE = settings.THREADS = 1
    hold(turn)


@pytest.fixture
def alice(make_user: Callable[..., User]) -> User:
    return make_user("alice", "user", "admin")


@pytest.fixture
def everywhere(alice: User, signed_in_as: Callable[..., APIClient]) -> APIClient:
    """A client of an admin, signed in before the server became busy."""
    return signed_in_as("admin")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/signin", SIGN_IN),
        ("/api/auth/signin", {**SIGN_IN, "username": "nobody"}),
        ("/api/auth/signup", {"username": "bob", "email": "bob@example.com", "password": PASSWORD}),
        ("/api/auth/password", {"currentPassword": PASSWORD, "newPassword": "another horse battery"}),
        ("/api/auth/me/delete", {"password": PASSWORD}),
        ("/api/users", {"username": "bob", "email": "bob@example.com", "password": PASSWORD}),
    ],
)
def test_a_busy_server_answers_503_and_when_to_come_back(
    everywhere: APIClient, request: pytest.FixtureRequest, path: str, body: dict[str, str]
) -> None:
    before = User.objects.count()
    request.getfixturevalue("busy")
    answer = everywhere.post(path, body)
    assert (answer.status_code, answer.json(), answer["Retry-After"]) == (503, BUSY, "2")
    assert User.objects.count() == before


def test_who_was_told_to_come_back_has_used_up_no_try(
    api: APIClient, alice: User, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("busy")
    assert api.post("/api/auth/signin", {**SIGN_IN, "password": "wrong"}).status_code == 503
    assert not Tally.objects.exists()


def test_a_busy_server_answers_what_needs_no_password(everywhere: APIClient, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("busy")
    assert everywhere.get("/api/test/admin").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("password", "then"), [(PASSWORD, "_open_session"), ("wrong", "record")])
def test_the_turn_is_over_when_the_password_is_checked_and_not_when_the_database_knows(
    api: APIClient, alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, password: str, then: str
) -> None:
    settings.THREADS = settings.PASSWORDS_AT_ONCE = 1
    met: list[type] = []

    def and_meanwhile_somebody_else_asks_for_a_turn(name: str) -> None:
        real = getattr(signing, name)

        def work(*args: Any, **kwargs: Any) -> Any:
            with ThreadPoolExecutor(1) as other:
                error = other.submit(take_a_turn).exception()
            met.append(type(error))
            return real(*args, **kwargs)

        monkeypatch.setattr(signing, name, work)

    and_meanwhile_somebody_else_asks_for_a_turn("may_sign_in")
    and_meanwhile_somebody_else_asks_for_a_turn(then)
    api.post("/api/auth/signin", {"username": "alice", "password": password})
    assert met == [TooBusy, type(None)]


def test_the_admins_sign_in_says_when_to_come_back(alice: User, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("busy")
    answer = Client().post("/admin/login/", SIGN_IN)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert BUSY["message"] in answer.content.decode()


def test_the_admins_other_pages_say_when_to_come_back(alice: User, request: pytest.FixtureRequest) -> None:
    admin = Client()
    admin.post("/admin/login/", SIGN_IN)
    request.getfixturevalue("busy")
    new = {"password1": "another horse battery", "password2": "another horse battery", "set-password": "1"}
    answer = admin.post(f"/admin/accounts/user/{alice.pk}/password/", new, follow=True)
    assert BUSY["message"] in answer.content.decode()
    assert User.objects.get(pk=alice.pk).password == alice.password


def test_ones_own_password_in_the_admin_is_changed_in_one_turn(alice: User, request: pytest.FixtureRequest) -> None:
    admin = Client()
    admin.post("/admin/login/", SIGN_IN)
    request.getfixturevalue("busy")
    answer = admin.post("/admin/password_change/", {"old_password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


def test_a_user_is_added_in_the_admin_without_waiting_in_a_transaction(
    alice: User, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = Client()
    admin.post("/admin/login/", SIGN_IN)
    request.getfixturevalue("busy")
    monkeypatch.setattr(UserAdmin, "add_view", lambda *_: pytest.fail("It has begun."))
    answer = admin.post("/admin/accounts/user/add/", {"username": "bob"})
    assert answer.status_code == 302


def test_who_has_to_wait_for_having_guessed_takes_up_no_place_in_the_line(
    api: APIClient, alice: User, request: pytest.FixtureRequest
) -> None:
    wrong = {**SIGN_IN, "password": "wrong"}
    assert [api.post("/api/auth/signin", wrong).status_code for _ in range(11)][-1] == 429
    request.getfixturevalue("busy")
    assert api.post("/api/auth/signin", wrong).status_code == 429


def test_a_503_is_no_error_in_the_log(
    api: APIClient, alice: User, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    request.getfixturevalue("busy")
    api.post("/api/auth/signin", SIGN_IN)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("work", [make_password, lambda text: check_password(text, "argon2$x")], ids=["make", "check"])
def test_no_hash_is_worked_on_without_a_turn(work: Callable[[str], Any]) -> None:
    with pytest.raises(TooBusy):
        work(PASSWORD)


# --- a crowd


def test_of_100_sign_ins_at_once_each_is_let_in_or_told_to_come_back(start_server: Callable[..., Server]) -> None:
    server = start_server(WORKERS="1", THREADS="8", PASSWORDS_AT_ONCE="1", GUESS_RATE="1000/s")
    server.manage("create_user", "alice", "alice@example.com", stdin=PASSWORD)
    start = Barrier(100)

    def sign_in(http: httpx.Client) -> tuple[int, str | None]:
        start.wait()
        answer = http.post("/api/auth/signin", json=SIGN_IN)
        return answer.status_code, answer.headers.get("Retry-After")

    with server.client(limits=httpx.Limits(max_connections=100)) as http, ThreadPoolExecutor(100) as pool:
        answers = Counter(pool.map(sign_in, [http] * 100))
    assert set(answers) == {(200, None), (503, "2")}
    assert answers[200, None] >= 6
