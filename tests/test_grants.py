"""Grants say who gave a role, when, why, and until when; one that has run out counts for nothing."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from accounts import services
from accounts.errors import InvalidExpiry, InvalidRoleName, OutlastsGranter, RoleDoesNotExist
from accounts.models import Action, Actor, AuditEntry, Role, RoleGrant, User
from accounts.permissions import HasRole
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
SignedInAs = Callable[..., APIClient]

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=10)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def alice(make_user: MakeUser) -> User:
    return make_user("alice")


@pytest.fixture
def boss(make_user: MakeUser) -> User:
    return make_user("boss", "admin")


def grant(user: User, role: str, until: datetime | None = None, reason: str = "", by: Actor | None = None) -> bool:
    return services.grant_role(user=user, role_name=role, by=by or Actor(), reason=reason, expires_at=until)


def set_roles(user: User, *names: str, by: Actor | None = None) -> None:
    services.set_roles(user=user, roles=Role.objects.filter(name__in=names), by=by or Actor())


def grant_of(user: User, role: str) -> RoleGrant:
    return RoleGrant.with_expired.get(user=user, role__name=role)


def again(user: User) -> User:
    return User.objects.get(pk=user.pk)


def entries(action: Action) -> list[tuple[int | None, int | None, str, dict[str, Any]]]:
    """But for those about the boss, who was made with a role."""
    found = AuditEntry.objects.filter(action=action).order_by("id")
    found = found.exclude(subject_id__in=User.objects.filter(username="boss").values("pk"))
    return [(entry.actor_id, entry.subject_id, entry.via, json.loads(entry.detail or "{}")) for entry in found]


# --- until when


@pytest.mark.usefixtures("clock")
def test_a_grant_counts_until_the_moment_of_its_end(alice: User, clock: time_machine.Traveller) -> None:
    grant(alice, "moderator", SOON)
    clock.move_to(SOON - timedelta(microseconds=1))
    assert again(alice).role_names == ("user", "moderator")
    clock.move_to(SOON)
    assert again(alice).role_names == ("user",)


def test_a_board_is_closed_at_the_first_request_after_the_end(
    clock: time_machine.Traveller, signed_in_as: SignedInAs
) -> None:
    client = signed_in_as("user")
    grant(User.objects.get(), "moderator", SOON)
    assert client.get("/api/test/mod").status_code == 200
    clock.move_to(SOON)
    response = client.get("/api/test/mod")
    assert (response.status_code, response.json()) == (403, {"message": "Require Moderator Role!"})


def test_sign_in_names_only_roles_that_count(
    clock: time_machine.Traveller, alice: User, sign_in: Callable[..., dict[str, Any]]
) -> None:
    grant(alice, "moderator", SOON)
    assert sign_in()["roles"] == ["ROLE_USER", "ROLE_MODERATOR"]
    clock.move_to(SOON)
    assert sign_in()["roles"] == ["ROLE_USER"]


def test_has_role_takes_an_expired_grant_for_none(clock: time_machine.Traveller, alice: User) -> None:
    grant(alice, "moderator", SOON)
    clock.move_to(SOON)
    request = Request(APIRequestFactory().get("/"))
    request.user = again(alice)
    assert not HasRole("moderator")().has_permission(request, APIView())


def test_the_management_api_names_only_roles_that_count(
    clock: time_machine.Traveller, alice: User, signed_in_as: SignedInAs
) -> None:
    client = signed_in_as("admin")
    grant(alice, "moderator", SOON)
    assert client.get(f"/api/users/{alice.pk}").json()["roles"] == ["user", "moderator"]
    clock.move_to(SOON)
    assert client.get(f"/api/users/{alice.pk}").json()["roles"] == ["user"]


@pytest.mark.usefixtures("boss")
def test_the_django_admin_is_closed_at_the_first_request_after_the_end(
    clock: time_machine.Traveller, alice: User, client: Client
) -> None:
    grant(alice, "admin", SOON)
    client.force_login(alice)
    assert client.get("/admin/").status_code == 200
    clock.move_to(SOON)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("end", [NOW, NOW - timedelta(days=1)])
def test_an_end_that_has_come_is_refused(alice: User, end: datetime) -> None:
    with pytest.raises(InvalidExpiry):
        grant(alice, "moderator", end)
    assert again(alice).role_names == ("user",)


# --- who, when, why


@pytest.mark.usefixtures("clock")
def test_a_grant_says_who_gave_it_when_why_and_until_when(alice: User, boss: User) -> None:
    grant(alice, "moderator", SOON, "Covers for Bob", by=Actor(boss.pk, "api"))
    given = grant_of(alice, "moderator")
    assert (given.granted_by, given.granted_at, given.reason, given.expires_at) == (boss, NOW, "Covers for Bob", SOON)


@pytest.mark.usefixtures("clock")
def test_the_audit_trail_keeps_what_a_grant_said(alice: User, boss: User) -> None:
    grant(alice, "moderator", SOON, "Covers for Bob", by=Actor(boss.pk, "api"))
    detail = {"reason": "Covers for Bob", "role": "moderator", "until": "2030-05-01T12:10:00+00:00"}
    assert entries(Action.ROLE_GRANTED) == [(boss.pk, alice.pk, "api", detail)]


def test_revoking_removes_the_row_and_leaves_its_history(alice: User, boss: User) -> None:
    assert services.revoke_role(user=alice, role_name="user", by=Actor(boss.pk, "api"))
    assert not RoleGrant.with_expired.filter(user=alice).exists()
    assert entries(Action.ROLE_REVOKED) == [(boss.pk, alice.pk, "api", {"role": "user"})]


def test_revoking_what_is_not_held_leaves_no_trace(alice: User) -> None:
    assert not services.revoke_role(user=alice, role_name="moderator", by=Actor())
    assert entries(Action.ROLE_REVOKED) == []


def test_revoking_an_expired_grant_removes_its_row(clock: time_machine.Traveller, alice: User) -> None:
    grant(alice, "moderator", SOON)
    clock.move_to(SOON)
    assert not services.revoke_role(user=alice, role_name="moderator", by=Actor())
    assert not RoleGrant.with_expired.filter(role__name="moderator").exists()


def test_a_grant_outlives_the_account_of_who_gave_it(alice: User, boss: User) -> None:
    grant(alice, "moderator", reason="Earned", by=Actor(boss.pk, "api"))
    boss_id = boss.pk
    boss.delete()
    given = grant_of(alice, "moderator")
    assert (given.granted_by_id, given.reason) == (boss_id, "Earned")


def test_the_page_of_a_user_says_that_who_gave_a_role_is_gone(
    alice: User, make_user: Callable[..., User], admin_page: Client
) -> None:
    former = make_user("former", "admin")
    grant(alice, "moderator", by=Actor(former.pk, "api"))
    gone = former.pk
    former.delete()
    page = admin_page.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    assert f"somebody who is gone ({gone})" in page


@pytest.mark.parametrize("reason", ["First", ""])
def test_granting_what_is_held_just_so_changes_nothing(clock: time_machine.Traveller, alice: User, reason: str) -> None:
    grant(alice, "moderator", SOON, "First")
    clock.shift(1)
    assert not grant(alice, "moderator", SOON, reason)
    assert (grant_of(alice, "moderator").granted_at, grant_of(alice, "moderator").reason) == (NOW, "First")


@pytest.mark.parametrize(
    ("first", "second"), [(SOON, None), (None, SOON), (SOON, SOON + timedelta(days=1)), (None, None)]
)
def test_granting_again_with_another_end_or_reason_changes_the_grant(
    clock: time_machine.Traveller, alice: User, boss: User, first: datetime | None, second: datetime | None
) -> None:
    grant(alice, "moderator", first, "First")
    clock.shift(1)
    assert grant(alice, "moderator", second, "Second", by=Actor(boss.pk))
    given = grant_of(alice, "moderator")
    assert (given.expires_at, given.reason, given.granted_by) == (second, "Second", boss)
    assert given.granted_at == NOW + timedelta(seconds=1)


def test_granting_renews_an_expired_grant_with_the_same_end_open(clock: time_machine.Traveller, alice: User) -> None:
    grant(alice, "moderator", SOON)
    clock.move_to(SOON)
    assert grant(alice, "moderator")
    assert again(alice).role_names == ("user", "moderator")


@pytest.mark.parametrize("name", ["Moderator", "moderator ", "", "boss"])
def test_a_role_is_meant_by_its_very_name(alice: User, name: str) -> None:
    with pytest.raises(RoleDoesNotExist):
        grant(alice, name)


# --- Django's own ways


@pytest.fixture(params=["user.roles.add", "role.users.add"])
def add(request: pytest.FixtureRequest) -> Callable[[User, str], None]:
    """Both sides of the many-to-many."""

    def add(user: User, name: str) -> None:
        role = Role.objects.get(name=name)
        if request.param == "user.roles.add":
            user.roles.add(role)
        else:
            role.users.add(user)

    return add


def test_add_gives_a_role_without_an_end(alice: User, add: Callable[[User, str], None]) -> None:
    add(alice, "moderator")
    assert again(alice).role_names == ("user", "moderator")
    assert grant_of(alice, "moderator").expires_at is None


def test_add_renews_an_expired_grant(
    clock: time_machine.Traveller, alice: User, add: Callable[[User, str], None]
) -> None:
    grant(alice, "moderator", SOON)
    clock.move_to(SOON)
    add(alice, "moderator")
    assert again(alice).role_names == ("user", "moderator")


@pytest.mark.usefixtures("clock")
def test_add_leaves_a_live_grant_as_it_is(alice: User, add: Callable[[User, str], None]) -> None:
    grant(alice, "moderator", SOON, "First")
    add(alice, "moderator")
    assert (grant_of(alice, "moderator").reason, grant_of(alice, "moderator").expires_at) == ("First", SOON)


# --- set_roles


@pytest.mark.usefixtures("clock")
def test_set_roles_leaves_the_user_with_just_these(alice: User, boss: User) -> None:
    set_roles(alice, "moderator", "admin", by=Actor(boss.pk))
    assert again(alice).role_names == ("moderator", "admin")
    assert (grant_of(alice, "moderator").granted_by, grant_of(alice, "moderator").granted_at) == (boss, NOW)


def test_set_roles_keeps_date_reason_and_end_of_a_grant_that_stays(
    clock: time_machine.Traveller, alice: User, boss: User
) -> None:
    grant(alice, "moderator", SOON, "Covers for Bob", by=Actor(boss.pk))
    clock.shift(60)
    set_roles(alice, "moderator")
    given = grant_of(alice, "moderator")
    assert (given.granted_by, given.granted_at, given.reason, given.expires_at) == (boss, NOW, "Covers for Bob", SOON)


def test_set_roles_records_each_change_and_no_other(alice: User) -> None:
    grant(alice, "moderator")
    AuditEntry.objects.all().delete()
    set_roles(alice, "moderator", "admin")
    assert [entry[3]["role"] for entry in entries(Action.ROLE_GRANTED)] == ["admin"]
    assert [entry[3]["role"] for entry in entries(Action.ROLE_REVOKED)] == ["user"]


# --- commands


@pytest.mark.usefixtures("clock")
def test_the_grant_command_gives_the_role_and_says_so(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("grant_role", "alice", "moderator")
    assert capsys.readouterr().out == "alice now holds moderator.\n"
    assert (grant_of(alice, "moderator").granted_at, grant_of(alice, "moderator").granted_by) == (NOW, None)
    assert entries(Action.ROLE_GRANTED) == [(None, alice.pk, "command", {"reason": "", "role": "moderator"})]


@pytest.mark.usefixtures("alice")
def test_the_grant_command_says_what_was_held_already(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("grant_role", "alice", "user")
    assert capsys.readouterr().out == "alice held user already.\n"


def test_the_revoke_command_takes_the_role_and_says_so(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("revoke_role", "alice", "user")
    assert capsys.readouterr().out == "alice no longer holds user.\n"
    assert again(alice).role_names == ()
    assert entries(Action.ROLE_REVOKED) == [(None, alice.pk, "command", {"role": "user"})]


@pytest.mark.usefixtures("alice")
def test_the_revoke_command_says_what_was_not_held(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("revoke_role", "alice", "moderator")
    assert capsys.readouterr().out == "alice did not hold moderator.\n"


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("command", ["grant_role", "revoke_role"])
def test_a_command_refuses_a_role_that_does_not_exist(command: str) -> None:
    with pytest.raises(CommandError, match=r"^Failed! Role does not exist = boss$"):
        call_command(command, "alice", "boss")


@pytest.mark.parametrize("command", ["grant_role", "revoke_role"])
def test_a_command_refuses_a_user_who_does_not_exist(command: str) -> None:
    with pytest.raises(CommandError, match=r"^There is no user called 'nobody'\.$"):
        call_command(command, "nobody", "user")


def test_the_seed_command_creates_and_records_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed_roles", "editor")
    assert capsys.readouterr().out == "Created: editor.\n"
    assert entries(Action.ROLE_CREATED) == [(None, None, "command", {"role": "editor"})]


def test_the_seed_command_changes_nothing_that_exists(capsys: pytest.CaptureFixture[str]) -> None:
    Role.objects.create(name="editor", description="Edits.")
    call_command("seed_roles", "editor")
    assert capsys.readouterr().out == "All roles are there already.\n"
    assert Role.objects.get(name="editor").description == "Edits."


def test_seeding_with_a_bad_name_among_good_ones_creates_none() -> None:
    with pytest.raises(InvalidRoleName):
        services.seed_roles(["editor", "Bad Name"], by=Actor())
    assert not Role.objects.filter(name="editor").exists()


# --- the admin's pages


@pytest.fixture
def admin_page(boss: User, client: Client) -> Client:
    client.force_login(boss)
    return client


def save(page: Client, user: User, *names: str) -> Any:
    """Sends the user's form with these roles in the right-hand list."""
    roles = list(Role.objects.filter(name__in=names).values_list("id", flat=True))
    form = {"username": user.username, "email": user.email, "is_active": "on", "held_roles": roles}
    return page.post(f"/admin/accounts/user/{user.pk}/change/", form)


