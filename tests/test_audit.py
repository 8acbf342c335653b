"""The audit trail: what is recorded, that it can be proved whole, and who may read it."""

import json
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from time import monotonic, sleep
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models import F, Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import sealing, services
from accounts.models import Action, Actor, AuditEntry, AuditSeal, Role, User
from authproject import sealer
from tests.conftest import PASSWORD
from tests.live import Server, unless_busy

MakeUser = Callable[..., User]
OPERATOR = Actor()
record = AuditEntry.objects.record


def the(action: Action) -> AuditEntry:
    """The one entry of that action, but for the role that root was made with."""
    made = Q(
        action=Action.ROLE_GRANTED, via="command", subject_id__in=User.objects.filter(username="root").values("pk")
    )
    return AuditEntry.objects.exclude(made).get(action=action)


def detail(action: Action) -> dict[str, Any]:
    return json.loads(the(action).detail)


def findings(exported: tuple[int, str] | None = None) -> list[str]:
    return [str(finding) for finding in sealing.verify(exported)]


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> None:
    """Each test is undone at its end, but for those that ask to be committed."""
    if "committed" not in request.fixturenames:
        request.getfixturevalue("db")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """For threads that have to see each other's work."""
    with django_db_blocker.unblock():
        yield
        AuditEntry.objects.all().delete()
        AuditSeal.objects.all().delete()
        connection.close()


@pytest.fixture
def phone() -> APIClient:
    """A client whose address and device are known."""
    client = APIClient(REMOTE_ADDR="192.0.2.1", headers={"user-agent": "Phone/1"})
    client.default_format = "json"
    return client


@pytest.fixture
def alice(make_user: MakeUser) -> User:
    return make_user("alice")


@pytest.fixture
def root(make_user: MakeUser) -> User:
    return make_user("root", "admin")


def signed_in(client: APIClient, user: User) -> APIClient:
    body = {"username": user.username, "password": PASSWORD}
    client.credentials(HTTP_X_ACCESS_TOKEN=client.post("/api/auth/signin", body).json()["accessToken"])
    return client


@pytest.fixture
def managing(phone: APIClient, root: User) -> APIClient:
    """`phone`, with root signed in."""
    return signed_in(phone, root)


@pytest.fixture
def pages(root: User) -> Client:
    """A browser in the Django admin, with root signed in."""
    client = Client()
    client.force_login(root)
    return client


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


# --- sealing and verifying


@pytest.fixture
def sealed() -> list[AuditEntry]:
    """Six entries in three seals, and a seventh that is not sealed."""
    entries = [record(Action.SIGNED_IN, by=Actor(user_id=n, via="api"), subject_id=n) for n in range(1, 7)]
    sealing.seal(batch=2)
    entries.append(record(Action.SIGNED_OUT, by=OPERATOR))
    return list(AuditEntry.objects.order_by("id"))


def entries_of(number: int) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(seal_id=number).order_by("id"))


def exported() -> tuple[int, str]:
    return sealing.read_exported(sealing.export_newest())


def test_a_trail_that_nobody_touched_is_whole(sealed: list[AuditEntry]) -> None:
    assert findings() == []


def test_an_empty_trail_is_whole() -> None:
    assert findings() == []


def test_entries_are_sealed_in_batches(sealed: list[AuditEntry]) -> None:
    assert [len(entries_of(number)) for number in (1, 2, 3)] == [2, 2, 2]


def test_sealing_says_how_many_entries_it_sealed(sealed: list[AuditEntry]) -> None:
    assert (sealing.seal(), sealing.seal()) == (1, 0)


def test_an_entry_that_was_committed_late_comes_into_a_later_seal(sealed: list[AuditEntry]) -> None:
    late = record(Action.SIGNED_IN, by=OPERATOR)
    AuditEntry.objects.filter(pk=late.pk).update(id="00000000-0000-7000-8000-000000000000")
    late = AuditEntry.objects.get(id="00000000-0000-7000-8000-000000000000")
    AuditEntry.objects.filter(pk=late.pk).update(mac=late.expected_mac())
    sealing.seal()
    assert {entry.pk for entry in entries_of(4)} == {late.pk, sealed[6].pk}
    assert findings() == []


