"""/api/auth/me, password, sessions: what everyone can do about their own account, and about nobody else's."""

import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import services, sessions
from accounts.errors import UserNotFound
from accounts.models import Actor, AuditEntry, Session, User
from accounts.services.checking import may_sign_in
from tests.conftest import PASSWORD
from tests.test_transactions import closing, on_mariadb

pytestmark = pytest.mark.django_db
SignIn = Callable[..., dict[str, Any]]
OTHER = "another battery staple"
WRONG = (400, {"message": "The current password is not right."})
NO_SESSION = "00000000-0000-7000-8000-000000000000"
NO_VERSION = "e6465089-d98a-9097-3bf0-b08a9446e11a"
NOT_SIGNED_IN = (403, {"message": "No token provided!"})


@pytest.fixture
def alice(make_user: Callable[..., User], sign_in: SignIn) -> APIClient:
    """alice, signed in at a laptop."""
    make_user("alice", "user", "moderator")
    return client(sign_in())


def client(tokens: dict[str, Any]) -> APIClient:
    api = APIClient(raise_request_exception=False, headers={"x-access-token": tokens["accessToken"]})
    api.default_format = "json"
    return api


def said(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "me"),
        ("patch", "me"),
        ("post", "password"),
        ("get", "sessions"),
        ("delete", f"sessions/{NO_SESSION}"),
        ("post", "me/delete"),
        ("get", "me/export"),
    ],
)
def test_who_is_not_signed_in_has_no_account_here(api: APIClient, method: str, path: str) -> None:
    assert said(getattr(api, method)(f"/api/auth/{path}")) == NOT_SIGNED_IN


# --- me


def test_me_is_what_sign_in_said_and_when_it_began(alice: APIClient) -> None:
    user = User.objects.get()
    response = alice.get("/api/auth/me")
    assert said(response) == (
        200,
        {
            "id": user.pk,
            "username": "alice",
            "email": "alice@example.com",
            "roles": ["ROLE_USER", "ROLE_MODERATOR"],
            "createdAt": user.created_at.isoformat().replace("+00:00", "Z"),
            "updatedAt": user.updated_at.isoformat().replace("+00:00", "Z"),
        },
    )
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("change", [{"username": "alicia"}, {"email": "alicia@example.com"}])
def test_a_name_is_changed_with_the_current_password(alice: APIClient, change: dict[str, str]) -> None:
    status, body = said(alice.patch("/api/auth/me", {**change, "currentPassword": PASSWORD}))
    assert (status, body | change) == (200, body)
    assert User.objects.filter(**change).exists()


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_name_is_not_changed_with_a_wrong_password(alice: APIClient, password: str) -> None:
    assert said(alice.patch("/api/auth/me", {"username": "alicia", "currentPassword": password})) == WRONG


def test_a_name_is_not_changed_without_a_password(alice: APIClient) -> None:
    status, body = said(alice.patch("/api/auth/me", {"username": "alicia"}))
    assert (status, body["message"]) == (400, "currentPassword: This field is required.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"username": "BOB"}, "Failed! Username is already in use!"),
        ({"email": "Bob@Example.com"}, "Failed! Email is already in use!"),
        ({"username": "x"}, "Username must have 3 to 150 characters."),
        ({"email": "x"}, "Email is not a valid address."),
    ],
)
def test_a_new_name_follows_the_rules_of_sign_up(
    alice: APIClient, make_user: Callable[..., User], change: dict[str, str], message: str
) -> None:
    make_user("bob")
    assert said(alice.patch("/api/auth/me", {**change, "currentPassword": PASSWORD})) == (400, {"message": message})


def test_only_the_spelling_of_ones_own_name_can_be_changed(alice: APIClient) -> None:
    assert alice.patch("/api/auth/me", {"username": "Alice", "currentPassword": PASSWORD}).status_code == 200


def test_a_renamed_user_signs_in_with_the_new_name_only(alice: APIClient, api: APIClient) -> None:
    alice.patch("/api/auth/me", {"username": "alicia", "currentPassword": PASSWORD})
    answers = [api.post("/api/auth/signin", {"username": name, "password": PASSWORD}) for name in ("alicia", "alice")]
    assert [answer.status_code for answer in answers] == [200, 401]


@pytest.mark.parametrize("field", ["id", "roles", "active", "is_active", "createdAt"])
def test_what_is_not_ones_own_to_change_stays(alice: APIClient, field: str) -> None:
    before = alice.get("/api/auth/me").json()
    alice.patch("/api/auth/me", {field: "admin", "currentPassword": PASSWORD})
    assert alice.get("/api/auth/me").json() == before


# --- password


def change_password(api: APIClient, current: str = PASSWORD, new: str = OTHER) -> tuple[int, Any]:
    return said(api.post("/api/auth/password", {"currentPassword": current, "newPassword": new}))