def test_the_double_list_gives_and_takes_roles(admin_page: Client, alice: User, boss: User) -> None:
    assert save(admin_page, alice, "moderator").status_code == 302
    assert again(alice).role_names == ("moderator",)
    assert entries(Action.ROLE_GRANTED) == [(boss.pk, alice.pk, "admin", {"reason": "", "role": "moderator"})]
    assert entries(Action.ROLE_REVOKED) == [(boss.pk, alice.pk, "admin", {"role": "user"})]


def test_the_double_list_keeps_date_reason_and_end_of_a_grant_that_stays(
    clock: time_machine.Traveller, alice: User, admin_page: Client
) -> None:
    grant(alice, "moderator", SOON, "Covers for Bob")
    clock.shift(60)
    save(admin_page, alice, "user", "moderator")
    given = grant_of(alice, "moderator")
    assert (given.granted_by, given.granted_at, given.reason, given.expires_at) == (None, NOW, "Covers for Bob", SOON)


def test_the_double_list_renews_an_expired_grant(
    clock: time_machine.Traveller, alice: User, boss: User, client: Client
) -> None:
    grant(alice, "moderator", SOON)
    clock.move_to(SOON)
    client.force_login(boss)
    save(client, alice, "user", "moderator")
    assert again(alice).role_names == ("user", "moderator")


