"""POST /api/auth/signin: name and password in, who it is and tokens out."""

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Session, User
from tests.conftest import PASSWORD

MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, str]]
WRONG = {"accessToken": None, "message": "Invalid Password!"}


def test_answers_with_the_user_and_both_tokens(api: APIClient, make_user: MakeUser) -> None:
    user = make_user("alice", "moderator", "user")
    response = api.post("/api/auth/signin", {"username": "alice", "password": PASSWORD})
    body = response.json()
    tokens = {name: body.pop(name) for name in ("accessToken", "refreshToken")}
    assert response.status_code == 200
    assert body == {
        "id": user.pk,
        "username": "alice",
        "email": "alice@example.com",
        "roles": ["ROLE_USER", "ROLE_MODERATOR"],
    }
    assert all(token.count(".") == 2 for token in tokens.values())


def test_no_cache_may_keep_the_tokens(api: APIClient, make_user: MakeUser) -> None:
    make_user()
    response = api.post("/api/auth/signin", {"username": "alice", "password": PASSWORD})
    assert response["Cache-Control"] == "no-store"


def test_a_user_without_roles_has_an_empty_list(make_user: MakeUser, sign_in: Callable[..., dict[str, object]]) -> None:
    make_user().roles.clear()
    assert sign_in()["roles"] == []


@pytest.mark.parametrize("spelling", ["alice", "ALICE", " Alice ", "ａｌｉｃｅ"])
def test_the_name_is_found_in_any_spelling_that_is_the_same_name(
    make_user: MakeUser, sign_in: Callable[..., dict[str, object]], spelling: str
) -> None:
    make_user("alice")
    assert sign_in(spelling)["username"] == "alice"


def test_a_form_is_taken_as_well_as_json(api: APIClient, make_user: MakeUser) -> None:
    make_user()
    form = "username=alice&password=correct%20horse%20battery"
    response = api.post("/api/auth/signin", form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200


def test_a_wrong_password_is_refused(api: APIClient, make_user: MakeUser) -> None:
    make_user()
    response = api.post("/api/auth/signin", {"username": "alice", "password": "wrong"})
    assert (response.status_code, response.json()) == (401, WRONG)


@pytest.mark.django_db
def test_an_unknown_name_is_refused_as_a_wrong_password_is(api: APIClient) -> None:
    response = api.post("/api/auth/signin", {"username": "nobody", "password": "wrong"})
    assert (response.status_code, response.json()) == (401, WRONG)


@pytest.mark.django_db
def test_an_unknown_name_is_told_apart_where_the_settings_say_so(api: APIClient, settings: Settings) -> None:
    settings.REVEAL_UNKNOWN_USERNAME = True
    response = api.post("/api/auth/signin", {"username": "nobody", "password": "wrong"})
    assert (response.status_code, response.json()) == (404, {"message": "User Not found."})


def test_an_inactive_user_is_refused_as_a_wrong_password_is(api: APIClient, make_user: MakeUser) -> None:
    make_user(is_active=False)
    response = api.post("/api/auth/signin", {"username": "alice", "password": PASSWORD})
    assert (response.status_code, response.json()) == (401, WRONG)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "username: This field is required."),
        ({"username": "alice"}, "password: This field is required."),
        ({"password": PASSWORD}, "username: This field is required."),
        ({"username": "alice", "password": None}, "password: This field may not be null."),
        ({"username": {"$ne": ""}, "password": PASSWORD}, "username: Must be a text."),
        ({"username": "alice", "password": 12345678}, "password: Must be a text."),
    ],
)
def test_a_missing_or_misshapen_field_is_named(api: APIClient, body: dict[str, object], message: str) -> None:
    response = api.post("/api/auth/signin", body)
    assert (response.status_code, response.json()["message"]) == (400, message)


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_a_bad_access_token_is_ignored(api: APIClient, make_user: MakeUser, token: str) -> None:
    make_user()
    response = api.post(
        "/api/auth/signin", {"username": "alice", "password": PASSWORD}, headers={"x-access-token": token}
    )
    assert response.status_code == 200


def test_a_session_remembers_where_it_was_opened(api: APIClient, make_user: MakeUser) -> None:
    user = make_user()
    api.post(
        "/api/auth/signin",
        {"username": "alice", "password": PASSWORD},
        headers={"user-agent": "Firefox " + "x" * 300},
        REMOTE_ADDR="2001:db8::7",
    )
    session = user.sessions.get()
    assert (session.address, len(session.user_agent)) == ("2001:db8::7", 255)


@pytest.mark.parametrize("address", ["", "unix:" + "x" * 100])
def test_an_address_that_is_none_keeps_nobody_out(api: APIClient, make_user: MakeUser, address: str) -> None:
    user = make_user()
    api.post("/api/auth/signin", {"username": "alice", "password": PASSWORD}, REMOTE_ADDR=address)
    assert user.sessions.get().address is None


@pytest.mark.usefixtures("real_hashes")
def test_passwords_are_kept_as_argon2id_at_owasps_parameters(make_user: MakeUser) -> None:
    user = make_user()
    assert identify_hasher(user.password).algorithm == "argon2"
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.usefixtures("real_hashes")
def test_a_hash_with_weaker_parameters_is_upgraded_at_sign_in(
    make_user: MakeUser, sign_in: Callable[..., dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as weaker:
        weaker.setattr("accounts.hashers.Argon2idHasher.time_cost", 1)
        user = make_user()
    sign_in()
    user.refresh_from_db()
    assert "t=2" in user.password


# --- signing in again


def board(token: str) -> int:
    return APIClient().get("/api/test/user", headers={"x-access-token": token}).status_code


def test_signing_in_again_ends_the_session_that_the_client_forgets(
    api: APIClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    make_user()
    before = sign_in()["accessToken"]
    api.credentials(HTTP_X_ACCESS_TOKEN=before)
    after = sign_in()["accessToken"]
    assert (board(before), board(after)) == (401, 200)


def test_signing_in_elsewhere_ends_no_session(make_user: MakeUser, sign_in: SignIn) -> None:
    make_user()
    before = sign_in()["accessToken"]
    sign_in()
    assert board(before) == 200


def test_signing_in_as_another_user_ends_no_session(api: APIClient, make_user: MakeUser, sign_in: SignIn) -> None:
    make_user()
    make_user("bob")
    before = sign_in()["accessToken"]
    api.credentials(HTTP_X_ACCESS_TOKEN=before)
    sign_in("bob")
    assert board(before) == 200


def test_a_refused_sign_in_ends_no_session(api: APIClient, make_user: MakeUser, sign_in: SignIn) -> None:
    make_user()
    before = sign_in()["accessToken"]
    api.credentials(HTTP_X_ACCESS_TOKEN=before)
    api.post("/api/auth/signin", {"username": "alice", "password": "wrong"})
    assert board(before) == 200


def test_a_browser_that_signs_in_again_leaves_no_session_behind(
    api: APIClient, make_user: MakeUser, settings: Settings
) -> None:
    settings.TOKEN_DELIVERY = "cookie"
    user = make_user()
    for _ in range(3):
        assert api.post("/api/auth/signin", {"username": "alice", "password": PASSWORD}).status_code == 200
    assert Session.objects.live(timezone.now()).filter(user=user).count() == 1
