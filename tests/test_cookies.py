"""TOKEN_DELIVERY=cookie and both: tokens that scripts cannot read, and that other sites cannot use."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Session, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
CREDENTIALS = {"username": "alice", "password": PASSWORD}
REFUSED = (403, {"message": "This request came from another site, and was refused."})


@pytest.fixture(autouse=True)
def cookie_mode(settings: Settings) -> None:
    settings.TOKEN_DELIVERY = "cookie"


@pytest.fixture
def browser(api: APIClient, make_user: MakeUser) -> APIClient:
    """Keeps cookies; alice is signed in."""
    make_user("alice", "moderator")
    assert api.post("/api/auth/signin", CREDENTIALS).status_code == 200
    return api


def sign_in(api: APIClient, **headers: str) -> HttpResponse:
    return api.post("/api/auth/signin", CREDENTIALS, headers=headers)


def test_sign_in_answers_without_tokens(api: APIClient, make_user: MakeUser) -> None:
    user = make_user()
    assert sign_in(api).json() == {  # type: ignore[attr-defined]
        "id": user.pk,
        "username": "alice",
        "email": "alice@example.com",
        "roles": ["ROLE_USER"],
    }


def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(api: APIClient, make_user: MakeUser) -> None:
    make_user()
    cookies = sign_in(api).cookies
    assert {name: (c["path"], c["httponly"], c["samesite"], c["secure"]) for name, c in cookies.items()} == {
        "access_token": ("/", True, "Strict", ""),
        "refresh_token": ("/api/auth", True, "Strict", ""),
    }


def test_both_cookies_live_as_long_as_the_refresh_token(api: APIClient, make_user: MakeUser) -> None:
    make_user()
    ages = [cookie["max-age"] for cookie in sign_in(api).cookies.values()]
    assert all(86_390 <= age <= 86_400 for age in ages)


def test_secure_cookies_have_names_that_browsers_guard(api: APIClient, make_user: MakeUser, settings: Settings) -> None:
    settings.COOKIE_SECURE = True
    make_user()
    cookies = sign_in(api).cookies
    assert {name: cookie["secure"] for name, cookie in cookies.items()} == {
        "__Host-access_token": True,
        "__Secure-refresh_token": True,
    }


def test_samesite_is_a_setting(api: APIClient, make_user: MakeUser, settings: Settings) -> None:
    settings.COOKIE_SAMESITE = "Lax"
    make_user()
    assert {cookie["samesite"] for cookie in sign_in(api).cookies.values()} == {"Lax"}


def test_the_cookie_opens_the_boards(browser: APIClient) -> None:
    assert browser.get("/api/test/mod").content == b"Moderator Content."


def test_refresh_sets_both_cookies_anew(browser: APIClient) -> None:
    before = browser.cookies["refresh_token"].value
    response = browser.post("/api/auth/refreshtoken", {})
    assert (response.status_code, response.json()) == (200, {"message": "Token is refreshed successfully!"})
    assert set(response.cookies) == {"access_token", "refresh_token"}
    assert response.cookies["refresh_token"].value != before


def test_a_refresh_token_in_the_body_beats_the_cookie(browser: APIClient) -> None:
    response = browser.post("/api/auth/refreshtoken", {"refreshToken": "nonsense"})
    assert (response.status_code, response.json()) == (403, {"message": "Refresh token is not in database!"})


def test_without_a_cookie_refresh_asks_for_a_token(api: APIClient) -> None:
    response = api.post("/api/auth/refreshtoken", {})
    assert (response.status_code, response.json()) == (403, {"message": "Refresh Token is required!"})


def test_sign_out_ends_the_session_of_the_cookies(browser: APIClient) -> None:
    browser.post("/api/auth/signout", {})
    assert browser.get("/api/test/user").status_code == 403
    assert Session.objects.get().revoked_reason == Session.Reason.SIGNED_OUT


def test_both_delivers_in_both_places(api: APIClient, make_user: MakeUser, settings: Settings) -> None:
    settings.TOKEN_DELIVERY = "both"
    make_user()
    response = sign_in(api)
    body = response.json()  # type: ignore[attr-defined]
    assert [body["accessToken"], body["refreshToken"]] == [cookie.value for cookie in response.cookies.values()]


def test_body_delivers_no_cookie(api: APIClient, make_user: MakeUser, settings: Settings) -> None:
    settings.TOKEN_DELIVERY = "body"
    make_user()
    assert not sign_in(api).cookies


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://testserver.evil.example"},
    {"origin": "https://testserver"},
    {"origin": "http://testserver:81"},
    {"origin": ""},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example", "sec-fetch-site": "none"},
]
OWN = [
    {},
    {"origin": "http://testserver"},
    {"origin": "http://localhost:8081", "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
]
BODIES: dict[str, dict[str, Any]] = {
    "signup": {"username": "bob", "email": "bob@example.com", "password": PASSWORD},
    "signin": CREDENTIALS,
    "refreshtoken": {},
}


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", BODIES)
def test_another_site_is_refused(browser: APIClient, path: str, headers: dict[str, str]) -> None:
    response = browser.post(f"/api/auth/{path}", BODIES[path], headers=headers)
    assert (response.status_code, response.json()) == REFUSED


@pytest.mark.parametrize("headers", OWN)
@pytest.mark.parametrize("path", BODIES)
def test_our_own_and_listed_origins_are_taken(browser: APIClient, path: str, headers: dict[str, str]) -> None:
    assert browser.post(f"/api/auth/{path}", BODIES[path], headers=headers).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_site_cannot_sign_anyone_out(browser: APIClient, headers: dict[str, str]) -> None:
    response = browser.post("/api/auth/signout", {}, headers=headers)
    assert (response.status_code, response.json()) == (200, {"message": "You've been signed out!"})
    assert not response.cookies
    assert browser.get("/api/test/user").status_code == 200


@pytest.mark.parametrize("path", ["signin", "refreshtoken"])
def test_in_body_mode_a_request_that_brings_our_cookie_is_judged_too(
    browser: APIClient, settings: Settings, path: str
) -> None:
    settings.TOKEN_DELIVERY = "body"
    response = browser.post(f"/api/auth/{path}", BODIES[path], headers={"origin": "https://evil.example"})
    assert (response.status_code, response.json()) == REFUSED


def test_in_body_mode_without_cookies_any_origin_is_taken(
    api: APIClient, make_user: MakeUser, settings: Settings
) -> None:
    settings.TOKEN_DELIVERY = "body"
    make_user()
    assert sign_in(api, origin="https://anyone.example").status_code == 200


def test_another_site_may_read_what_changes_nothing(browser: APIClient) -> None:
    assert browser.get("/api/test/user", headers={"origin": "https://evil.example"}).status_code == 200


def test_a_guarded_write_with_our_cookie_from_another_site_is_refused(browser: APIClient) -> None:
    response = browser.post("/api/test/user", headers={"origin": "https://evil.example"})
    assert (response.status_code, response.json()) == REFUSED


def test_a_guarded_write_with_a_header_token_needs_no_origin(
    api: APIClient, make_user: MakeUser, settings: Settings
) -> None:
    settings.TOKEN_DELIVERY = "body"
    make_user()
    token = sign_in(api).json()["accessToken"]  # type: ignore[attr-defined]
    response = api.post("/api/test/user", headers={"origin": "https://evil.example", "x-access-token": token})
    assert response.status_code == 405
