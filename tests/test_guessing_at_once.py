"""Guesses that come all at once, over real HTTP against several processes, get no more checks than those in a row."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from accounts.rates import Rate, one_more, wait
from tests.conftest import PASSWORD
from tests.live import Server, unless_busy

AT_ONCE = 50
CHECKED, WAITS = 401, 429
TEN_AN_HOUR = Rate(10, timedelta(hours=1))
ADDRESSES = (f"203.0.113.{number}" for number in count(1))


@pytest.fixture(scope="module")
def defaults(start_server: Callable[..., Server]) -> Server:
    """Out of the box, but for a proxy, so that each test has an address of its own."""
    return start_server(TRUSTED_PROXY_COUNT="1")


@pytest.fixture(scope="module")
def second(start_server: Callable[..., Server], defaults: Server) -> Server:
    """A larger copy, on the same database."""
    database = defaults.environment["DATABASE_URL"]
    return start_server(TRUSTED_PROXY_COUNT="1", DATABASE_URL=database, WORKERS="4", THREADS="32")


@pytest.fixture(scope="module", params=["database", "redis"])
def strict(start_server: Callable[..., Server], request: pytest.FixtureRequest) -> Server:
    """Where ten an hour is the rate of everything."""
    names = ["GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT", "SIGN_UP_RATE", "REFRESH_RATE", "PASSWORD_CHECK_RATE"]
    url = request.getfixturevalue("redis_of_the_run").url if request.param == "redis" else ""
    return start_server(TRUSTED_PROXY_COUNT="1", CACHE_URL=url, **dict.fromkeys(names, "10/h"))


@dataclass
class Crowd:
    """Many who ask these servers at once, in turn, from one address."""

    servers: list[Server]
    address: str = field(default_factory=lambda: next(ADDRESSES))
    seconds: float = 0.0

    def ask(self, request: Callable[[httpx.Client, int], httpx.Response], number: int = AT_ONCE) -> list[Any]:
        headers = {"x-forwarded-for": self.address}
        limits = httpx.Limits(max_connections=number)
        with ExitStack() as stack:
            clients = [stack.enter_context(each.client(headers=headers, limits=limits)) for each in self.servers]
            pool = stack.enter_context(ThreadPoolExecutor(number))
            start = time.monotonic()
            asking = lambda n: unless_busy(partial(request, clients[n % len(clients)], n))  # noqa: E731
            answers = list(pool.map(asking, range(number)))
            self.seconds += time.monotonic() - start
        return answers

    def statuses(self, request: Callable[[httpx.Client, int], httpx.Response]) -> Counter[int]:
        return Counter(answer.status_code for answer in self.ask(request))

    def most_checks(self) -> int:
        """As many as one after the other could have had in that time."""
        tally, now = None, datetime(2026, 11, 23, tzinfo=UTC)
        end = now + timedelta(seconds=self.seconds)
        for checks in count():
            now += max(wait(tally, now), timedelta(0))
            if now > end:
                return checks
            tally = one_more(tally, TEN_AN_HOUR, now)
        raise AssertionError

    def wrong_passwords(self) -> int:
        """How many were checked, as the audit trail has it."""
        show = "from accounts.models import AuditEntry as entries; print(entries.objects.filter("
        show += f"action='sign_in_failed', address='{self.address}').count())"
        return int(self.servers[0].manage("shell", "-v", "0", "-c", show))


def sign_up(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    body = {"username": name, "email": f"{name}@example.com", "password": password}
    return client.post("/api/auth/signup", json=body)


def sign_in(client: httpx.Client, name: str, password: str = "wrong", **headers: str) -> httpx.Response:
    return client.post("/api/auth/signin", json={"username": name, "password": password}, headers=headers)


def account(server: Server, name: str) -> dict[str, Any]:
    """Signs up and in, from an address of its own."""
    with server.client(headers={"x-forwarded-for": next(ADDRESSES)}) as client:
        sign_up(client, name)
        return sign_in(client, name, PASSWORD).json()


# --- guesses


@pytest.fixture
def guessers(defaults: Server, second: Server) -> Crowd:
    return Crowd([defaults, second])


@pytest.mark.parametrize("name", ["victim", "nobody"])
def test_fifty_guesses_at_once_get_no_more_checks_than_fifty_in_a_row(guessers: Crowd, name: str) -> None:
    if name == "victim":
        account(guessers.servers[0], name)
    statuses = guessers.statuses(lambda client, _: sign_in(client, name))
    assert statuses[CHECKED] + statuses[WAITS] == AT_ONCE
    assert 10 <= statuses[CHECKED] <= guessers.most_checks()
    assert guessers.wrong_passwords() == statuses[CHECKED]


def test_each_of_those_that_wait_is_told_for_how_long(defaults: Server) -> None:
    answers = Crowd([defaults]).ask(lambda client, _: sign_in(client, "waiting"))
    for answer in answers:
        if answer.status_code == WAITS:
            seconds = int(answer.headers["Retry-After"])
            assert seconds >= 1
            assert answer.json() == {
                "message": f"Too many attempts. Please try again in {seconds} second{'s'[: seconds - 1]}."
            }


def test_the_right_password_among_wrong_ones_at_once_opens_no_way_around(defaults: Server) -> None:
    """It clears the count of its pair, once: so there are at most twice as many checks."""
    account(defaults, "among")
    crowd = Crowd([defaults])
    statuses = crowd.statuses(lambda client, n: sign_in(client, "among", PASSWORD if n == 20 else "wrong"))
    assert statuses[CHECKED] <= 10 + crowd.most_checks()


def test_with_redis_or_without_fifty_at_once_get_no_more_checks(strict: Server) -> None:
    crowd = Crowd([strict])
    statuses = crowd.statuses(lambda client, _: sign_in(client, "victim"))
    assert 10 <= statuses[CHECKED] <= crowd.most_checks()
    assert statuses[CHECKED] + statuses[WAITS] == AT_ONCE


def test_fifty_names_at_once_from_one_address_get_no_more_checks(strict: Server) -> None:
    crowd = Crowd([strict])
    statuses = crowd.statuses(lambda client, n: sign_in(client, f"name{n}"))
    assert 10 <= statuses[CHECKED] <= crowd.most_checks()
    assert statuses[CHECKED] + statuses[WAITS] == AT_ONCE


def test_fifty_addresses_at_once_get_no_more_checks_of_one_account(strict: Server) -> None:
    crowd = Crowd([strict])
    statuses = crowd.statuses(lambda client, n: sign_in(client, "everywhere", **{"x-forwarded-for": f"10.0.0.{n}"}))
    assert 10 <= statuses[CHECKED] <= crowd.most_checks()
    assert statuses[CHECKED] + statuses[WAITS] == AT_ONCE


# --- the other rates


def test_fifty_sign_ups_at_once_are_no_more_than_fifty_in_a_row(strict: Server) -> None:
    crowd = Crowd([strict])
    statuses = crowd.statuses(lambda client, n: sign_up(client, f"new{n}"))
    assert 10 <= statuses[200] <= crowd.most_checks()
    assert statuses[200] + statuses[WAITS] == AT_ONCE


def test_fifty_refreshes_at_once_are_no_more_than_fifty_in_a_row(strict: Server) -> None:
    token, crowd = account(strict, "refresher")["refreshToken"], Crowd([strict])
    statuses = crowd.statuses(lambda client, _: client.post("/api/auth/refreshtoken", json={"refreshToken": token}))
    assert 10 <= statuses[200] <= crowd.most_checks()
    assert statuses[200] + statuses[WAITS] == AT_ONCE


def test_fifty_checks_of_the_current_password_at_once_are_no_more_than_fifty_in_a_row(strict: Server) -> None:
    headers, crowd = {"x-access-token": account(strict, "changer")["accessToken"]}, Crowd([strict])
    body = {"currentPassword": "wrong", "newPassword": "another battery staple"}
    statuses = crowd.statuses(lambda client, _: client.post("/api/auth/password", json=body, headers=headers))
    assert 10 <= statuses[400] <= crowd.most_checks()
    assert statuses[400] + statuses[WAITS] == AT_ONCE


# --- honest people


@pytest.fixture
def one_user(second: Server) -> Crowd:
    crowd = Crowd([second])
    with second.client(headers={"x-forwarded-for": crowd.address}) as client:
        sign_up(client, "same")
    return crowd


def test_one_user_who_signs_in_many_times_at_once_is_let_in_each_time(one_user: Crowd) -> None:
    """Each counts until its password was looked at; where there are more threads than free tries, they queue."""
    for _ in range(2):
        assert one_user.statuses(lambda client, _: sign_in(client, "same", PASSWORD)) == {200: AT_ONCE}


def test_an_office_of_fifty_signs_up_and_in_at_once_behind_one_address_with_a_typing_error_each(
    defaults: Server, second: Server
) -> None:
    office = Crowd([defaults, second])
    assert office.statuses(lambda client, n: sign_up(client, f"clerk{n}", "short")) == {400: AT_ONCE}
    assert office.statuses(lambda client, n: sign_up(client, f"clerk{n}")) == {200: AT_ONCE}
    assert office.statuses(lambda client, n: sign_in(client, f"clerk{n}")) == {CHECKED: AT_ONCE}
    assert office.statuses(lambda client, n: sign_in(client, f"clerk{n}", PASSWORD)) == {200: AT_ONCE}


def test_none_of_all_that_was_an_exception(defaults: Server, second: Server, strict: Server) -> None:
    for server in (defaults, second, strict):
        assert "Traceback" not in server.log.read_text()