def test_a_sealer_that_lost_a_race_goes_on_after_the_winner(monkeypatch: pytest.MonkeyPatch) -> None:
    record(Action.SIGNED_IN, by=OPERATOR)
    new_seal = sealing._new_seal

    def beaten(entries: list[AuditEntry], newest: AuditSeal | None) -> AuditSeal:
        monkeypatch.setattr(sealing, "_new_seal", new_seal)
        made = new_seal(entries, newest)
        AuditSeal.objects.create(**{field.attname: getattr(made, field.attname) for field in made._meta.fields})
        return made

    monkeypatch.setattr(sealing, "_new_seal", beaten)
    assert sealing.seal() == 1
    assert findings() == []


def test_writers_sealers_pruners_and_verifiers_do_not_harm_each_other(committed: None) -> None:
    def write(number: int) -> None:
        for _ in range(25):
            record(Action.SIGNED_IN, by=Actor(user_id=number))

    def work(number: int) -> list[str]:
        try:
            write(number)
            sealing.seal(batch=3)
            sealing.prune(keep=timedelta(0), by=OPERATOR)
            return findings()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(18))) == [[]] * 18


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "signed_out"),
        ("actor_id", 99),
        ("actor_id", None),
        ("subject_id", 99),
        ("via", "admin"),
        ("address", "192.0.2.9"),
        ("user_agent", " "),
        ("detail", "{}"),
        ("at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("mac", "é" * 64),
    ],
)
def test_an_edited_entry_is_named(sealed: list[AuditEntry], field: str, value: object) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).update(**{field: value})
    assert findings() == [f"edited: entry {sealed[2].pk}"]


def test_an_edited_entry_is_named_before_it_is_sealed_too(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[6].pk).update(subject_id=99)
    assert findings() == [f"edited or inserted: entry {sealed[6].pk}"]


def test_sealing_an_edited_entry_does_not_cleanse_it(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[6].pk).update(subject_id=99)
    sealing.seal()
    assert findings() == [f"edited: entry {sealed[6].pk}"]


def test_a_removed_entry_is_named(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).delete()
    assert findings() == [f"removed: entry {sealed[2].pk}, out of seal 2"]


def copy(entry: AuditEntry, **changes: Any) -> AuditEntry:
    values = {field.attname: getattr(entry, field.attname) for field in AuditEntry._meta.fields}
    return AuditEntry.objects.create(**{**values, "id": "00000000-0000-7000-8000-000000000000", **changes})


def test_an_entry_copied_under_another_id_is_named(sealed: list[AuditEntry]) -> None:
    inserted = copy(sealed[2])
    assert findings() == [f"inserted: entry {inserted.pk}"]


def test_an_entry_inserted_where_nothing_is_sealed_is_named(sealed: list[AuditEntry]) -> None:
    inserted = copy(sealed[2], seal_id=None)
    assert findings() == [f"edited or inserted: entry {inserted.pk}"]


def test_an_entry_moved_to_another_seal_is_named(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).update(seal_id=3)
    moved = f"moved: entry {sealed[2].pk}"
    assert findings() == [f"{moved}, out of seal 2", f"{moved}, in seal 3"]


def test_an_entry_taken_out_of_its_seal_is_named(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).update(seal_id=None)
    assert findings() == [f"moved: entry {sealed[2].pk}, out of seal 2"]


def test_an_entry_taken_out_of_its_seal_is_named_after_it_was_sealed_again(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).update(seal_id=None)
    sealing.seal()
    assert findings() == [f"moved: entry {sealed[2].pk}, out of seal 2"]


