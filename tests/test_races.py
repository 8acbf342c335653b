"""Many requests at once, over real HTTP against the real server's processes: the database settles each race."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.live import Server, unless_busy

AT_ONCE = 20


def at_once(call: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(call, range(AT_ONCE)))


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with server.client(limits=httpx.Limits(max_connections=AT_ONCE)) as client:
        yield client


@pytest.fixture(scope="module")
def strict(start_server: Callable[..., Server]) -> Iterator[httpx.Client]:
    """A server without grace: a token is retired the moment its successor is used."""
    with start_server(REFRESH_TOKEN_GRACE="0").client() as client:
        yield client


def sign_up(http: httpx.Client, username: str, email: str) -> tuple[int, str]:
    body = {"username": username, "email": email, "password": PASSWORD}
    answer = unless_busy(lambda: http.post("/api/auth/signup", json=body))
    return answer.status_code, answer.json()["message"]


def sign_in(http: httpx.Client, username: str) -> dict[str, Any]:
    sign_up(http, username, f"{username}@example.com")
    body = {"username": username, "password": PASSWORD}
    answer = unless_busy(lambda: http.post("/api/auth/signin", json=body))
    assert answer.status_code == 200
    return answer.json()


def refresh(http: httpx.Client, token: str) -> httpx.Response:
    return http.post("/api/auth/refreshtoken", json={"refreshToken": token})


def board(http: httpx.Client, token: str) -> int:
    return http.get("/api/test/user", headers={"x-access-token": token}).status_code


@pytest.mark.parametrize("round_", range(3))
def test_of_20_sign_ups_with_one_username_one_succeeds(http: httpx.Client, round_: int) -> None:
    spellings = ["Racer", "racer", "RACER", "rAcEr"]
    answers = at_once(lambda n: sign_up(http, f"{spellings[n % 4]}{round_}", f"racer{round_}.{n}@example.com"))
    assert Counter(answers) == {
        (200, "User registered successfully!"): 1,
        (400, "Failed! Username is already in use!"): AT_ONCE - 1,
    }


@pytest.mark.parametrize("round_", range(3))
def test_of_20_sign_ups_with_one_email_one_succeeds(http: httpx.Client, round_: int) -> None:
    spellings = ["mail", "MAIL", "Mail"]
    answers = at_once(lambda n: sign_up(http, f"mail{round_}.{n}", f"{spellings[n % 3]}{round_}@example.com"))
    assert Counter(answers) == {
        (200, "User registered successfully!"): 1,
        (400, "Failed! Email is already in use!"): AT_ONCE - 1,
    }


def test_20_different_people_sign_up_at_once(http: httpx.Client) -> None:
    answers = at_once(lambda n: sign_up(http, f"crowd{n}", f"crowd{n}@example.com")[0])
    assert answers == [200] * AT_ONCE


def test_of_20_refreshes_with_one_token_all_are_answered_and_every_successor_goes_on(http: httpx.Client) -> None:
    token = sign_in(http, "refresher")["refreshToken"]
    first = at_once(lambda _: refresh(http, token))
    assert [answer.status_code for answer in first] == [200] * AT_ONCE
    successors = [answer.json()["refreshToken"] for answer in first]
    second = at_once(lambda n: refresh(http, successors[n]))
    assert [answer.status_code for answer in second] == [200] * AT_ONCE
    assert [board(http, answer.json()["accessToken"]) for answer in second] == [200] * AT_ONCE


def test_a_retired_token_takes_its_session_down_with_all_its_tokens(strict: httpx.Client) -> None:
    opened = sign_in(strict, "victim")
    second = refresh(strict, opened["refreshToken"]).json()
    third = refresh(strict, second["refreshToken"]).json()
    replayed = at_once(lambda _: refresh(strict, opened["refreshToken"]).status_code)
    assert replayed == [403] * AT_ONCE
    assert [board(strict, held["accessToken"]) for held in (opened, second, third)] == [401] * 3
    assert refresh(strict, third["refreshToken"]).status_code == 403


def test_signing_out_and_refreshing_at_once_leaves_nobody_signed_in(http: httpx.Client) -> None:
    opened = sign_in(http, "leaver")
    headers = {"x-access-token": opened["accessToken"]}

    def either(n: int) -> httpx.Response:
        if n == AT_ONCE // 2:
            return http.post("/api/auth/signout", headers=headers)
        return refresh(http, opened["refreshToken"])

    answers = at_once(either)
    assert {answer.status_code for answer in answers} <= {200, 403}
    tokens = [answer.json()["accessToken"] for answer in answers if "accessToken" in answer.json()]
    assert {board(http, token) for token in [opened["accessToken"], *tokens]} == {401}


def test_a_role_given_by_several_at_once_is_held_once(http: httpx.Client, server: Server) -> None:
    sign_in(http, "promoted")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: server.manage("grant_role", "promoted", "moderator"), range(8)))
    answer = http.post("/api/auth/signin", json={"username": "promoted", "password": PASSWORD})
    assert answer.json()["roles"] == ["ROLE_USER", "ROLE_MODERATOR"]
