"""Guessing is limited: who has to wait, for how long, and who has not. The clock stands still; tests move it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import throttling
from accounts.models import Counter, Session, User
from accounts.services import checking
from tests import live
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
Answer = Any  # django-stubs has no public name for what its test client gives
Clock = time_machine.Traveller
Try = Callable[..., Answer]

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.2"
HOUR, DAY = 3600, 86_400
CHECKED, WAITS, RIGHT = 401, 429, 200


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def alice(make_user: MakeUser) -> User:
    return make_user("alice")


@pytest.fixture
def try_(api: APIClient) -> Try:
    """A sign-in with a wrong password, unless it is said to be the right one."""

    def try_(username: str = "alice", password: str = "wrong", address: str = HOME, **headers: str) -> Answer:
        body = {"username": username, "password": password}
        return api.post("/api/auth/signin", body, REMOTE_ADDR=address, headers=headers)

    return try_


@pytest.fixture
def statuses(try_: Try) -> Callable[..., list[int]]:
    """What so many tries were answered."""

    def statuses(number: int, *arguments: str, **named: str) -> list[int]:
        return [try_(*arguments, **named).status_code for _ in range(number)]

    return statuses


Statuses = Callable[..., list[int]]


def seen(answer: Answer) -> tuple[int, Any, str | None]:
    """All that tells one refusal from another."""
    return answer.status_code, answer.json(), answer.get("Retry-After")


# --- one account from one address


@pytest.mark.usefixtures("alice")
def test_ten_wrong_passwords_are_checked_and_then_one_has_to_wait(statuses: Statuses) -> None:
    assert statuses(13) == [CHECKED] * 10 + [WAITS] * 3


@pytest.mark.usefixtures("alice")
def test_who_has_to_wait_is_told_for_how_long(try_: Try, statuses: Statuses) -> None:
    statuses(10)
    message = "Too many attempts. Please try again in 1 second."
    assert seen(try_()) == (WAITS, {"message": message}, "1")


@pytest.mark.usefixtures("alice")
def test_after_the_wait_one_is_checked_and_the_next_waits_twice_as_long(
    try_: Try, statuses: Statuses, clock: Clock, settings: Settings
) -> None:
    settings.GUESS_RATE = (10, 1000 * DAY)  # so that nothing wears off meanwhile
    statuses(10)
    waits = []
    for _ in range(12):
        waits.append(int(try_()["Retry-After"]))
        clock.shift(waits[-1])
        assert try_().status_code == CHECKED
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


@pytest.mark.usefixtures("alice")
def test_a_moment_before_the_wait_is_over_it_is_not_over(try_: Try, statuses: Statuses, clock: Clock) -> None:
    statuses(10)
    clock.shift(0.9)
    assert try_().status_code == WAITS


@pytest.mark.usefixtures("alice")
def test_tries_that_have_to_wait_do_not_lengthen_the_wait(statuses: Statuses, clock: Clock) -> None:
    statuses(50)
    clock.shift(1)
    assert statuses(1) == [CHECKED]


@pytest.mark.usefixtures("alice")
def test_one_wrong_password_is_forgotten_every_six_minutes(statuses: Statuses, clock: Clock) -> None:
    statuses(10)
    clock.shift(HOUR / 2)
    assert statuses(6) == [CHECKED] * 5 + [WAITS]


@pytest.mark.usefixtures("alice")
def test_the_right_password_has_to_wait_as_a_wrong_one_has(try_: Try, statuses: Statuses) -> None:
    statuses(10)
    assert seen(try_(password=PASSWORD)) == seen(try_())
    assert not Session.objects.exists()


@pytest.mark.usefixtures("alice")
def test_while_one_has_to_wait_no_password_is_looked_at(
    try_: Try, statuses: Statuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses(10)
    looked_at: list[str] = []
    monkeypatch.setattr(checking, "verify_password", lambda password, _: looked_at.append(password))
    try_(password=PASSWORD)
    assert looked_at == []


@pytest.mark.usefixtures("alice")
def test_after_the_wait_the_right_password_is_right_and_the_wrong_ones_are_forgotten(
    try_: Try, statuses: Statuses, clock: Clock
) -> None:
    statuses(10)
    clock.shift(1)
    assert try_(password=PASSWORD).status_code == RIGHT
    assert statuses(11) == [CHECKED] * 10 + [WAITS]


@pytest.mark.usefixtures("alice")
def test_right_passwords_do_not_count(statuses: Statuses) -> None:
    assert statuses(30, password=PASSWORD) == [RIGHT] * 30


def test_elsewhere_the_same_account_need_not_wait(alice: User, statuses: Statuses) -> None:
    statuses(11)
    assert statuses(1, alice.username, address=ELSEWHERE) == [CHECKED]


def test_another_account_from_the_same_address_need_not_wait(make_user: MakeUser, statuses: Statuses) -> None:
    make_user("bob")
    statuses(11, "alice")
    assert statuses(1, "bob") == [CHECKED]


# --- no oracle


def test_names_that_exist_are_inactive_or_do_not_exist_are_answered_alike(
    make_user: MakeUser, try_: Try, clock: Clock
) -> None:
    make_user("active")
    make_user("inactive", is_active=False)
    answers: dict[str, list[object]] = {"active": [], "inactive": [], "unknown": []}
    for step in range(16):
        for name, seen_of_it in answers.items():
            seen_of_it.append(seen(try_(name)))
        if step > 12:
            clock.shift(3)
    assert answers["active"] == answers["inactive"] == answers["unknown"]


def test_an_inactive_account_is_not_told_by_its_right_password(make_user: MakeUser, statuses: Statuses) -> None:
    make_user("inactive", is_active=False)
    assert statuses(11, "inactive", PASSWORD) == [CHECKED] * 10 + [WAITS]


def test_unknown_names_are_counted_too_where_they_are_revealed(statuses: Statuses, settings: Settings) -> None:
    settings.REVEAL_UNKNOWN_USERNAME = True
    assert statuses(11, "nobody") == [404] * 10 + [WAITS]


@pytest.mark.usefixtures("alice")
def test_other_spellings_of_a_name_are_the_same_name(try_: Try) -> None:
    spellings = [
        "alice",
        "ALICE",
        "aLiCe",
        "  alice",
        "alice\t",
        "ａｌｉｃｅ",
        "ＡＬＩＣＥ ",
        "Alice",
        "\u3000alice",
        "ALice",
    ]
    assert [try_(spelling).status_code for spelling in spellings] == [CHECKED] * 10
    assert try_("alicE").status_code == WAITS


def test_no_name_is_kept_by_the_counters(statuses: Statuses) -> None:
    statuses(1, "typed-the-password-here")
    assert "typed" not in json.dumps(list(Counter.objects.values()), default=str)


def test_without_the_secret_key_nobody_can_look_up_a_name_in_the_counters(
    statuses: Statuses, settings: Settings
) -> None:
    statuses(1)
    keys = set(Counter.objects.values_list("key", flat=True))
    settings.SECRET_KEY = settings.SECRET_KEY[::-1]
    statuses(1)
    assert (len(keys), Counter.objects.exclude(key__in=keys).count()) == (3, 3)


# --- the wider counts


def test_of_many_accounts_from_one_address_a_hundred_wrong_ones_are_checked(try_: Try) -> None:
    assert [try_(f"name{number}").status_code for number in range(102)] == [CHECKED] * 100 + [WAITS] * 2
    assert try_("name0", address=ELSEWHERE).status_code == CHECKED


@pytest.mark.usefixtures("alice")
def test_of_one_account_from_many_addresses_a_hundred_wrong_ones_are_checked(try_: Try, settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    forwarded = [{"x-forwarded-for": f"203.0.113.{number}"} for number in range(102)]
    assert [try_(**header).status_code for header in forwarded] == [CHECKED] * 100 + [WAITS] * 2
    assert try_("bob", **forwarded[0]).status_code == CHECKED


@pytest.mark.usefixtures("alice")
def test_an_invented_x_forwarded_for_makes_no_other_address(try_: Try) -> None:
    forged = [{"x-forwarded-for": f"203.0.113.{number}"} for number in range(11)]
    assert [try_(**header).status_code for header in forged] == [CHECKED] * 10 + [WAITS]


def test_of_several_waits_the_longest_is_told(try_: Try, settings: Settings, clock: Clock) -> None:
    settings.GUESS_RATE_ADDRESS = settings.GUESS_RATE_ACCOUNT = (1, HOUR)
    try_("alice", address=ELSEWHERE)
    try_("bob", address=HOME)
    clock.shift(1)
    try_("alice", address="203.0.113.1")  # her account waits 2 seconds now, this address 1
    try_("carol", address=HOME)  # and this address 2, her account 1
    assert try_("alice", address="203.0.113.1")["Retry-After"] == "2"
    assert try_("carol", address=HOME)["Retry-After"] == "2"


def test_a_try_that_has_to_wait_counts_nowhere(statuses: Statuses, settings: Settings) -> None:
    """Else who is slowed down would use up the account's other addresses, and the address's other accounts."""
    settings.GUESS_RATE_ADDRESS = settings.GUESS_RATE_ACCOUNT = (11, HOUR)
    statuses(50)
    assert statuses(1, "bob") + statuses(1, "alice", address=ELSEWHERE) == [CHECKED] * 2


# --- the owner is not locked out


@pytest.fixture
def attacked(settings: Settings, try_: Try) -> Callable[[], None]:
    """Uses up the account's count, from elsewhere, and that of the owner's address, with other names."""

    def attack() -> None:
        settings.GUESS_RATE_ADDRESS = settings.GUESS_RATE_ACCOUNT = (5, HOUR)
        for number in range(6):
            try_("alice", address=f"203.0.113.{number}")
            try_(f"name{number}", address=HOME)

    return attack


@pytest.mark.usefixtures("alice")
def test_where_the_owner_has_signed_in_before_an_attack_from_elsewhere_does_not_keep_them_out(
    try_: Try, attacked: Callable[[], None]
) -> None:
    try_(password=PASSWORD)
    attacked()
    assert try_(password=PASSWORD).status_code == RIGHT
    assert (try_(address=ELSEWHERE).status_code, try_("bob").status_code) == (WAITS, WAITS)


@pytest.mark.usefixtures("alice")
def test_where_the_owner_has_signed_in_before_they_may_mistype_during_an_attack(
    try_: Try, statuses: Statuses, attacked: Callable[[], None]
) -> None:
    try_(password=PASSWORD)
    attacked()
    assert statuses(11) == [CHECKED] * 10 + [WAITS]


@pytest.mark.parametrize(("days", "status"), [(29, RIGHT), (31, WAITS)])
@pytest.mark.usefixtures("alice")
def test_an_address_is_known_as_the_owners_for_thirty_days(
    try_: Try, attacked: Callable[[], None], clock: Clock, days: int, status: int
) -> None:
    try_(password=PASSWORD)
    clock.shift(days * DAY)
    attacked()
    assert try_(password=PASSWORD).status_code == status


@pytest.mark.usefixtures("alice")
def test_each_sign_in_makes_the_address_known_anew(try_: Try, attacked: Callable[[], None], clock: Clock) -> None:
    for _ in range(3):
        try_(password=PASSWORD)
        clock.shift(20 * DAY)
    attacked()
    assert try_(password=PASSWORD).status_code == RIGHT


@pytest.mark.usefixtures("alice")
def test_who_is_known_at_an_address_makes_nobody_else_known_there(
    try_: Try, make_user: MakeUser, attacked: Callable[[], None]
) -> None:
    make_user("bob")
    try_(password=PASSWORD)
    attacked()
    assert try_("bob", PASSWORD).status_code == WAITS


def test_a_right_sign_in_clears_only_its_own_count(make_user: MakeUser, try_: Try, settings: Settings) -> None:
    """Whoever has an account could else guess without end, signing in to it now and then."""
    settings.GUESS_RATE_ADDRESS = (5, HOUR)
    for name in ("mallory", "mallory2", "mallory3"):
        make_user(name)
    statuses = [
        (try_(f"victim{number}").status_code, try_(f"mallory{number or ''}", PASSWORD).status_code)
        for number in (2, 3, 0, 0, 0, 0)
    ]
    assert statuses[:4] == [(CHECKED, RIGHT)] * 4
    assert [checked for checked, _ in statuses] == [CHECKED] * 5 + [WAITS]


# --- addresses


@pytest.mark.usefixtures("alice")
def test_an_ipv6_address_counts_as_its_64(try_: Try) -> None:
    addresses = [f"2001:db8:0:1:{number}::{number}" for number in range(11)]
    assert [try_(address=address).status_code for address in addresses] == [CHECKED] * 10 + [WAITS]
    assert try_(address="2001:db8:0:2::1").status_code == CHECKED


SAME = [
    pytest.param("192.0.2.1", "::ffff:192.0.2.1", id="IPv4 in IPv6"),
    pytest.param("fe80::1%eth0", "fe80::2%eth1", id="a zone"),
    pytest.param("", "unix:/run/proxy.sock", id="no address"),
    pytest.param("::1", "0:0:0:0:0:0:0:1", id="another spelling"),
]


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize(("address", "another"), SAME)
def test_these_addresses_are_one(statuses: Statuses, address: str, another: str) -> None:
    assert statuses(5, address=address) + statuses(6, address=another) == [CHECKED] * 10 + [WAITS]


@pytest.mark.parametrize("name", ["", " ", "x" * 100_000, "é" * 50_000, "a\u0301" * 3000, "🦊", "a b"], ids=ascii)
def test_a_name_that_nobody_has_is_counted_as_any_other(try_: Try, name: str) -> None:
    answers = {try_(name).status_code for _ in range(12)}
    assert answers <= {400, CHECKED, WAITS}
    assert WAITS in answers or answers == {400}


# --- sign-up, refresh, the current password


@pytest.fixture
def sign_up(api: APIClient) -> Callable[..., int]:
    def sign_up(number: int, password: str = PASSWORD, address: str = HOME) -> int:
        body = {"username": f"new{number}", "email": f"new{number}@example.com", "password": password}
        return api.post("/api/auth/signup", body, REMOTE_ADDR=address).status_code

    return sign_up


def test_sign_ups_from_one_address_have_a_rate(sign_up: Callable[..., int], settings: Settings) -> None:
    settings.SIGN_UP_RATE = (3, HOUR)
    assert [sign_up(number) for number in range(5)] == [200] * 3 + [WAITS] * 2
    assert sign_up(9, address=ELSEWHERE) == 200


def test_refused_sign_ups_count_because_they_tell_which_names_are_taken(
    sign_up: Callable[..., int], settings: Settings
) -> None:
    settings.SIGN_UP_RATE = (3, HOUR)
    assert [sign_up(1) for _ in range(4)] == [200, 400, 400, WAITS]


def test_an_office_of_fifty_behind_one_address_signs_up_and_in_with_a_typing_error_each(
    sign_up: Callable[..., int], try_: Try
) -> None:
    for number in range(50):
        assert (sign_up(number, "short"), sign_up(number)) == (400, 200)
    for number in range(50):
        assert try_(f"new{number}").status_code == CHECKED
    assert [try_(f"new{number}", PASSWORD).status_code for number in range(50)] == [RIGHT] * 50


@pytest.fixture
def refresh(api: APIClient) -> Callable[[str], Answer]:
    return lambda token: api.post("/api/auth/refreshtoken", {"refreshToken": token})


@pytest.mark.usefixtures("alice")
def test_refreshes_of_one_session_have_a_rate_and_no_other_session_waits(
    try_: Try, refresh: Callable[[str], Answer]
) -> None:
    first, second = (try_(password=PASSWORD).json()["refreshToken"] for _ in range(2))
    assert [refresh(first).status_code for _ in range(61)] == [200] * 60 + [WAITS]
    assert seen(refresh(first)) == (WAITS, {"message": "Too many attempts. Please try again in 1 second."}, "1")
    assert refresh(second).status_code == 200


@pytest.mark.usefixtures("alice")
def test_a_session_whose_refreshes_wait_is_still_good(
    api: APIClient, try_: Try, refresh: Callable[[str], Answer], settings: Settings, clock: Clock
) -> None:
    settings.REFRESH_RATE = (1, HOUR)
    tokens = try_(password=PASSWORD).json()
    assert [refresh(tokens["refreshToken"]).status_code for _ in range(2)] == [200, WAITS]
    assert api.get("/api/test/user", headers={"x-access-token": tokens["accessToken"]}).status_code == 200
    clock.shift(1)
    assert refresh(tokens["refreshToken"]).status_code == 200


@pytest.mark.usefixtures("alice")
def test_a_successor_that_has_to_wait_retires_nothing(
    try_: Try, refresh: Callable[[str], Answer], settings: Settings, clock: Clock
) -> None:
    settings.REFRESH_RATE, settings.REFRESH_TOKEN_GRACE = (1, HOUR), 0
    token = try_(password=PASSWORD).json()["refreshToken"]
    successor = refresh(token).json()["refreshToken"]
    assert refresh(successor).status_code == WAITS
    clock.shift(1)
    assert refresh(token).status_code == 200


@pytest.mark.usefixtures("alice")
def test_a_retired_token_ends_its_session_however_often_that_was_refreshed(
    api: APIClient, try_: Try, refresh: Callable[[str], Answer], settings: Settings
) -> None:
    settings.REFRESH_RATE, settings.REFRESH_TOKEN_GRACE = (2, HOUR), 0
    first = try_(password=PASSWORD).json()["refreshToken"]
    last = refresh(refresh(first).json()["refreshToken"]).json()
    assert [refresh(token).status_code for token in (last["refreshToken"], first)] == [WAITS, 403]
    assert api.get("/api/test/user", headers={"x-access-token": last["accessToken"]}).status_code == 401


@pytest.mark.usefixtures("alice")
def test_refreshes_are_counted_in_their_session_and_nowhere_else(
    try_: Try, refresh: Callable[[str], Answer], settings: Settings
) -> None:
    settings.GUESS_RATE = settings.GUESS_RATE_ADDRESS = settings.GUESS_RATE_ACCOUNT = None
    token = try_(password=PASSWORD).json()["refreshToken"]
    assert [refresh(token).status_code for _ in range(3)] == [200] * 3
    assert Session.objects.get().refreshes == 3
    assert not Counter.objects.exists()


@pytest.mark.usefixtures("alice")
def test_where_the_refreshes_of_a_session_begin_to_wait_a_line_is_logged(
    try_: Try, refresh: Callable[[str], Answer], caplog: pytest.LogCaptureFixture
) -> None:
    token = try_(password=PASSWORD).json()["refreshToken"]
    assert [refresh(token).status_code for _ in range(65)][-5:] == [WAITS] * 5
    assert said(caplog) == ["Too many tries, which wait from now on: refresh, from 127.0.0.1"]


def test_forged_refresh_tokens_are_counted_nowhere(refresh: Callable[[str], Answer]) -> None:
    assert {refresh("a.b.c").status_code for _ in range(100)} == {403}
    assert not Counter.objects.exists()


def checks_of(tokens: dict[str, str]) -> Callable[..., int]:
    """Checks of the current password, by each of the doors in turn."""
    client = APIClient(headers={"x-access-token": tokens["accessToken"]})
    client.default_format = "json"
    doors = [
        lambda typed, **more: client.post(
            "/api/auth/password", {"currentPassword": typed, "newPassword": "another battery staple"}, **more
        ),
        lambda typed, **more: client.patch("/api/auth/me", {"email": "a@b.example", "currentPassword": typed}, **more),
        lambda typed, **more: client.post("/api/auth/me/delete", {"password": typed}, **more),
    ]

    def check(number: int, password: str = "wrong", address: str = HOME) -> int:
        return doors[number % 3](password, REMOTE_ADDR=address).status_code

    return check


@pytest.fixture
def check(alice: User, try_: Try) -> Callable[..., int]:
    return checks_of(try_(password=PASSWORD).json())


Check = Callable[..., int]


def test_checks_of_the_current_password_share_a_rate_whatever_they_are_for(check: Check) -> None:
    assert [check(number) for number in range(13)] == [400] * 10 + [WAITS] * 3
    assert check(0, PASSWORD) == WAITS


def test_who_checks_the_current_password_from_elsewhere_does_not_keep_the_owner_waiting(check: Check) -> None:
    for number in range(11):
        check(number, address=ELSEWHERE)
    assert check(0, PASSWORD) == 200


def test_who_stole_a_token_has_no_more_checks_by_coming_from_everywhere(check: Check) -> None:
    answers = [check(number, address=f"203.0.113.{number}") for number in range(101)]
    assert answers == [400] * 100 + [WAITS]


def test_who_has_to_wait_with_a_token_may_still_sign_in(check: Check, try_: Try) -> None:
    for number in range(11):
        check(number)
    assert try_(password=PASSWORD).status_code == RIGHT


def test_the_boards_have_no_rate(api: APIClient, alice: User, try_: Try) -> None:
    access = {"x-access-token": try_(password=PASSWORD).json()["accessToken"]}
    boards = {api.get("/api/test/user", headers=access).status_code for _ in range(1000)}
    assert boards == {200}


# --- settings


@pytest.mark.usefixtures("alice")
def test_what_is_off_has_no_limit_and_is_not_counted(statuses: Statuses, settings: Settings) -> None:
    settings.GUESS_RATE = settings.GUESS_RATE_ADDRESS = settings.GUESS_RATE_ACCOUNT = None
    assert statuses(30) + statuses(1, password=PASSWORD) == [CHECKED] * 30 + [RIGHT]
    assert not Counter.objects.exists()


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("left", ["GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT"])
def test_each_count_holds_by_itself(statuses: Statuses, settings: Settings, left: str) -> None:
    settings.GUESS_RATE = settings.GUESS_RATE_ADDRESS = settings.GUESS_RATE_ACCOUNT = None
    setattr(settings, left, (5, HOUR))
    assert statuses(6) == [CHECKED] * 5 + [WAITS]


def test_the_other_rates_can_be_off_too(
    alice: User, try_: Try, settings: Settings, sign_up: Callable[..., int], refresh: Callable[[str], Answer]
) -> None:
    settings.SIGN_UP_RATE = settings.REFRESH_RATE = settings.PASSWORD_CHECK_RATE = settings.GUESS_RATE_ACCOUNT = None
    tokens = try_(password=PASSWORD).json()
    check = checks_of(tokens)
    assert {sign_up(number, "short") for number in range(210)} == {400}
    assert {refresh(tokens["refreshToken"]).status_code for _ in range(70)} == {200}
    assert {check(number) for number in range(12)} == {400}


# --- what is noticed


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "accounts.throttling"]


@pytest.mark.usefixtures("alice")
def test_where_waits_begin_a_line_is_logged_and_none_for_the_tries_that_follow(
    statuses: Statuses, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    statuses(30)
    clock.shift(1)
    statuses(30)
    assert said(caplog) == [f"Too many tries, which wait from now on: guess, from {HOME}"]


def test_the_line_says_which_count_it_is_and_never_the_name_that_was_typed(
    try_: Try, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.GUESS_RATE_ADDRESS = settings.GUESS_RATE_ACCOUNT = (1, HOUR)
    try_("hunter2", address="2001:db8::7")
    assert [message.split(": ")[1] for message in said(caplog)] == [
        "guess.address, from 2001:db8::/64",
        "guess.account, from 2001:db8::/64",
    ]


@pytest.mark.usefixtures("alice")
def test_when_an_attack_begins_again_it_is_logged_again(
    statuses: Statuses, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    statuses(12)
    clock.shift(HOUR)
    statuses(12)
    assert len(said(caplog)) == 2


# --- meanwhile


@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_deleted_while_its_password_is_checked_is_refused(
    alice: User, try_: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deleted_meanwhile(*_: str) -> tuple[bool, bool]:
        alice.delete()
        return True, False

    monkeypatch.setattr(checking, "verify_password", deleted_meanwhile)
    assert try_(password=PASSWORD).status_code == CHECKED


def test_an_account_that_is_renamed_while_its_password_is_checked_comes_in(
    alice: User, try_: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renamed_meanwhile(*_: str) -> tuple[bool, bool]:
        alice.username = "alicia"
        alice.save()
        return True, False

    monkeypatch.setattr(checking, "verify_password", renamed_meanwhile)
    assert try_(password=PASSWORD).status_code == RIGHT


@pytest.mark.usefixtures("alice")
def test_with_a_redis_that_is_away_guessing_is_limited_all_the_same(statuses: Statuses, settings: Settings) -> None:
    settings.CACHE_URL = f"redis://127.0.0.1:{live.free_port()}/0"
    assert statuses(11) + statuses(1, "bob", PASSWORD) == [CHECKED] * 10 + [WAITS, CHECKED]


@pytest.mark.usefixtures("alice")
def test_with_a_redis_it_is_the_same(
    statuses: Statuses, try_: Try, settings: Settings, clock: Clock, redis_server: Any
) -> None:
    settings.CACHE_URL = redis_server.url
    assert statuses(11) == [CHECKED] * 10 + [WAITS]
    clock.shift(1)
    assert (try_(password=PASSWORD).status_code, Counter.objects.exists()) == (RIGHT, False)


def test_an_account_that_is_forgotten_while_it_waits_for_its_turn_counts_like_any_other(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with throttling.guess(username="alice", address="192.0.2.1") as guess:
        guess.was_right()

    @contextmanager
    def slow_turn() -> Iterator[None]:
        clock.shift(throttling.FAMILIAR_FOR)
        yield

    monkeypatch.setattr(throttling, "turn", slow_turn)
    with throttling.guess(username="alice", address="192.0.2.1") as guess:
        assert len(guess.wide) == 2


def test_an_account_that_becomes_familiar_while_it_waits_for_its_turn_is_counted_in_no_wider_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So that there is a count, which is not a familiar one's yet.
    with throttling.guess(username="alice", address="192.0.2.1"):
        pass
    before = iter(["another sign-in of the same account"])

    @contextmanager
    def slow_turn() -> Iterator[None]:
        for _ in before:
            with throttling.guess(username="alice", address="192.0.2.1") as guess:
                guess.was_right()
        yield

    monkeypatch.setattr(throttling, "turn", slow_turn)
    with throttling.guess(username="alice", address="192.0.2.1") as guess:
        assert guess.wide == {}
