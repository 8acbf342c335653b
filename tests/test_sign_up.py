"""POST /api/auth/signup: what is checked, in which order, and what everyone gets."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
REGISTERED = {"message": "User registered successfully!"}


def sign_up(api: APIClient, **fields: Any) -> tuple[int, dict[str, Any]]:
    body = {"username": "bob", "email": "bob@example.com", "password": PASSWORD, **fields}
    response = api.post("/api/auth/signup", {name: value for name, value in body.items() if value is not ...})
    return response.status_code, response.json()


def roles_of(username: str) -> tuple[str, ...]:
    return User.objects.get_by_natural_key(username).role_names


@pytest.mark.parametrize("roles", [..., [], None, ["user"], ["user", "user"]])
def test_everyone_gets_the_role_user(api: APIClient, roles: Any) -> None:
    assert sign_up(api, roles=roles) == (200, REGISTERED)
    assert roles_of("bob") == ("user",)


def test_who_signed_up_can_sign_in(api: APIClient, sign_in: Callable[..., dict[str, Any]]) -> None:
    sign_up(api)
    assert sign_in("bob")["roles"] == ["ROLE_USER"]


def test_a_form_may_name_a_role_like_express_reads_it(api: APIClient) -> None:
    form = "username=bob&email=bob%40example.com&password=correct%20horse%20battery&roles[]=user"
    response = api.post("/api/auth/signup", form, content_type="application/x-www-form-urlencoded")
    assert (response.status_code, roles_of("bob")) == (200, ("user",))


@pytest.mark.parametrize("username", ["alice", "ALICE", " alice ", "Ａlice"])
def test_a_username_is_taken_in_any_letter_case_and_width(api: APIClient, make_user: MakeUser, username: str) -> None:
    make_user("alice")
    assert sign_up(api, username=username) == (400, {"message": "Failed! Username is already in use!"})


@pytest.mark.parametrize("email", ["alice@example.com", "Alice@EXAMPLE.com"])
def test_an_email_is_taken_in_any_letter_case(api: APIClient, make_user: MakeUser, email: str) -> None:
    make_user("alice")
    assert sign_up(api, email=email) == (400, {"message": "Failed! Email is already in use!"})


@pytest.mark.parametrize("pair", [("jose", "josé"), ("strasse", "straze"), ("ıan", "ian"), ("ana", "aña")])
def test_names_that_differ_by_a_letter_are_two_people(api: APIClient, pair: tuple[str, str]) -> None:
    for number, username in enumerate(pair):
        assert sign_up(api, username=username, email=f"{number}@example.com")[0] == 200


@pytest.mark.parametrize("pair", [("josé", "jose\u0301"), ("straße", "STRASSE"), ("ﬁona", "Fiona"), ("ΣΑΣ", "σας")])
def test_names_that_are_written_differently_are_one_person(api: APIClient, pair: tuple[str, str]) -> None:
    assert sign_up(api, username=pair[0], email="1@example.com")[0] == 200
    assert sign_up(api, username=pair[1], email="2@example.com")[1]["message"] == "Failed! Username is already in use!"


def test_a_role_that_does_not_exist_is_refused(api: APIClient) -> None:
    assert sign_up(api, roles=["user", "root"]) == (400, {"message": "Failed! Role does not exist = root"})


@pytest.mark.parametrize("role", ["moderator", "admin"])
def test_nobody_makes_themselves_more_than_a_user(api: APIClient, role: str) -> None:
    expected = {"message": f"Failed! Role cannot be self-assigned = {role}"}
    assert sign_up(api, roles=["user", role]) == (403, expected)
    assert not User.objects.exists()


def test_a_role_is_self_assignable_where_the_settings_say_so(api: APIClient, settings: Settings) -> None:
    settings.SELF_ASSIGNABLE_ROLES = ["user", "moderator"]
    assert sign_up(api, roles=["moderator"]) == (200, REGISTERED)
    assert roles_of("bob") == ("moderator",)


def test_an_admin_who_is_signed_in_gives_any_role(signed_in_as: Callable[..., APIClient]) -> None:
    assert sign_up(signed_in_as("admin"), roles=["moderator", "admin"]) == (200, REGISTERED)
    assert roles_of("bob") == ("moderator", "admin")


def test_a_moderator_who_is_signed_in_does_not(signed_in_as: Callable[..., APIClient]) -> None:
    assert sign_up(signed_in_as("moderator"), roles=["moderator"])[0] == 403


def test_a_bad_access_token_is_ignored(api: APIClient) -> None:
    api.credentials(HTTP_X_ACCESS_TOKEN="a.b.c")
    assert sign_up(api, roles=["user"]) == (200, REGISTERED)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"username": ...}, "username: This field is required."),
        ({"email": ...}, "email: This field is required."),
        ({"password": ...}, "password: This field is required."),
        ({"password": None}, "password: This field may not be null."),
        ({"username": 7}, "username: Must be a text."),
        ({"email": {"a": {"b": 1}}}, "email: Must be a text."),
        ({"password": ["x"]}, "password: Must be a text."),
        ({"roles": "admin"}, "roles: Must be a list of names."),
        ({"roles": {"name": "admin"}}, "roles: Must be a list of names."),
        ({"roles": [1]}, "roles: Must be a text."),
        ({"username": "  bo "}, "Username must have 3 to 150 characters."),
        ({"username": "b" * 151}, "Username must have 3 to 150 characters."),
        ({"username": "bob smith"}, "Username may hold only letters, digits and @.+-_"),
        ({"username": "bob\x07"}, "Username may hold only letters, digits and @.+-_"),
        ({"username": "bob\u200b"}, "Username may hold only letters, digits and @.+-_"),
        ({"username": "bo\ufe0fb"}, "Username may hold only letters, digits and @.+-_"),
        ({"username": "<b>bob"}, "Username may hold only letters, digits and @.+-_"),
        ({"email": "bob"}, "Email is not a valid address."),
        ({"email": ""}, "Email is not a valid address."),
        ({"email": "b" * 243 + "@example.com"}, "Email must have at most 254 characters."),
        ({"email": '"\x01"@example.com'}, "Email is not a valid address."),
        ({"password": "Tr0ub4d"}, "This password is too short. It must contain at least 8 characters."),
        ({"password": "x9" * 129}, "This password is too long. It must contain at most 256 characters."),
        ({"password": "password123"}, "This password is too common."),
        ({"password": "bob@example"}, "The password is too similar to the email."),
    ],
)
def test_a_bad_field_is_named(api: APIClient, fields: dict[str, Any], message: str) -> None:
    status, body = sign_up(api, **fields)
    assert (status, body["message"]) == (400, message)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"roles": "x", "username": "x", "email": "x", "password": "x"}, "roles"),
        ({"username": "x", "email": "x", "password": "x", "roles": ["root"]}, "Username must"),
        ({"username": "alice", "email": "x", "password": "x", "roles": ["root"]}, "Email is not"),
        ({"username": "alice", "password": "x", "roles": ["root"]}, "This password"),
        ({"username": "alice", "email": "alice@example.com", "roles": ["root"]}, "Failed! Username"),
        ({"email": "alice@example.com", "roles": ["root"]}, "Failed! Email"),
        ({"roles": ["admin", "root"]}, "Failed! Role does not exist"),
        ({"roles": ["user", "admin"]}, "Failed! Role cannot be"),
    ],
)
def test_the_first_check_that_fails_answers(
    api: APIClient, make_user: MakeUser, fields: dict[str, Any], complaint: str
) -> None:
    make_user("alice")
    assert sign_up(api, **fields)[1]["message"].startswith(complaint)


@pytest.mark.parametrize("username", ["bob", "b.o+b-@_", "Владимир", "山田太郎", "हिन्दी", "b" * 150, "１２３"])
def test_letters_and_digits_of_any_script_make_a_name(api: APIClient, username: str) -> None:
    assert sign_up(api, username=username) == (200, REGISTERED)


@pytest.mark.parametrize("password", ["x9-" * 25, "ж" * 60 + "Q1", "🔑" * 250 + "unlock", "  spaces count  "])
def test_every_character_of_a_long_password_counts(
    api: APIClient, password: str, sign_in: Callable[..., dict[str, Any]]
) -> None:
    sign_up(api, password=password)
    assert sign_in("bob", password)["username"] == "bob"
    refused = api.post("/api/auth/signin", {"username": "bob", "password": password[:-1]})
    assert refused.status_code == 401
