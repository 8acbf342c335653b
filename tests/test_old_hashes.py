"""bcrypt hashes brought over from the reference's database: people sign in as before, and get an Argon2id hash."""

from collections.abc import Callable
from typing import Any

import bcrypt
import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]
WRONG = (401, {"accessToken": None, "message": "Invalid Password!"})
LONG = "0123456789" * 10

# Made by libxcrypt: another implementation than the one that checks them, which drops what is beyond 72 bytes too.
MADE_ELSEWHERE = {
    PASSWORD: "$2a$08$abcdefghijklmnopqrstuuwezlW09AGl.Qc8oiYvHEzrpumH/GaSu",
    "ü" * 36 + "x": "$2a$08$abcdefghijklmnopqrstuubHX.8PmpWRvZDE36kTQLPXUnzeHF29e",
    "x" * 71 + "é": "$2a$08$abcdefghijklmnopqrstuuoqTw5VEzzM6cz2FLH4EVbuC9btDZtSC",
    LONG: "$2a$08$abcdefghijklmnopqrstuui50qEeMdWVqKp5g4A6CFiyxEOX3bWQK",
}
SALT_AND_SUM = MADE_ELSEWHERE[PASSWORD].removeprefix("$2a$08$")

MALFORMED = {
    "nothing": "bcrypt$",
    "no dollars": "bcrypt$junk",
    "too short": f"bcrypt$$2a$08${SALT_AND_SUM[:-1]}",
    "too long": f"bcrypt$$2a$08${SALT_AND_SUM}x",
    "with a line end": f"bcrypt$$2a$08${SALT_AND_SUM}\n",
    "not ASCII": f"bcrypt$$2a$08${SALT_AND_SUM[:-1]}é",
    "digits of another script": f"bcrypt$$2a$٠٨${SALT_AND_SUM}",
    "a salt that no encoder writes": f"bcrypt$$2a$08${'z' * 22}{SALT_AND_SUM[22:]}",
    "no cost": f"bcrypt$$2a$${SALT_AND_SUM}",
    "an impossible cost": f"bcrypt$$2a$99${SALT_AND_SUM}",
    "a cost too low": f"bcrypt$$2a$03${SALT_AND_SUM}",
    "a cost of a minute": f"bcrypt$$2a$20${SALT_AND_SUM}",
    "a cost of days": f"bcrypt$$2a$31${SALT_AND_SUM}",
    "a version with a known mistake": f"bcrypt$$2x$08${SALT_AND_SUM}",
    "Argon2 without anything": "argon2",
    "Argon2 with nothing": "argon2$",
    "Argon2 without parameters": "argon2$argon2id$v=19$c2FsdHNhbHQ$aGFzaGhhc2g",
    "Argon2 that is not base64": "argon2$argon2id$v=19$m=19456,t=2,p=1$%%%$é",
    "an algorithm that nobody knows": "md4$x$y",
}
ALL_MALFORMED = pytest.mark.parametrize("encoded", MALFORMED.values(), ids=MALFORMED.keys())


@pytest.fixture
def alice(make_user: MakeUser) -> Callable[[str], User]:
    """Alice, with that hash as it came."""

    def with_hash(encoded: str) -> User:
        user = make_user()
        User.objects.filter(pk=user.pk).update(password=encoded)
        return User.objects.get(pk=user.pk)

    return with_hash


def old(password: str = PASSWORD, cost: int = 4) -> str:
    return "bcrypt$" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost, b"2a")).decode()


def try_to_sign_in(api: APIClient, password: str) -> tuple[int, Any]:
    response = api.post("/api/auth/signin", {"username": "alice", "password": password})
    return response.status_code, response.json()


def stored() -> str:
    return User.objects.get(username="alice").password


# --- people sign in as before


@pytest.mark.parametrize("password", MADE_ELSEWHERE, ids=["short", "73 bytes", "72 and a half letter", "100 bytes"])
def test_the_old_password_is_right(alice: Callable[[str], User], sign_in: SignIn, password: str) -> None:
    alice(f"bcrypt${MADE_ELSEWHERE[password]}")
    assert sign_in(password=password)["username"] == "alice"


@pytest.mark.parametrize("version", ["2a", "2b", "2y"])
def test_the_three_spellings_of_bcrypt_are_read(alice: Callable[[str], User], sign_in: SignIn, version: str) -> None:
    alice(f"bcrypt${MADE_ELSEWHERE[PASSWORD].replace('2a', version, 1)}")
    assert sign_in()["username"] == "alice"


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.upper(), f"{PASSWORD} ", "x" * 256])
def test_a_wrong_password_is_refused(alice: Callable[[str], User], api: APIClient, password: str) -> None:
    alice(old())
    assert try_to_sign_in(api, password) == WRONG


def test_a_password_that_would_be_refused_today_still_signs_in(alice: Callable[[str], User], sign_in: SignIn) -> None:
    alice(old("123"))
    assert sign_in(password="123")["username"] == "alice"


# --- and get an Argon2id hash


@pytest.mark.usefixtures("real_hashes")
def test_the_hash_is_upgraded_at_the_next_sign_in(alice: Callable[[str], User], sign_in: SignIn) -> None:
    alice(old())
    sign_in()
    assert stored().startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in()["username"] == "alice"


