"""What is recorded, and that an entry reads back as it was written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import sealing, services
from accounts.models import Action, Actor, AuditEntry, AuditSeal, Role, User
from tests.audit.trail import OPERATOR, detail, record, signed_in, the
from tests.conftest import PASSWORD

# --- what is recorded


def test_an_entry_says_when(alice: User) -> None:
    assert timedelta(0) <= timezone.now() - the(Action.ACCOUNT_CREATED).at < timedelta(minutes=1)


def test_an_entry_says_from_where_and_with_what_device(phone: APIClient, alice: User) -> None:
    signed_in(phone, alice)
    entry = the(Action.SIGNED_IN)
    assert (entry.via, entry.address, entry.user_agent) == ("api", "192.0.2.1", "Phone/1")


def test_a_sign_up_is_recorded(phone: APIClient) -> None:
    phone.post("/api/auth/signup", {"username": "bob", "email": "bob@example.com", "password": PASSWORD})
    assert the(Action.SIGNED_UP).subject_id == User.objects.get().pk
    assert detail(Action.SIGNED_UP) == {"roles": ["user"]}


def test_a_sign_in_is_recorded_with_its_session(phone: APIClient, alice: User) -> None:
    signed_in(phone, alice)
    assert (the(Action.SIGNED_IN).actor_id, the(Action.SIGNED_IN).subject_id) == (alice.pk, alice.pk)
    assert detail(Action.SIGNED_IN) == {"session": str(alice.sessions.get().pk)}


def test_a_wrong_password_is_recorded(phone: APIClient, alice: User) -> None:
    phone.post("/api/auth/signin", {"username": "alice", "password": "wrong"})
    assert the(Action.SIGN_IN_FAILED).subject_id == alice.pk


def test_an_unknown_name_is_recorded_as_nobodys(phone: APIClient) -> None:
    phone.post("/api/auth/signin", {"username": "nobody", "password": "wrong"})
    assert the(Action.SIGN_IN_FAILED).subject_id is None


def test_a_sign_in_to_the_admin_is_recorded(client: Client, root: User) -> None:
    client.post("/admin/login/", {"username": "root", "password": PASSWORD})
    entry = the(Action.SIGNED_IN)
    assert (entry.actor_id, entry.subject_id, entry.via) == (root.pk, root.pk, "admin")


def test_a_sign_out_of_the_admin_is_recorded(pages: Client, root: User) -> None:
    pages.post("/admin/logout/")
    entry = the(Action.SIGNED_OUT)
    assert (entry.actor_id, entry.subject_id, entry.via) == (root.pk, root.pk, "admin")


def test_a_refused_sign_in_to_the_admin_is_recorded(client: Client, root: User) -> None:
    client.post("/admin/login/", {"username": "root", "password": "wrong"})
    entry = the(Action.SIGN_IN_FAILED)
    assert (entry.subject_id, entry.via) == (root.pk, "admin")


def test_a_refresh_is_not_recorded(api: APIClient, alice: User, sign_in: Callable[..., dict[str, Any]]) -> None:
    token, before = sign_in()["refreshToken"], AuditEntry.objects.count()
    assert api.post("/api/auth/refreshtoken", {"refreshToken": token}).status_code == 200
    assert AuditEntry.objects.count() == before


def test_a_refresh_that_ended_a_session_is_recorded(
    api: APIClient, alice: User, sign_in: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    settings.REFRESH_TOKEN_GRACE = 0
    first = {"refreshToken": sign_in()["refreshToken"]}
    successor = api.post("/api/auth/refreshtoken", first).json()
    api.post("/api/auth/refreshtoken", {"refreshToken": successor["refreshToken"]})
    api.post("/api/auth/refreshtoken", first)
    assert the(Action.TOKEN_REUSED).subject_id == alice.pk


def test_a_sign_out_is_recorded(phone: APIClient, alice: User) -> None:
    signed_in(phone, alice).post("/api/auth/signout")
    assert (the(Action.SIGNED_OUT).actor_id, the(Action.SIGNED_OUT).subject_id) == (alice.pk, alice.pk)


def test_a_sign_out_of_nobody_is_not_recorded(phone: APIClient) -> None:
    phone.post("/api/auth/signout")
    assert not AuditEntry.objects.exists()


def test_an_own_password_change_is_recorded(phone: APIClient, alice: User) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": "quite another one"}
    assert signed_in(phone, alice).post("/api/auth/password", body).status_code == 200
    entry = the(Action.PASSWORD_CHANGED)
    assert (entry.actor_id, entry.subject_id) == (alice.pk, alice.pk)


def test_a_password_set_by_a_command_is_recorded(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("quite another one\n"))
    call_command("set_password", "alice", stdout=StringIO())
    entry = the(Action.PASSWORD_CHANGED)
    assert (entry.actor_id, entry.subject_id, entry.via) == (None, alice.pk, "command")


def test_a_grant_is_recorded_with_its_reason_and_end(managing: APIClient, root: User, alice: User) -> None:
    body = {"role": "moderator", "reason": "holidays", "expiresAt": "2999-01-01T00:00:00Z"}
    assert managing.post(f"/api/users/{alice.pk}/roles", body).status_code == 201
    entry = the(Action.ROLE_GRANTED)
    assert (entry.actor_id, entry.subject_id) == (root.pk, alice.pk)
    assert detail(Action.ROLE_GRANTED) == {
        "role": "moderator",
        "reason": "holidays",
        "until": "2999-01-01T00:00:00+00:00",
    }


def test_a_revocation_is_recorded(managing: APIClient, root: User, alice: User) -> None:
    assert managing.delete(f"/api/users/{alice.pk}/roles/user").status_code == 204
    entry = the(Action.ROLE_REVOKED)
    assert (entry.actor_id, entry.subject_id, entry.detail) == (root.pk, alice.pk, '{"role": "user"}')


def test_a_grant_by_a_command_is_recorded(alice: User) -> None:
    call_command("grant_role", "alice", "moderator", stdout=StringIO())
    entry = the(Action.ROLE_GRANTED)
    assert (entry.actor_id, entry.subject_id, entry.via) == (None, alice.pk, "command")


def test_a_revocation_by_a_command_is_recorded(alice: User) -> None:
    call_command("revoke_role", "alice", "user", stdout=StringIO())
    entry = the(Action.ROLE_REVOKED)
    assert (entry.actor_id, entry.subject_id, entry.via) == (None, alice.pk, "command")


def change_in_admin(pages: Client, user: User, *, roles: list[str], **fields: str) -> None:
    held = Role.objects.filter(name__in=roles).values_list("pk", flat=True)
    form = {"username": user.username, "email": user.email, "held_roles": list(held), **fields}
    answer = pages.post(f"/admin/accounts/user/{user.pk}/change/", form)
    assert answer.status_code == 302, answer.content


def test_a_grant_in_the_admin_is_recorded(pages: Client, root: User, alice: User) -> None:
    change_in_admin(pages, alice, roles=["user", "moderator"], is_active="on")
    entry = the(Action.ROLE_GRANTED)
    assert (entry.actor_id, entry.subject_id, entry.via) == (root.pk, alice.pk, "admin")


def test_a_revocation_in_the_admin_is_recorded(pages: Client, root: User, alice: User) -> None:
    change_in_admin(pages, alice, roles=[], is_active="on")
    entry = the(Action.ROLE_REVOKED)
    assert (entry.actor_id, entry.subject_id, entry.via) == (root.pk, alice.pk, "admin")


def test_a_deactivation_in_the_admin_is_recorded(pages: Client, root: User, alice: User) -> None:
    change_in_admin(pages, alice, roles=["user"])
    entry = the(Action.ACCOUNT_DEACTIVATED)
    assert (entry.actor_id, entry.subject_id, entry.via) == (root.pk, alice.pk, "admin")


def test_a_deletion_in_the_admin_is_recorded(pages: Client, root: User, alice: User) -> None:
    pages.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"})
    entry = the(Action.ACCOUNT_DELETED)
    assert (entry.actor_id, entry.subject_id, entry.via) == (root.pk, alice.pk, "admin")


def test_a_change_of_an_account_is_recorded_without_the_names(managing: APIClient, root: User, alice: User) -> None:
    assert managing.patch(f"/api/users/{alice.pk}", {"email": "new@example.com"}).status_code == 200
    entry = the(Action.ACCOUNT_CHANGED)
    assert (entry.actor_id, entry.subject_id, entry.detail) == (root.pk, alice.pk, '{"changed": ["email"]}')


def test_a_deactivation_is_recorded(managing: APIClient, root: User, alice: User) -> None:
    assert managing.delete(f"/api/users/{alice.pk}").status_code == 204
    entry = the(Action.ACCOUNT_DEACTIVATED)
    assert (entry.actor_id, entry.subject_id) == (root.pk, alice.pk)


def test_an_own_deletion_is_recorded(phone: APIClient, alice: User) -> None:
    assert signed_in(phone, alice).post("/api/auth/me/delete", {"password": PASSWORD}).status_code == 200
    entry = the(Action.ACCOUNT_DELETED)
    assert (entry.actor_id, entry.subject_id) == (alice.pk, alice.pk)


def test_no_entry_holds_a_name_an_email_a_password_or_a_token(phone: APIClient, settings: Settings) -> None:
    settings.REFRESH_TOKEN_GRACE = 0
    tell = {"username": "xsecretx1", "email": "xsecretx2@example.com", "password": "xsecretx3 a password"}
    phone.post("/api/auth/signup", tell)
    phone.post("/api/auth/signin", {**tell, "password": "xsecretx4"})
    phone.post("/api/auth/signin", {**tell, "username": "xsecretx5"})
    tokens = phone.post("/api/auth/signin", tell).json()
    phone.credentials(HTTP_X_ACCESS_TOKEN=tokens["accessToken"])
    change = {"username": "xsecretx6", "email": "xsecretx7@example.com", "currentPassword": tell["password"]}
    phone.patch("/api/auth/me", change)
    phone.post("/api/auth/password", {"currentPassword": tell["password"], "newPassword": "xsecretx8 longer"})
    phone.post("/api/auth/me/delete", {"password": "xsecretx8 longer"})
    sealing.seal()
    kept = repr([*AuditEntry.objects.values_list(), *AuditSeal.objects.values_list()])
    assert AuditEntry.objects.filter(action=Action.ACCOUNT_DELETED).exists()
    assert not [secret for secret in ("xsecretx", "eyJ") if secret in kept]


def test_an_entry_is_undone_with_what_it_tells_of(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.services.accounts.sessions.revoke", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        services.set_password(user=alice, password="quite another one", by=OPERATOR)
    assert not AuditEntry.objects.filter(action=Action.PASSWORD_CHANGED).exists()
    assert User.objects.get().check_password(PASSWORD)


def test_what_is_told_is_undone_if_it_cannot_be_recorded(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.models.audit._ENTRY.add", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        services.revoke_role(user=alice, role_name="user", by=OPERATOR)
    assert alice.role_names == ("user",)


# --- an entry reads back as it was written


@pytest.mark.parametrize(
    "address", ["", "192.0.2.1", "2001:DB8:0::7", "::ffff:192.0.2.1", "::1", "fe80::1%eth0", "::192.0.2.1", "unix:x"]
)
def test_an_entry_is_whole_from_whatever_address(address: str) -> None:
    record(Action.SIGNED_IN, by=Actor(address=address))
    assert the(Action.SIGNED_IN).is_whole()


def test_an_ipv4_address_is_kept_as_one_also_from_a_dual_stack_socket() -> None:
    assert record(Action.SIGNED_IN, by=Actor(address="::ffff:192.0.2.1")).address == "192.0.2.1"


@pytest.mark.parametrize("device", ["", "  spaces  ", "\u00a0é😀", "None", "a\x00b", "x" * 300, "😀" * 300, "e\u0301"])
def test_an_entry_is_whole_from_whatever_device(device: str) -> None:
    record(Action.SIGNED_IN, by=Actor(user_agent=device))
    assert the(Action.SIGNED_IN).is_whole()


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_an_entry_is_whole_at_whatever_moment(microsecond: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        timezone, "now", lambda: datetime(2026, 10, 25, 1, 30, tzinfo=UTC).replace(microsecond=microsecond)
    )
    record(Action.SIGNED_IN, by=OPERATOR)
    assert the(Action.SIGNED_IN).is_whole()


def test_an_entry_is_whole_whatever_its_detail_says() -> None:
    record(Action.ROLE_GRANTED, by=OPERATOR, subject_id=2**63 - 1, reason="\ud800 \x00 'quoted' 😀  ", until=None)
    assert the(Action.ROLE_GRANTED).is_whole()