def test_an_entry_rewritten_with_the_key_is_named_as_its_seal_knows_it(sealed: list[AuditEntry]) -> None:
    entry = sealed[2]
    entry.subject_id = 99
    AuditEntry.objects.filter(pk=entry.pk).update(subject_id=99, mac=entry.expected_mac())
    assert findings() == [f"edited with the key: entry {entry.pk}, in seal 2"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_seal_removed_with_its_entries_is_named(sealed: list[AuditEntry], number: int) -> None:
    AuditEntry.objects.filter(seal_id=number).delete()
    AuditSeal.objects.filter(number=number).delete()
    assert findings() == [f"removed: seal {number}"]


def test_seals_removed_one_after_the_other_are_named_together(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(seal_id__lt=3).delete()
    AuditSeal.objects.filter(number__lt=3).delete()
    assert findings() == ["removed: seals 1 to 2"]


def test_entries_whose_seal_is_gone_are_named(sealed: list[AuditEntry]) -> None:
    with connection.constraint_checks_disabled():
        AuditSeal.objects.filter(number=3)._raw_delete("default")
        found = findings()
        # SQLite looks at the test's end whether all seals are there.
        AuditEntry.objects.filter(seal_id=3).update(seal_id=None)
    assert found == [f"left without its seal: entry {entry.pk}, of seal 3" for entry in sealed[4:6]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sealed_at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("newest_entry_at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("manifest_digest", "0" * 64),
        ("previous_mac", "0" * 64),
        ("mac", "0" * 64),
    ],
)
def test_an_edited_seal_is_named(sealed: list[AuditEntry], field: str, value: object) -> None:
    AuditSeal.objects.filter(number=2).update(**{field: value})
    assert "edited: seal 2" in findings()


@pytest.mark.parametrize("manifest", ["", "nonsense", "x y z\n\n"])
def test_an_edited_manifest_is_named(sealed: list[AuditEntry], manifest: str) -> None:
    AuditSeal.objects.filter(number=2).update(manifest=manifest)
    assert findings() == ["edited: manifest of seal 2"]


def test_seals_that_changed_places_are_named(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.all().update(seal_id=None)
    for number, other in ((1, 9), (2, 1), (9, 2)):
        AuditSeal.objects.filter(number=number).update(number=other)
    assert {"edited: seal 1", "edited: seal 2"} <= set(findings())


def test_a_seal_copied_under_the_next_number_is_named(sealed: list[AuditEntry]) -> None:
    newest = AuditSeal.objects.get(number=3)
    newest.number = 4
    newest.save(force_insert=True)
    assert findings()[0] == "edited: seal 4"


def test_a_cut_tail_shows_against_an_exported_seal(sealed: list[AuditEntry]) -> None:
    kept = exported()
    AuditEntry.objects.filter(seal_id__gte=2).delete()
    AuditSeal.objects.filter(number__gte=2).delete()
    assert (findings(), findings(kept)) == ([], ["removed: seals 2 to 3"])


def test_a_tail_that_grew_again_shows_against_an_exported_seal(sealed: list[AuditEntry]) -> None:
    kept = exported()
    AuditEntry.objects.filter(seal_id=3).delete()
    AuditSeal.objects.filter(number=3).delete()
    sealing.seal()
    assert (findings(), findings(kept)) == ([], ["replaced: seal 3"])


def test_a_trail_that_only_grew_is_whole_against_an_exported_seal(sealed: list[AuditEntry]) -> None:
    kept = exported()
    sealing.seal()
    assert findings(kept) == []


def test_verifying_asks_no_more_often_for_more_entries(sealed: list[AuditEntry]) -> None:
    with CaptureQueriesContext(connection) as few:
        findings()
    for _ in range(20):
        record(Action.SIGNED_IN, by=OPERATOR)
    with CaptureQueriesContext(connection) as more:
        findings()
    assert len(more) == len(few)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="MariaDB refuses what does not fit the column")
@pytest.mark.parametrize("statement", ["at = 'never'", "at = '2026-99-99'", "id = 'x'", "user_agent = x'00'"])
def test_values_that_cannot_be_read_are_found_too(sealed: list[AuditEntry], statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_auditentry SET {statement} WHERE action = 'signed_out'")
    with pytest.raises(CommandError, match="Findings: 1"):
        run("verify_audit")


# --- pruning


@pytest.fixture
def aged(sealed: list[AuditEntry], monkeypatch: pytest.MonkeyPatch) -> list[AuditEntry]:
    """The entries of `sealed`, a year later."""
    later = timezone.now() + timedelta(days=365)
    monkeypatch.setattr(timezone, "now", lambda: later)
    return sealed


def prune() -> tuple[int, list[int]]:
    return sealing.prune(keep=timedelta(days=90), by=OPERATOR)


def test_old_entries_are_pruned_and_the_rest_is_whole(aged: list[AuditEntry]) -> None:
    assert prune() == (6, [])
    assert AuditSeal.objects.count() == 3
    assert findings() == []


def test_a_pruned_trail_goes_on(aged: list[AuditEntry]) -> None:
    prune()
    sealing.seal()
    assert findings(exported()) == []


def test_an_entry_that_is_not_sealed_is_not_pruned(aged: list[AuditEntry]) -> None:
    prune()
    assert AuditEntry.objects.filter(pk=aged[6].pk).exists()


def test_a_seal_with_one_entry_that_is_young_is_not_pruned(aged: list[AuditEntry]) -> None:
    record(Action.SIGNED_IN, by=OPERATOR)
    sealing.seal()
    prune()
    assert len(entries_of(4)) == 2


def test_a_pruning_is_recorded(aged: list[AuditEntry]) -> None:
    prune()
    assert detail(Action.AUDIT_PRUNED) == {"before": (timezone.now() - timedelta(days=90)).isoformat(), "seals": 3}


def test_a_pruning_of_nothing_is_not_recorded(sealed: list[AuditEntry]) -> None:
    prune()
    assert not AuditEntry.objects.filter(action=Action.AUDIT_PRUNED).exists()


def test_what_is_not_whole_is_not_pruned(aged: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=aged[2].pk).update(subject_id=99)
    assert prune() == (4, [2])
    assert findings() == [f"edited: entry {aged[2].pk}"]


def test_a_seal_marked_as_pruned_without_the_key_is_named(aged: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(seal_id=2).delete()
    AuditSeal.objects.filter(number=2).update(pruned_at=timezone.now(), pruned_mac="0" * 64, manifest="")
    assert findings()[0] == "marked as pruned without the key: seal 2"


def test_the_mark_of_one_pruned_seal_does_not_do_for_another(aged: list[AuditEntry]) -> None:
    AuditSeal.objects.filter(number__gt=1).update(newest_entry_at=F("newest_entry_at") + timedelta(days=365))
    prune()
    AuditSeal.objects.filter(number__gt=1).update(newest_entry_at=F("newest_entry_at") - timedelta(days=365))
    AuditEntry.objects.filter(seal_id=2).delete()
    mark = AuditSeal.objects.values("pruned_at", "pruned_mac").get(number=1)
    AuditSeal.objects.filter(number=2).update(**mark)
    assert findings()[0] == "marked as pruned without the key: seal 2"


def test_an_entry_in_a_pruned_seal_is_named(aged: list[AuditEntry]) -> None:
    prune()
    inserted = copy(aged[6], seal_id=2)
    assert findings() == [f"inserted: entry {inserted.pk}, in the pruned seal 2"]


# --- the commands


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue().strip()


def test_seal_audit_says_how_many(sealed: list[AuditEntry]) -> None:
    assert run("seal_audit") == "Entries sealed: 1."


def test_seal_audit_exports_the_newest_seal_in_a_line_that_verify_audit_takes(sealed: list[AuditEntry]) -> None:
    line = run("seal_audit", "--export")
    assert json.loads(line) == {"seal": 4, "mac": AuditSeal.objects.get(number=4).mac}
    assert run("verify_audit", "--against", line) == "The audit trail is whole."


def test_there_is_nothing_to_export_of_an_empty_trail() -> None:
    with pytest.raises(CommandError, match="nothing has been recorded"):
        run("seal_audit", "--export")


@pytest.mark.parametrize("line", ["", "x", "[]", "{}", '{"seal": "1", "mac": ""}', '{"seal": 0, "mac": ""}'])
def test_verify_audit_refuses_a_line_that_is_no_exported_seal(line: str) -> None:
    with pytest.raises(CommandError, match="--against takes a line"):
        run("verify_audit", "--against", line)


@pytest.mark.parametrize("since_then", [0, 20])
def test_verify_audit_guesses_that_the_key_was_changed(settings: Settings, since_then: int) -> None:
    for key, number in (("one", 20), ("another", since_then)):
        settings.AUDIT_KEY = key
        for _ in range(number):
            record(Action.SIGNED_IN, by=OPERATOR)
    settings.AUDIT_KEY = "another"
    output = StringIO()
    with pytest.raises(CommandError, match="not whole"):
        call_command("verify_audit", stdout=output)
    assert "Is it the right one?" in output.getvalue()


def test_prune_audit_says_how_many(aged: list[AuditEntry]) -> None:
    assert run("prune_audit", "--keep-days", "90") == "Entries deleted: 6."


def test_prune_audit_fails_if_it_kept_what_is_not_whole(aged: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=aged[2].pk).delete()
    with pytest.raises(CommandError, match="seals 2"):
        run("prune_audit", "--keep-days", "90")


# --- the real server, which seals by itself


@pytest.fixture(scope="module")
def sealing_server(start_server: Callable[..., Server]) -> Server:
    server = start_server(AUDIT_SEAL_INTERVAL="1")
    server.manage("create_user", "chief", "chief@example.com", "--role", "admin", stdin=f"{PASSWORD}\n")
    return server


def entries(server: Server, query: str) -> list[dict[str, Any]]:
    with server.client() as http:
        body = {"username": "chief", "password": PASSWORD}
        token = http.post("/api/auth/signin", json=body).json()["accessToken"]
        return http.get(f"/api/audit?pageSize=100&{query}", headers={"x-access-token": token}).json()["results"]


def test_50_sign_ins_at_once_while_two_sealers_run_leave_50_entries_and_a_whole_trail(sealing_server: Server) -> None:
    with sealing_server.client() as http, ThreadPoolExecutor(22) as pool:
        crowd = {"username": "crowd", "email": "crowd@example.com", "password": PASSWORD}
        http.post("/api/auth/signup", json=crowd)
        sealers = [pool.submit(lambda: [sealing_server.manage("seal_audit") for _ in range(3)]) for _ in range(2)]
        sign_in = partial(http.post, "/api/auth/signin", json=crowd)
        answers = list(pool.map(lambda _: unless_busy(sign_in), range(50)))
        assert all(sealer.result() for sealer in sealers)
    [number] = {answer.json()["id"] for answer in answers}
    assert len(entries(sealing_server, f"action=signed_in&subject={number}")) == 50
    assert sealing_server.manage("verify_audit") == "The audit trail is whole.\n"


def test_the_server_seals_at_intervals(sealing_server: Server) -> None:
    [newest, *_] = entries(sealing_server, "action=signed_in")
    deadline = monotonic() + 15
    while monotonic() < deadline:
        [now] = [entry for entry in entries(sealing_server, "action=signed_in") if entry["id"] == newest["id"]]
        if now["sealed"]:
            return
        sleep(0.3)
    pytest.fail(f"not sealed: {now}\n{sealing_server.log.read_text()}")


def test_verify_audit_fails_and_names_what_was_edited(sealing_server: Server) -> None:
    edit = "from accounts.models import *; AuditEntry.objects.filter(subject_id=1, action='account_created').update({})"
    sealing_server.manage("shell", "-c", edit.format("via='admin'"))
    with pytest.raises(subprocess.CalledProcessError) as failed:
        sealing_server.manage("verify_audit")
    sealing_server.manage("shell", "-c", edit.format("via='command'"))
    [edited] = entries(sealing_server, "action=account_created")
    assert failed.value.returncode == 1
    assert failed.value.stdout.endswith(f"entry {edited['id']}\n")


def in_thread(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_round_that_fails_is_logged_and_does_not_end_the_sealer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: timedelta) -> bool:
        raise OperationalError("gone away")

    monkeypatch.setattr(sealing, "sealed_within", fail)
    in_thread(lambda: sealer.seal_if_due(timedelta(seconds=1)))
    assert ["could not be sealed" in line for line in caplog.messages] == [True]


def test_a_round_leaves_no_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Any] = []
    monkeypatch.setattr(sealing, "seal", connection.ensure_connection)

    def round_() -> None:
        sealer.seal_if_due(timedelta(seconds=1))
        left.append(connection.connection)

    in_thread(round_)
    assert left == [None]


def test_one_seal_in_an_interval_is_enough(sealed: list[AuditEntry]) -> None:
    assert sealing.sealed_within(timedelta(minutes=1))
    assert not sealing.sealed_within(timedelta(0))


def test_a_seal_from_the_future_does_not_stop_the_sealers(sealed: list[AuditEntry]) -> None:
    AuditSeal.objects.update(sealed_at=timezone.now() + timedelta(days=1))
    assert not sealing.sealed_within(timedelta(minutes=1))


@pytest.mark.parametrize(("interval", "threads"), [(0, []), (60, [60])])
def test_the_server_seals_only_if_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, interval: int, threads: list[int]
) -> None:
    started: list[int] = []
    monkeypatch.setattr(sealer, "_run", started.append)
    settings.AUDIT_SEAL_INTERVAL = interval
    sealer.start()
    assert started == threads


# --- GET /api/audit


@pytest.mark.parametrize("role", ["user", "moderator"])
def test_who_is_no_admin_may_not_read_the_trail(signed_in_as: Callable[..., APIClient], role: str) -> None:
    assert signed_in_as(role).get("/api/audit").status_code == 403


def test_who_is_not_signed_in_may_not_read_the_trail(api: APIClient) -> None:
    assert api.get("/api/audit").status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_can_change_the_trail_over_the_api(managing: APIClient, method: str) -> None:
    paths = ["/api/audit", f"/api/audit/{the(Action.SIGNED_IN).pk}"]
    assert [getattr(managing, method)(path).status_code for path in paths] == [405, 405]


def test_an_entry_is_read_by_its_id(managing: APIClient, root: User) -> None:
    entry = the(Action.ACCOUNT_CREATED)
    assert managing.get(f"/api/audit/{entry.pk}").json() == {
        "id": str(entry.pk),
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "action": "account_created",
        "actor": None,
        "subject": root.pk,
        "via": "command",
        "address": None,
        "device": "",
        "detail": {"roles": ["admin"]},
        "sealed": False,
    }


@pytest.mark.parametrize("id_", ["01900000-0000-7000-8000-000000000000", "-" * 36, "x", "1", "%00", "É"])
def test_an_unknown_or_malformed_id_is_not_found(managing: APIClient, id_: str) -> None:
    answer = managing.get(f"/api/audit/{id_}")
    assert (answer.status_code, list(answer.json())) == (404, ["message"])


def test_the_newest_entry_comes_first(managing: APIClient) -> None:
    moments = [entry["at"] for entry in managing.get("/api/audit").json()["results"]]
    assert moments == sorted(moments, reverse=True)


def test_pages_follow_each_other_without_gap_or_repeat(managing: APIClient) -> None:
    for number in range(5):
        record(Action.SIGNED_IN, by=OPERATOR, subject_id=number)
    path, read = "/api/audit?pageSize=3", list[str]()
    while path:
        page = managing.get(path).json()
        path, read = page["next"], [*read, *(entry["id"] for entry in page["results"])]
    assert read == [str(id_) for id_ in AuditEntry.objects.order_by("-at", "-id").values_list("id", flat=True)]


@pytest.fixture
def three(managing: APIClient) -> list[AuditEntry]:
    """Entries that differ in all that can be filtered by."""
    chosen = [
        (Action.ROLE_CHANGED, 1001, 2001, "api", 2001),
        (Action.ROLE_REVOKED, 1002, 2002, "admin", 2002),
        (Action.ROLE_CREATED, 1003, 2003, "command", 2003),
    ]
    made = []
    for action, actor, subject, via, year in chosen:
        made.append(record(action, by=Actor(user_id=actor, via=via), subject_id=subject))
        AuditEntry.objects.filter(pk=made[-1].pk).update(at=datetime(year, 1, 1, tzinfo=UTC))
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=role_changed", [0]),
        ("action=role_changed&action=role_revoked", [1, 0]),
        ("actor=1002", [1]),
        ("subject=2003", [2]),
        ("since=2002-01-01T00:00:00Z&until=2003-06-01T00:00:00Z", [2, 1]),
        ("since=2002-01-01T00:00:00Z&until=2003-01-01T00:00:00Z", [1]),
        ("actor=1001&subject=2002", []),
    ],
)
def test_the_trail_is_filtered(managing: APIClient, three: list[AuditEntry], query: str, expected: list[int]) -> None:
    results = managing.get(f"/api/audit?{query}").json()["results"]
    assert [entry["id"] for entry in results] == [str(three[index].pk) for index in expected]


