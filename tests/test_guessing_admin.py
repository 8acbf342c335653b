"""The Django admin's sign-in is the same door as the API's: one counts what the other was asked."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session as AdminSession
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from tests.conftest import PASSWORD
from tests.test_admin import errors, is_in, page

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
Answer = Any  # django-stubs has no public name for what its test client gives
Clock = time_machine.Traveller

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.2"
NEW_PASSWORD = "staple battery horse"
WAIT_A_SECOND = "Too many attempts. Please try again in 1 second."
WRONG = (
    "Please enter the correct username and password for a staff account. Note that both fields may be case-sensitive."
)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def boss(make_user: MakeUser) -> User:
    return make_user("boss", "admin")


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


def enter(browser: Client, username: str = "boss", password: str = "wrong", address: str = HOME) -> Answer:
    return browser.post("/admin/login/", {"username": username, "password": password}, REMOTE_ADDR=address)


def told(answer: Answer) -> str:
    """What the page says above the sign-in form."""
    note = re.search(r'<p class="errornote">(.*?)</p>', page(answer), re.DOTALL)
    return note[1].strip() if note else ""


def sign_in(api: APIClient, username: str = "boss", password: str = "wrong") -> int:
    return api.post("/api/auth/signin", {"username": username, "password": password}, REMOTE_ADDR=HOME).status_code


@pytest.mark.usefixtures("boss")
def test_after_ten_wrong_passwords_the_page_says_how_long_to_wait(browser: Client) -> None:
    answers = [enter(browser) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert (told(answers[9])[: len(WRONG)], told(answers[10])) == (WRONG, WAIT_A_SECOND)
    assert (answers[10]["Retry-After"], "<form" in page(answers[10])) == ("1", True)


@pytest.mark.usefixtures("boss")
def test_the_page_itself_can_be_seen_while_one_has_to_wait(browser: Client) -> None:
    for _ in range(11):
        enter(browser)
    assert browser.get("/admin/login/", REMOTE_ADDR=HOME).status_code == 200


@pytest.mark.usefixtures("boss")
def test_the_right_password_has_to_wait_too_and_opens_no_session(browser: Client) -> None:
    for _ in range(10):
        enter(browser)
    assert (enter(browser, password=PASSWORD).status_code, is_in(browser)) == (429, False)
    assert not AdminSession.objects.exists()


@pytest.mark.usefixtures("boss")
def test_after_the_wait_the_right_password_opens_the_admin(browser: Client, clock: Clock) -> None:
    for _ in range(11):
        enter(browser)
    clock.shift(1)
    assert (enter(browser, password=PASSWORD).status_code, is_in(browser)) == (302, True)


@pytest.mark.usefixtures("boss")
def test_what_was_tried_at_the_api_counts_here(browser: Client, api: APIClient) -> None:
    assert [sign_in(api) for _ in range(10)] == [401] * 10
    assert enter(browser).status_code == 429


@pytest.mark.usefixtures("boss")
def test_what_was_tried_here_counts_at_the_api(browser: Client, api: APIClient) -> None:
    assert [enter(browser).status_code for _ in range(10)] == [200] * 10
    assert sign_in(api) == 429


@pytest.mark.usefixtures("boss")
def test_a_right_password_here_clears_what_was_tried_at_the_api(browser: Client, api: APIClient) -> None:
    assert [sign_in(api) for _ in range(9)] == [401] * 9
    enter(browser, password=PASSWORD)
    assert [sign_in(api) for _ in range(11)] == [401] * 10 + [429]


def test_the_right_password_of_who_is_no_admin_counts_as_a_wrong_one(
    browser: Client, api: APIClient, make_user: MakeUser
) -> None:
    make_user("alice")
    answers = [enter(browser, "alice", PASSWORD) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert told(answers[0]).startswith(WRONG)
    assert sign_in(api, "alice", PASSWORD) == 429


def test_names_that_do_not_exist_and_who_is_no_admin_are_answered_as_an_admin_is(
    browser: Client, make_user: MakeUser, boss: User
) -> None:
    make_user("alice")
    seen = {
        name: [(answer.status_code, told(answer), answer.get("Retry-After")) for answer in answers]
        for name in ("boss", "alice", "nobody")
        for answers in [[enter(browser, name) for _ in range(12)]]
    }
    assert seen["boss"] == seen["alice"] == seen["nobody"]


@pytest.mark.usefixtures("boss")
def test_an_admin_who_signed_in_here_before_is_not_kept_out_from_elsewhere(browser: Client, settings: Settings) -> None:
    settings.GUESS_RATE_ADDRESS = settings.GUESS_RATE_ACCOUNT = (3, 3600)
    enter(browser, password=PASSWORD)
    stranger = Client(raise_request_exception=False)
    assert [enter(stranger, address=ELSEWHERE).status_code for _ in range(4)] == [200] * 3 + [429]
    assert enter(stranger, password=PASSWORD).status_code == 302


def test_a_try_that_has_to_wait_leaves_no_entry_in_the_audit_trail(browser: Client, boss: User) -> None:
    for _ in range(15):
        enter(browser)
    assert AuditEntry.objects.filter(action="sign_in_failed", subject_id=boss.pk).count() == 10


# --- what a browser can send


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(b"username=%ED%A0%80&password=%ED%BF%BF", id="lone surrogates"),
        pytest.param(b"username=%00boss&password=%00", id="NUL"),
        pytest.param(b"username=boss%00&password=" + b"x" * 100_000, id="a long password"),
        pytest.param(b"username=" + b"x" * 100_000 + b"&password=wrong", id="a long name"),
        pytest.param(b"username=%FF%FE&password=%FF", id="no UTF-8"),
        pytest.param(b"username=&password=", id="nothing"),
        pytest.param("username=ﷺ&password=ﷺ".encode(), id="grows in NFKC"),
    ],
)
def test_no_form_breaks_the_page(browser: Client, form: bytes) -> None:
    answers = [
        browser.post("/admin/login/", form, content_type="application/x-www-form-urlencoded", REMOTE_ADDR=HOME)
        for _ in range(11)
    ]
    assert {answer.status_code for answer in answers[:10]} == {200}
    assert answers[10].status_code in {200, 429}


@pytest.mark.usefixtures("boss")
@pytest.mark.parametrize("address", ["", "unix:/run/proxy.sock", "fe80::1%eth0", "::ffff:192.0.2.1"])
def test_whatever_the_address_is_ten_are_checked(browser: Client, address: str) -> None:
    assert [enter(browser, address=address).status_code for _ in range(11)] == [200] * 10 + [429]


# --- one's own password


@pytest.fixture
def change(browser: Client, boss: User) -> Callable[[str], Answer]:
    """Sends the form for one's own password, with this as the old one."""
    enter(browser, password=PASSWORD)

    def change(old: str) -> Answer:
        form = {"old_password": old, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        return browser.post("/admin/password_change/", form, REMOTE_ADDR=HOME)

    return change


def test_wrong_old_passwords_are_counted(change: Callable[[str], Answer]) -> None:
    answers = [change("wrong") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert (errors(answers[9]), errors(answers[10])) == (["The current password is not right."], [WAIT_A_SECOND])
    assert answers[10]["Retry-After"] == "1"


def test_the_right_old_password_has_to_wait_too_and_changes_nothing(
    change: Callable[[str], Answer], boss: User
) -> None:
    for _ in range(10):
        change("wrong")
    assert change(PASSWORD).status_code == 429
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)


def test_after_the_wait_the_right_old_password_lets_it_be_changed(
    change: Callable[[str], Answer], boss: User, clock: Clock
) -> None:
    for _ in range(11):
        change("wrong")
    clock.shift(1)
    assert change(PASSWORD).status_code == 302
    boss.refresh_from_db()
    assert boss.check_password(NEW_PASSWORD)


def test_the_form_shares_its_count_with_the_api(change: Callable[[str], Answer], api: APIClient) -> None:
    for _ in range(10):
        change("wrong")
    body = {"username": "boss", "password": PASSWORD}
    access = api.post("/api/auth/signin", body, REMOTE_ADDR=HOME).json()["accessToken"]
    body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    answer = api.post("/api/auth/password", body, headers={"x-access-token": access}, REMOTE_ADDR=HOME)
    assert answer.status_code == 429