def test_a_new_password_works_and_the_old_one_does_not(alice: APIClient, api: APIClient) -> None:
    message = "Your password was changed, and your other sessions were ended."
    assert change_password(alice) == (200, {"message": message})
    answers = [api.post("/api/auth/signin", {"username": "alice", "password": word}) for word in (OTHER, PASSWORD)]
    assert [answer.status_code for answer in answers] == [200, 401]


def test_a_new_password_ends_all_other_sessions(alice: APIClient, sign_in: SignIn) -> None:
    phone = client(sign_in())
    change_password(alice)
    assert [alice.get("/api/auth/me").status_code, phone.get("/api/auth/me").status_code] == [200, 401]


def test_a_wrong_current_password_changes_nothing(alice: APIClient, sign_in: SignIn) -> None:
    assert change_password(alice, current="wrong") == WRONG
    assert sign_in()["username"] == "alice"


@pytest.mark.parametrize("new", ["short", "password123", "alice@example", "x9" * 129])
def test_a_new_password_follows_the_policy(alice: APIClient, new: str) -> None:
    status, body = change_password(alice, new=new)
    assert status == 400
    assert "password" in body["message"]


# --- sessions


def test_the_sessions_are_listed_newest_first_and_the_current_one_is_marked(
    make_user: Callable[..., User], api: APIClient
) -> None:
    make_user("alice")
    credentials = {"username": "alice", "password": PASSWORD}
    with time_machine.travel(1_000_000, tick=False) as clock:
        laptop = api.post("/api/auth/signin", credentials, headers={"user-agent": "Firefox"}, REMOTE_ADDR="192.0.2.1")
        clock.shift(60)
        api.post("/api/auth/signin", credentials, headers={"user-agent": "Phone"}, REMOTE_ADDR="2001:db8::1")
        status, listed = said(client(laptop.json()).get("/api/auth/sessions"))
    ids = [str(session.id) for session in Session.objects.order_by("-opened_at")]
    ended = {"revokedAt": None, "revokedReason": ""}
    assert (status, listed) == (
        200,
        [
            {
                "current": False,
                "id": ids[0],
                "device": "Phone",
                "address": "2001:db8::1",
                "openedAt": "1970-01-12T13:47:40Z",
                "lastUsedAt": "1970-01-12T13:47:40Z",
                "expiresAt": "1970-02-11T13:47:40Z",
                **ended,
            },
            {
                "current": True,
                "id": ids[1],
                "device": "Firefox",
                "address": "192.0.2.1",
                "openedAt": "1970-01-12T13:46:40Z",
                "lastUsedAt": "1970-01-12T13:46:40Z",
                "expiresAt": "1970-02-11T13:46:40Z",
                **ended,
            },
        ],
    )


def test_sessions_that_have_ended_are_not_listed(alice: APIClient, api: APIClient, sign_in: SignIn) -> None:
    api.post("/api/auth/signout", headers={"x-access-token": sign_in()["accessToken"]})
    assert len(alice.get("/api/auth/sessions").json()) == 1


def test_one_of_the_sessions_can_be_ended(alice: APIClient, sign_in: SignIn) -> None:
    phone = client(sign_in())
    [other] = [session["id"] for session in alice.get("/api/auth/sessions").json() if not session["current"]]
    assert alice.delete(f"/api/auth/sessions/{other}").status_code == 204
    assert [alice.get("/api/auth/me").status_code, phone.get("/api/auth/me").status_code] == [200, 401]


def test_nobody_ends_another_users_session(alice: APIClient, make_user: Callable[..., User], sign_in: SignIn) -> None:
    make_user("bob")
    bob = client(sign_in("bob"))
    session = Session.objects.get(user__username="bob")
    expected = (404, {"message": "There is no such session."})
    assert said(alice.delete(f"/api/auth/sessions/{session.id}")) == expected
    assert bob.get("/api/auth/me").status_code == 200


@pytest.mark.parametrize("session_id", [NO_SESSION, NO_VERSION, "7", "x" * 36])
def test_a_session_that_is_not_there_is_not_found(alice: APIClient, session_id: str) -> None:
    assert alice.delete(f"/api/auth/sessions/{session_id}").status_code == 404


def test_beyond_the_limit_the_oldest_session_ends(alice: APIClient, sign_in: SignIn, settings: Settings) -> None:
    settings.SESSIONS_PER_USER = 3
    later = [client(sign_in()) for _ in range(3)]
    assert alice.get("/api/auth/me").status_code == 401
    assert [each.get("/api/auth/me").status_code for each in later] == [200] * 3
    assert Session.objects.get(revoked_at__isnull=False).revoked_reason == Session.Reason.SURPLUS


# --- sign-out everywhere


