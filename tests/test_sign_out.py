"""POST /api/auth/signout: the session is over, and the answer is always the same."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Session, User

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]
SIGNED_OUT = {"message": "You've been signed out!"}
JSON = "application/json"


@pytest.fixture
def tokens(make_user: MakeUser, sign_in: SignIn) -> dict[str, Any]:
    make_user()
    return sign_in()


def revoked() -> list[str]:
    return [session.revoked_reason for session in Session.objects.all()]


@pytest.mark.parametrize("header", ["x-access-token", "authorization", "cookie"])
def test_ends_the_session_of_the_access_token(api: APIClient, tokens: dict[str, Any], header: str) -> None:
    prefix = {"authorization": "Bearer ", "cookie": "access_token="}.get(header, "")
    response = api.post("/api/auth/signout", headers={header: prefix + tokens["accessToken"]})
    assert (response.status_code, response.json()) == (200, SIGNED_OUT)
    assert revoked() == [Session.Reason.SIGNED_OUT]


@pytest.mark.parametrize("place", ["body", "cookie"])
def test_ends_the_session_of_the_refresh_token(api: APIClient, tokens: dict[str, Any], place: str) -> None:
    token = tokens["refreshToken"]
    body = {"refreshToken": token} if place == "body" else {}
    headers = {"cookie": f"refresh_token={token}"} if place == "cookie" else {}
    assert api.post("/api/auth/signout", body, headers=headers).json() == SIGNED_OUT
    assert revoked() == [Session.Reason.SIGNED_OUT]


def test_afterwards_neither_token_works(api: APIClient, tokens: dict[str, Any]) -> None:
    api.post("/api/auth/signout", headers={"x-access-token": tokens["accessToken"]})
    board = api.get("/api/test/user", headers={"x-access-token": tokens["accessToken"]})
    refresh = api.post("/api/auth/refreshtoken", {"refreshToken": tokens["refreshToken"]})
    assert (board.status_code, refresh.status_code) == (401, 403)


def test_the_users_other_sessions_go_on(api: APIClient, tokens: dict[str, Any], sign_in: SignIn) -> None:
    other = sign_in()
    api.post("/api/auth/signout", headers={"x-access-token": tokens["accessToken"]})
    assert api.get("/api/test/user", headers={"x-access-token": other["accessToken"]}).status_code == 200


def test_an_expired_token_still_ends_its_session(api: APIClient, make_user: MakeUser, sign_in: SignIn) -> None:
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        tokens = sign_in()
        clock.shift(3601)
        api.post("/api/auth/signout", headers={"x-access-token": tokens["accessToken"]})
    assert revoked() == [Session.Reason.SIGNED_OUT]


def test_a_retired_token_still_ends_its_session(api: APIClient, tokens: dict[str, Any]) -> None:
    successor = api.post("/api/auth/refreshtoken", {"refreshToken": tokens["refreshToken"]}).json()
    api.post("/api/auth/refreshtoken", {"refreshToken": successor["refreshToken"]})
    api.post("/api/auth/signout", {"refreshToken": tokens["refreshToken"]})
    assert revoked() == [Session.Reason.SIGNED_OUT]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("", JSON), ("{}", JSON), ("null", JSON), ("{", JSON), ("[1]", JSON), ('{"refreshToken":7}', JSON), ("x", "a/b")],
)
def test_whatever_the_body_the_answer_is_the_same(api: APIClient, body: str, content_type: str) -> None:
    response = api.post("/api/auth/signout", body, content_type=content_type)
    assert (response.status_code, response.json()) == (200, SIGNED_OUT)


@pytest.mark.parametrize("body", ["{", '{"refreshToken":7}'])
def test_an_unreadable_body_does_not_keep_the_session_alive(api: APIClient, tokens: dict[str, Any], body: str) -> None:
    headers = {"cookie": f"refresh_token={tokens['refreshToken']}"}
    api.post("/api/auth/signout", body, content_type=JSON, headers=headers)
    assert revoked() == [Session.Reason.SIGNED_OUT]


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_signing_out_without_being_signed_in_is_the_same(api: APIClient, token: str) -> None:
    response = api.post("/api/auth/signout", headers={"x-access-token": token})
    assert (response.status_code, response.json()) == (200, SIGNED_OUT)


def test_takes_both_cookies_back(api: APIClient, settings: Settings) -> None:
    settings.TOKEN_DELIVERY = "cookie"
    cookies = api.post("/api/auth/signout").cookies
    assert {(name, cookie.value, cookie["path"], cookie["max-age"]) for name, cookie in cookies.items()} == {
        ("access_token", "", "/", 0),
        ("refresh_token", "", "/api/auth", 0),
    }