def test_the_double_list_shows_an_expired_grant_as_not_held(
    clock: time_machine.Traveller, alice: User, boss: User, client: Client
) -> None:
    grant(alice, "moderator", SOON)
    clock.move_to(SOON)
    client.force_login(boss)
    page = client.get(f"/admin/accounts/user/{alice.pk}/change/")
    assert page.context["adminform"].form.fields["held_roles"].initial == [1]


@pytest.mark.usefixtures("clock")
def test_the_users_page_shows_who_gave_each_role_when_why_and_until_when(
    alice: User, boss: User, admin_page: Client
) -> None:
    grant(alice, "moderator", SOON, "Covers for Bob", by=Actor(boss.pk))
    page = admin_page.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    grants = page.partition("Grants</h2>")[2].partition("</table>")[0]
    rows = [strip_tags(row).split() for row in re.findall("<tr.*?</tr>", grants, re.DOTALL)]
    assert " ".join(rows[-1]) == "moderator 2030-05-01 12:00 boss 2030-05-01 12:10 Covers for Bob"


def test_the_users_page_shows_expired_grants_too(
    clock: time_machine.Traveller, alice: User, boss: User, client: Client
) -> None:
    grant(alice, "moderator", SOON, "Covers for Bob")
    clock.move_to(SOON)
    client.force_login(boss)
    assert "Covers for Bob" in client.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()