@pytest.mark.parametrize("everywhere", [True, "true"])
def test_signing_out_everywhere_ends_all_sessions(alice: APIClient, sign_in: SignIn, everywhere: Any) -> None:
    phone = client(sign_in())
    alice.post("/api/auth/signout", {"everywhere": everywhere})
    assert [alice.get("/api/auth/me").status_code, phone.get("/api/auth/me").status_code] == [401, 401]


@pytest.mark.parametrize("everywhere", [False, None, 0, [], {}, "no"])
def test_signing_out_here_leaves_the_other_sessions(alice: APIClient, sign_in: SignIn, everywhere: Any) -> None:
    phone = client(sign_in())
    assert alice.post("/api/auth/signout", {"everywhere": everywhere}).status_code == 200
    assert phone.get("/api/auth/me").status_code == 200


def test_an_expired_token_cannot_sign_out_everywhere(make_user: Callable[..., User], sign_in: SignIn) -> None:
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        found = client(sign_in())
        clock.shift(3601)
        owners = client(sign_in())
        found.post("/api/auth/signout", {"everywhere": True})
        assert owners.get("/api/auth/me").status_code == 200


def test_a_refresh_token_cannot_sign_out_everywhere(api: APIClient, alice: APIClient, sign_in: SignIn) -> None:
    api.post("/api/auth/signout", {"refreshToken": sign_in()["refreshToken"], "everywhere": True})
    assert alice.get("/api/auth/me").status_code == 200


def test_a_token_of_a_session_that_has_ended_cannot_sign_out_everywhere(alice: APIClient, sign_in: SignIn) -> None:
    owners = client(sign_in())
    alice.post("/api/auth/signout")
    alice.post("/api/auth/signout", {"everywhere": True})
    assert owners.get("/api/auth/me").status_code == 200


# --- leaving


def test_leaving_takes_the_account_its_sessions_and_its_grants(alice: APIClient) -> None:
    response = alice.post("/api/auth/me/delete", {"password": PASSWORD})
    assert said(response) == (200, {"message": "Your account was deleted."})
    assert not User.objects.exists()
    assert not Session.objects.exists()
    assert alice.get("/api/auth/me").status_code == 401


def test_leaving_needs_the_password(alice: APIClient) -> None:
    assert said(alice.post("/api/auth/me/delete", {"password": "wrong"})) == WRONG
    assert alice.get("/api/auth/me").status_code == 200


def test_after_leaving_the_audit_trail_tells_of_it_and_names_nobody(alice: APIClient) -> None:
    alice.post("/api/auth/me/delete", {"password": PASSWORD})
    rows = list(AuditEntry.objects.values())
    assert rows[0]["action"] == "account_deleted"
    assert "alice" not in json.dumps(rows, default=str)


def test_the_name_of_who_left_is_free_again(alice: APIClient, api: APIClient) -> None:
    alice.post("/api/auth/me/delete", {"password": PASSWORD})
    body = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}
    assert api.post("/api/auth/signup", body).status_code == 200


# --- export


def test_the_export_holds_account_grants_sessions_and_audit(alice: APIClient) -> None:
    exported = alice.get("/api/auth/me/export").json()
    assert exported["account"] == alice.get("/api/auth/me").json()
    assert [grant["role"] for grant in exported["grants"]] == ["user", "moderator"]
    assert [session["id"] for session in exported["sessions"]] == [str(Session.objects.get().id)]
    assert [entry["action"] for entry in exported["audit"]] == ["signed_in", "role_granted", "account_created"]


def test_the_export_holds_nothing_of_others_and_no_hash(
    alice: APIClient, make_user: Callable[..., User], sign_in: SignIn
) -> None:
    make_user("bob")
    sign_in("bob")
    text = alice.get("/api/auth/me/export").content.decode()
    assert "bob" not in text
    assert "argon2" not in text


def test_the_export_does_not_say_where_others_were(alice: APIClient, signed_in_as: Callable[..., APIClient]) -> None:
    admin = signed_in_as("admin")
    admin.post(
        f"/api/users/{User.objects.get(username='alice').pk}/roles",
        {"role": "admin"},
        headers={"user-agent": "the admin's laptop"},
        REMOTE_ADDR="192.0.2.99",
    )
    text = alice.get("/api/auth/me/export").content.decode()
    assert "role_granted" in text
    assert "laptop" not in text
    assert "192.0.2.99" not in text


@pytest.mark.parametrize("path", ["me", "password", "me/delete"])
@pytest.mark.parametrize("body", [[], "x", 7, {"currentPassword": {}}, {"password": 7}, {"newPassword": None}])
def test_a_misshapen_body_is_a_bad_request(alice: APIClient, path: str, body: Any) -> None:
    method = alice.patch if path == "me" else alice.post
    response = method(f"/api/auth/{path}", body)
    assert response.status_code == 400
    assert response.json()["message"]


# --- a password that is changed while something else is under way


