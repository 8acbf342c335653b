"""What a password may be, at every door: its length, common ones, and this service's own words."""

import sys
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.conftest import PASSWORD

MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]
EASY = "This password is easy to guess. It must be more than a word that belongs to this service, with digits or"


def sign_up(api: Any, password: str) -> tuple[int, str]:
    body = {"username": "bob", "email": "bob@example.com", "password": password}
    response = api.post("/api/auth/signup", body)
    return response.status_code, response.json()["message"]


def is_taken(api: APIClient, password: str) -> bool:
    status, _ = sign_up(api, password)
    assert status in (200, 400)
    return status == 200


# --- length and letters


@pytest.mark.django_db
@pytest.mark.parametrize(
    "password",
    [
        "gqzvbrtk",
        "58301746",
        "gq zvbrt",
        "ünïcödé 密码",
        "🐎🔋📎🐎🔋📎🐎🔋",
        "correct horse battery staple" * 2,
        "x9" * 128,
    ],
    ids=["8 small letters", "digits", "a blank", "scripts", "pictures", "56 characters", "256 characters"],
)
def test_any_characters_make_a_password(api: APIClient, sign_in: SignIn, password: str) -> None:
    assert is_taken(api, password)
    assert sign_in("bob", password)["username"] == "bob"


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["", "gqzvbrt", "x9" * 128 + "x"], ids=["none", "7 characters", "257 characters"])
def test_too_short_and_too_long_ones_are_refused(api: APIClient, password: str) -> None:
    assert not is_taken(api, password)


@pytest.mark.parametrize("password", ["12345678", "password1", "football", "Iloveyou"])
@pytest.mark.django_db
def test_common_ones_are_refused(api: APIClient, password: str) -> None:
    assert sign_up(api, password) == (400, "This password is too common.")


@pytest.mark.parametrize(
    "altered",
    [f"{PASSWORD} ", f" {PASSWORD}", PASSWORD.title(), PASSWORD[:-1], f"{PASSWORD}\u200b"],
    ids=["blank behind", "blank before", "letter case", "one less", "an invisible one"],
)
def test_a_password_is_verified_exactly_as_received(make_user: MakeUser, api: APIClient, altered: str) -> None:
    make_user()
    assert api.post("/api/auth/signin", {"username": "alice", "password": altered}).status_code == 401


@pytest.mark.django_db
def test_the_last_of_256_characters_counts(api: APIClient) -> None:
    sign_up(api, "ü" * 255 + "x")
    response = api.post("/api/auth/signin", {"username": "bob", "password": "ü" * 255 + "y"})
    assert response.status_code == 401


# --- this service's own words


@pytest.mark.django_db
@pytest.mark.parametrize(
    "password", ["acme-2024", "ACME2024!!", "!!aCmE!!99", "a.c.m.e.1", "Road Runner 1", "authproject1", "Moderator#1"]
)
def test_a_word_of_this_service_with_trimmings_is_refused(api: APIClient, settings: Settings, password: str) -> None:
    settings.PASSWORD_WORDS = ["Acme", "road-runner"]
    status, message = sign_up(api, password)
    assert (status, message) == (400, f"{EASY} punctuation.")


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["acme battery", "the moderators", "acmeacmeacme", "84091735"])
def test_a_password_that_holds_more_than_the_word_is_taken(api: APIClient, settings: Settings, password: str) -> None:
    settings.PASSWORD_WORDS = ["acme"]
    assert is_taken(api, password)


@pytest.mark.django_db
def test_the_issuer_of_the_tokens_is_such_a_word(api: APIClient, settings: Settings) -> None:
    settings.TOKEN_ISSUER = "wile-e-coyote"
    assert not is_taken(api, "WileECoyote7")


# --- every door


def through_sign_up(password: str) -> str:
    client = APIClient()
    client.default_format = "json"
    return sign_up(client, password)[1]


def as_boss(path: str, body: dict[str, str]) -> str:
    client = APIClient()
    client.default_format = "json"
    tokens = client.post("/api/auth/signin", {"username": "boss", "password": PASSWORD}).json()
    return client.post(path, body, headers={"x-access-token": tokens["accessToken"]}).json()["message"]


def through_the_own_account(password: str) -> str:
    return as_boss("/api/auth/password", {"currentPassword": PASSWORD, "newPassword": password})


def through_the_api_for_admins(password: str) -> str:
    return as_boss("/api/users", {"username": "bob", "email": "bob@example.com", "password": password})


def through_the_admin(path: str, **fields: str) -> str:
    client = Client()
    client.post("/admin/login/", {"username": "boss", "password": PASSWORD})
    return client.post(path, {"usable_password": "true", **fields}).content.decode()


def through_a_new_user_in_the_admin(password: str) -> str:
    fields = {"username": "bob", "email": "bob@example.com", "password1": password, "password2": password}
    return through_the_admin("/admin/accounts/user/add/", **fields)


def through_a_users_page_in_the_admin(password: str) -> str:
    path = f"/admin/accounts/user/{User.objects.get(username='boss').pk}/password/"
    return through_the_admin(path, password1=password, password2=password)


def through_the_admins_own_page(password: str) -> str:
    fields = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    return through_the_admin("/admin/password_change/", **fields)


def through_a_command(*arguments: str) -> Callable[[str], str]:
    def run(password: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", StringIO(password))
            patch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
            with pytest.raises(CommandError) as refusal:
                call_command(*arguments)
        return str(refusal.value)

    return run


DOORS: dict[str, Callable[[str], str]] = {
    "sign-up": through_sign_up,
    "own account": through_the_own_account,
    "users": through_the_api_for_admins,
    "admin, new user": through_a_new_user_in_the_admin,
    "admin, another's password": through_a_users_page_in_the_admin,
    "admin, own password": through_the_admins_own_page,
    "create_user": through_a_command("create_user", "bob", "bob@example.com"),
    "set_password": through_a_command("set_password", "boss"),
    "createsuperuser": through_a_command("createsuperuser", "--noinput", "--username=bob", "--email=bob@example.com"),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
def test_the_rules_hold_at_every_door(make_user: MakeUser, door: Callable[[str], str]) -> None:
    make_user("boss", "admin")
    before = list(User.objects.values_list("username", "password"))
    assert EASY in door("moderator-2024")
    assert list(User.objects.values_list("username", "password")) == before