def test_the_list_of_users_names_only_roles_that_count(
    clock: time_machine.Traveller, alice: User, boss: User, client: Client
) -> None:
    grant(alice, "moderator", SOON)
    client.force_login(boss)
    assert "user, moderator" in client.get("/admin/accounts/user/").content.decode()
    clock.move_to(SOON)
    assert "user, moderator" not in client.get("/admin/accounts/user/").content.decode()


def test_a_new_user_gets_the_roles_chosen_by_the_admins_word(admin_page: Client, boss: User) -> None:
    form = {"username": "carol", "email": "carol@example.com", "password1": PASSWORD, "password2": PASSWORD}
    admin_page.post("/admin/accounts/user/add/", {**form, "usable_password": "true", "held_roles": [2]})
    carol = User.objects.get_by_natural_key("carol")
    assert [(given.role.name, given.granted_by) for given in carol.grants.all()] == [("moderator", boss)]


def test_the_admin_deletes_a_role_that_only_expired_grants_hold(
    clock: time_machine.Traveller, alice: User, boss: User, client: Client
) -> None:
    role = Role.objects.create(name="editor")
    grant(alice, "editor", SOON)
    clock.move_to(SOON)
    client.force_login(boss)
    client.post(f"/admin/accounts/role/{role.pk}/delete/", {"post": "yes"})
    assert not Role.objects.filter(name="editor").exists()