def test_the_hash_is_upgraded_when_one_enters_the_admin(make_user: MakeUser, client: Client) -> None:
    make_user("root", "admin")
    User.objects.update(password=old())
    client.post("/admin/login/", {"username": "root", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200
    assert User.objects.get().password.startswith("argon2$")


def test_a_wrong_password_upgrades_nothing(alice: Callable[[str], User], api: APIClient) -> None:
    user = alice(old())
    try_to_sign_in(api, "wrong")
    assert stored() == user.password


def test_an_inactive_users_hash_stays(alice: Callable[[str], User], api: APIClient) -> None:
    """Its upgrade would be a write that takes time, and so would tell that the password was right."""
    user = alice(old())
    User.objects.update(is_active=False)
    assert try_to_sign_in(api, PASSWORD) == WRONG
    assert stored() == user.password


def test_from_the_upgrade_on_the_whole_password_counts(
    alice: Callable[[str], User], api: APIClient, sign_in: SignIn
) -> None:
    alice(f"bcrypt${MADE_ELSEWHERE[LONG]}")
    sign_in(password=LONG)
    assert try_to_sign_in(api, LONG[:-1] + "x") == WRONG


def test_an_upgrade_does_not_bring_the_old_password_back(
    alice: Callable[[str], User], api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice(old())
    faster = make_password("a newer password")

    def set_meanwhile(password: str) -> str:
        User.objects.update(password=faster)
        return make_password(password)

    monkeypatch.setattr("accounts.services.checking.make_password", set_meanwhile)
    try_to_sign_in(api, PASSWORD)
    assert stored() == faster


def test_djangos_own_check_knows_the_hash_and_leaves_it(alice: Callable[[str], User]) -> None:
    user = alice(old())
    assert (user.check_password(PASSWORD), user.check_password("wrong"), stored()) == (True, False, user.password)


def test_the_password_can_be_changed_before_the_upgrade(
    alice: Callable[[str], User], api: APIClient, sign_in: SignIn
) -> None:
    user = alice(make_password(PASSWORD))
    token = sign_in()["accessToken"]
    User.objects.filter(pk=user.pk).update(password=old())
    body = {"currentPassword": PASSWORD, "newPassword": "a newer password"}
    assert api.post("/api/auth/password", body, headers={"x-access-token": token}).status_code == 200
    assert sign_in(password="a newer password")["username"] == "alice"


def test_no_new_hash_is_made_with_bcrypt(settings: Settings) -> None:
    assert make_password(PASSWORD).startswith("argon2$")
    with pytest.raises(NotImplementedError):
        make_password(PASSWORD, hasher="bcrypt")


# --- hashes that cannot be read


@ALL_MALFORMED
def test_no_password_fits_a_hash_that_cannot_be_read(
    alice: Callable[[str], User], api: APIClient, encoded: str
) -> None:
    alice(encoded)
    assert try_to_sign_in(api, PASSWORD) == WRONG


@ALL_MALFORMED
def test_a_current_password_does_not_fit_it_either(
    alice: Callable[[str], User], api: APIClient, sign_in: SignIn, encoded: str
) -> None:
    user = alice(make_password(PASSWORD))
    headers = {"x-access-token": sign_in()["accessToken"]}
    User.objects.filter(pk=user.pk).update(password=encoded)
    response = api.post("/api/auth/me/delete", {"password": PASSWORD}, headers=headers)
    assert (response.status_code, response.json()) == (400, {"message": "The current password is not right."})


@pytest.mark.parametrize(
    "encoded", [*MALFORMED.values(), f"bcrypt${MADE_ELSEWHERE[PASSWORD]}"], ids=[*MALFORMED.keys(), "one that can"]
)
def test_the_admin_shows_whose_hash_it_is(make_user: MakeUser, client: Client, encoded: str) -> None:
    make_user("root", "admin")
    client.post("/admin/login/", {"username": "root", "password": PASSWORD})
    user = make_user("bob")
    User.objects.filter(pk=user.pk).update(password=encoded)
    page = client.get(f"/admin/accounts/user/{user.pk}/change/")
    assert page.status_code == 200
    assert SALT_AND_SUM[22:] not in page.content.decode()


# --- the database knows whether there are any, whoever wrote them


def by_save(user: User, encoded: str) -> None:
    user.password = encoded
    user.save()


def by_update(user: User, encoded: str) -> None:
    User.objects.filter(pk=user.pk).update(password=encoded)


def by_bulk_create(user: User, encoded: str) -> None:
    User.objects.bulk_create([User(username="imported", email="imported@example.com", password=encoded)])


def by_sql(user: User, encoded: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET password = %s WHERE id = %s", [encoded, user.pk])


@pytest.mark.parametrize("write", [by_save, by_update, by_bulk_create, by_sql])
def test_an_old_hash_is_counted_whichever_way_it_came(make_user: MakeUser, write: Callable[[User, str], None]) -> None:
    user = make_user()
    assert User.objects.highest_bcrypt_cost() is None
    write(user, f"bcrypt$$2a$08${SALT_AND_SUM}")
    assert User.objects.highest_bcrypt_cost() == 8


def test_of_several_costs_the_highest_counts(make_user: MakeUser) -> None:
    for cost in (10, 14, 4):
        by_update(make_user(f"cost{cost}"), f"bcrypt$$2b${cost:02}${SALT_AND_SUM}")
    assert User.objects.highest_bcrypt_cost() == 14


@pytest.mark.parametrize("cost", ["00", "03", "15", "31", "99", "x8", "$$"])
def test_a_cost_that_is_never_worked_off_counts_for_nothing(make_user: MakeUser, cost: str) -> None:
    by_update(make_user(), f"bcrypt$$2a${cost}${SALT_AND_SUM}")
    assert User.objects.highest_bcrypt_cost() is None


def test_the_last_upgrade_leaves_none(alice: Callable[[str], User], sign_in: SignIn) -> None:
    alice(old())
    sign_in()
    assert User.objects.highest_bcrypt_cost() is None