def test_a_sign_in_that_checked_the_old_password_opens_nothing(make_user: Callable[..., User], api: APIClient) -> None:
    make_user()
    checked = services.authenticate(username="alice", password=PASSWORD, by=Actor())
    services.set_password(user=User.objects.get(), password=OTHER, by=Actor())
    _, pair = sessions.open(user=checked, client=Actor())
    answers = [
        api.get("/api/auth/me", headers={"x-access-token": pair.access}),
        api.post("/api/auth/refreshtoken", {"refreshToken": pair.refresh}),
    ]
    assert [answer.status_code for answer in answers] == [401, 403]


def test_a_change_that_checked_the_old_password_does_not_undo_another(
    alice: APIClient, monkeypatch: pytest.MonkeyPatch, sign_in: SignIn
) -> None:
    def an_operator_is_faster(password: str, user: User) -> None:
        monkeypatch.undo()
        services.set_password(user=User.objects.get(), password=OTHER, by=Actor())

    monkeypatch.setattr("accounts.services.passwords.refuse_weak", an_operator_is_faster)
    assert change_password(alice, new="yet another one") == WRONG
    assert sign_in(password=OTHER)["username"] == "alice"


@pytest.mark.usefixtures("real_hashes")
def test_a_hash_brought_up_to_date_does_not_bring_the_old_password_back(
    make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch, sign_in: SignIn
) -> None:
    with monkeypatch.context() as weaker:
        weaker.setattr("accounts.hashers.Argon2idHasher.time_cost", 1)
        make_user()
    verified = User.objects.with_roles(username="alice")
    assert verified is not None
    services.set_password(user=User.objects.get(), password=OTHER, by=Actor())
    with monkeypatch.context() as late:
        late.setattr(User.objects, "with_roles", lambda username: verified)
        services.authenticate(username="alice", password=PASSWORD, by=Actor())
    assert sign_in(password=OTHER)["username"] == "alice"


def test_a_deactivated_users_sessions_do_not_come_back_with_the_account(alice: APIClient) -> None:
    for active in (False, True):
        services.set_active(user=User.objects.get(), active=active, by=Actor())
    assert alice.get("/api/auth/me").status_code == 401


def test_a_sign_in_during_a_deactivation_opens_nothing_that_comes_back(
    make_user: Callable[..., User], api: APIClient
) -> None:
    make_user()
    checked = services.authenticate(username="alice", password=PASSWORD, by=Actor())
    services.set_active(user=User.objects.get(), active=False, by=Actor())
    _, pair = sessions.open(user=checked, client=Actor())
    services.set_active(user=User.objects.get(), active=True, by=Actor())
    assert api.get("/api/auth/me", headers={"x-access-token": pair.access}).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_during_a_deletion_is_refused(
    make_user: Callable[..., User], api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    real = may_sign_in

    def the_account_goes_meanwhile(found: User | None, password: str) -> bool:
        is_right = real(found, password)
        services.delete_account(user=user, by=Actor())
        return is_right

    monkeypatch.setattr("accounts.services.signing.may_sign_in", the_account_goes_meanwhile)
    response = api.post("/api/auth/signin", {"username": "alice", "password": PASSWORD})
    assert said(response) == (401, {"accessToken": None, "message": "Invalid Password!"})


@on_mariadb
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda user: sessions.open(user=user, client=Actor()),
        lambda user: services.grant_role(user=user, role_name="moderator", by=Actor()),
    ],
    ids=["a sign-in", "a grant"],
)
def test_an_account_is_deleted_whatever_is_added_to_it_meanwhile(
    make_user: Callable[..., User], meanwhile: Callable[[User], Any]
) -> None:
    make_user("root", "admin")
    user, added = make_user(), list[Future[Any]]()

    def after_what_belongs_to_it(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if sql.startswith("DELETE FROM `accounts_user`"):
            added.append(other.submit(closing(meanwhile), user))
            # Either it is done at once, or it waits for the deletion.
            wait(added, timeout=0.5)
        return execute(sql, *args)

    with ThreadPoolExecutor(1) as other, connection.execute_wrapper(after_what_belongs_to_it):
        services.delete_account(user=User.objects.get(pk=user.pk), by=Actor())
    assert [type(each.exception()) for each in added] in ([UserNotFound], [IntegrityError])
    assert not User.objects.filter(pk=user.pk).exists()


def test_the_export_holds_the_newest_entries_only_for_strangers_add_to_them(
    signed_in_as: Callable[..., APIClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.services.reading.NEWEST", 3)
    client = signed_in_as("user")
    for _ in range(4):
        APIClient().post("/api/auth/signin", {"username": "holds_user", "password": "wrong"}, format="json")
    audit = client.get("/api/auth/me/export").json()["audit"]
    assert [entry["action"] for entry in audit] == ["sign_in_failed"] * 3