def test_the_admin_keeps_a_role_that_somebody_holds(admin_page: Client, alice: User) -> None:
    role = Role.objects.create(name="editor")
    grant(alice, "editor", timezone.now() + timedelta(days=1))
    admin_page.post(f"/admin/accounts/role/{role.pk}/delete/", {"post": "yes"})
    assert Role.objects.filter(name="editor").exists()


def test_the_grant_command_says_why_and_until_when(alice: User) -> None:
    call_command("grant_role", "alice", "moderator", "--reason", "holiday cover", "--until", "2999-01-31T18:00+01:00")
    grant = alice.grants.get(role__name="moderator")
    assert (grant.reason, grant.expires_at) == ("holiday cover", datetime(2999, 1, 31, 17, tzinfo=UTC))


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize(
    "wrong",
    [
        ("--until", "tomorrow"),
        ("--until", "0001-01-01T00:00+23:00"),
        ("--until", "2001-01-01"),
        ("--reason", "x" * 256),
    ],
)
def test_the_grant_command_refuses_what_makes_no_sense(wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        call_command("grant_role", "alice", "moderator", *wrong)


def test_a_page_left_open_does_not_bring_back_a_role_that_ran_out(
    clock: time_machine.Traveller, alice: User, boss: User, client: Client
) -> None:
    grant(alice, "moderator", SOON)
    client.force_login(boss)
    opened = client.get(f"/admin/accounts/user/{alice.pk}/change/")
    shown = re.findall(r'name="initial-held_roles" value="(\d+)"', opened.content.decode())
    clock.move_to(SOON)
    client.force_login(boss)
    form = {"username": "alice", "email": "new@example.com", "is_active": "on"}
    lists = {"held_roles": shown, "initial-held_roles": shown}
    client.post(f"/admin/accounts/user/{alice.pk}/change/", {**form, **lists})
    assert (again(alice).email, again(alice).role_names) == ("new@example.com", ("user",))


def test_a_page_left_open_does_not_take_a_role_that_somebody_else_gave(
    alice: User, boss: User, admin_page: Client
) -> None:
    form = {"username": "alice", "email": "new@example.com", "is_active": "on"}
    lists = {"held_roles": ["1"], "initial-held_roles": ["1"]}
    grant(alice, "moderator")
    admin_page.post(f"/admin/accounts/user/{alice.pk}/change/", {**form, **lists})
    assert again(alice).role_names == ("user", "moderator")


@pytest.mark.parametrize("until", [None, SOON + timedelta(seconds=1)])
@pytest.mark.usefixtures("clock")
def test_who_is_admin_for_a_time_makes_nobody_admin_for_longer(
    alice: User, boss: User, make_user: Callable[..., User], until: datetime | None
) -> None:
    grant(alice, "admin", SOON)
    for user in (alice, make_user("bob")):
        with pytest.raises(OutlastsGranter):
            grant(user, "admin", until, by=Actor(alice.pk, "api"))
    assert grant(make_user("carol"), "admin", SOON, by=Actor(alice.pk, "api"))