def test_the_trail_is_filtered_by_the_door(managing: APIClient, three: list[AuditEntry]) -> None:
    results = managing.get("/api/audit?via=admin").json()["results"]
    assert [entry["id"] for entry in results] == [str(three[1].pk)]


@pytest.mark.parametrize(
    "query",
    [
        "action=nonsense",
        "actor=x",
        "actor=NaN",
        "actor=1.5",
        "actor=-1",
        "subject=x",
        "subject=99999999999999999999",
        "via=nonsense",
        "since=yesterday",
        "until=2026-13-01T00:00:00Z",
        "since=0001-01-01T00:00:00%2B14:00",
        "via=%00",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(managing: APIClient, query: str) -> None:
    answer = managing.get(f"/api/audit?{query}")
    assert (answer.status_code, bool(answer.json().get("message"))) == (400, True)


def test_a_detail_that_was_tampered_with_is_shown_as_it_is(managing: APIClient, three: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=three[0].pk).update(detail="{no JSON")
    assert managing.get(f"/api/audit/{three[0].pk}").json()["detail"] == "{no JSON"


def test_the_end_of_a_session_too_many_is_recorded(phone: APIClient, alice: User, settings: Settings) -> None:
    settings.SESSIONS_PER_USER = 1
    for _ in range(2):
        phone.credentials()
        signed_in(phone, alice)
    assert the(Action.SESSIONS_REVOKED).subject_id == alice.pk
    assert detail(Action.SESSIONS_REVOKED) == {"reason": "surplus", "sessions": 1}


@pytest.mark.parametrize(
    "position", ["garbage", "%00", "2026-99-99", "2026-01-01", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00%2B14:00"]
)
def test_a_cursor_that_was_never_given_is_not_found(managing: APIClient, position: str) -> None:
    cursor = b64encode(f"p={position}".encode()).decode()
    assert managing.get("/api/audit", {"cursor": cursor}).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("password", {"currentPassword": "wrong", "newPassword": "a new battery staple"}),
        ("me/delete", {"password": "wrong"}),
    ],
)
def test_a_wrong_current_password_is_recorded(phone: APIClient, alice: User, path: str, body: dict[str, str]) -> None:
    signed_in(phone, alice).post(f"/api/auth/{path}", body)
    entry = the(Action.PASSWORD_CHECK_FAILED)
    assert (entry.actor_id, entry.subject_id) == (alice.pk, alice.pk)


@pytest.mark.parametrize("path", ["/api/audit", "/admin/accounts/auditentry/"])
def test_a_longer_page_asks_no_more_often(managing: APIClient, pages: Client, root: User, path: str) -> None:
    client = pages if path.startswith("/admin") else managing
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for _ in range(15):
        record(Action.SIGNED_IN, by=Actor(user_id=root.pk), subject_id=root.pk)
    with CaptureQueriesContext(connection) as more:
        client.get(path)
    assert len(more) == len(few)


# --- the admin's list


def test_the_list_names_those_who_are_still_there(pages: Client, root: User) -> None:
    record(Action.ROLE_GRANTED, by=Actor(user_id=root.pk), subject_id=404)
    page = pages.get("/admin/accounts/auditentry/?action=role_granted").content.decode()
    assert f"root ({root.pk})" in page
    assert "gone (404)" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [("action=role_granted", 1), ("via=api", 1), ("subject_id=404", 1), ("q=404", 1), ("q=nobody", 0)],
)
def test_the_list_is_filtered_and_searched(pages: Client, root: User, query: str, shown: int) -> None:
    record(Action.ROLE_GRANTED, by=Actor(user_id=root.pk, via="api"), subject_id=404)
    page = pages.get(f"/admin/accounts/auditentry/?{query}").content.decode()
    assert page.count("gone (404)") == shown


def test_an_entry_is_shown_and_cannot_be_changed(pages: Client) -> None:
    page = pages.get(f"/admin/accounts/auditentry/{the(Action.ACCOUNT_CREATED).pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content


@pytest.mark.parametrize("page", ["add", "{}/change", "{}/delete"])
def test_the_admin_cannot_write_to_the_trail(pages: Client, page: str) -> None:
    path = f"/admin/accounts/auditentry/{page.format(the(Action.ACCOUNT_CREATED).pk)}/"
    assert pages.post(path, {"post": "yes", "via": "x"}).status_code == 403


def test_the_list_offers_no_deletion(pages: Client) -> None:
    assert b"delete_selected" not in pages.get("/admin/accounts/auditentry/").content
