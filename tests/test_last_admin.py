"""Somebody active always holds `admin` without an end: whoever is the last one stays, whichever way they would go."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from subprocess import CalledProcessError
from threading import Barrier
from typing import Any

import httpx
import pytest
from django.contrib.messages import get_messages
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.errors import LastAdmin
from accounts.models import Action, Actor, AuditEntry, RoleGrant, User
from tests.conftest import PASSWORD
from tests.live import Server

MakeUser = Callable[..., User]
SignedInAs = Callable[..., APIClient]

REFUSAL = "Somebody active must hold the role admin without an end, and would not after this."
LATER = datetime(2200, 1, 1, tzinfo=UTC)
# SQLite lets one write at a time.
ROUNDS = 20 if connection.vendor == "mysql" else 5


@pytest.fixture
def boss(make_user: MakeUser) -> User:
    return make_user("boss", "user", "admin")


@pytest.fixture
def alice(make_user: MakeUser) -> User:
    return make_user("alice")


def grant_admin(user: User, until: datetime | None = None) -> bool:
    return services.grant_role(user=user, role_name="admin", by=Actor(), expires_at=until)


def revoke_admin(user: User) -> bool:
    return services.revoke_role(user=user, role_name="admin", by=Actor())


def state() -> list[Any]:
    """All that a refusal has to leave as it was."""
    grants = RoleGrant.with_expired.order_by("id").values_list("user__username", "role__name", "expires_at")
    people = User.objects.values_list("username", "email", "is_active")
    entries = AuditEntry.objects.exclude(action__in=[Action.SIGNED_IN, Action.SIGN_IN_FAILED])
    return [*people, *grants, entries.count()]


# --- the rule


@pytest.mark.django_db
@pytest.mark.parametrize(
    "go",
    [
        revoke_admin,
        lambda user: grant_admin(user, LATER),
        lambda user: services.set_roles(user=user, roles=[], by=Actor()),
        lambda user: services.set_active(user=user, active=False, by=Actor()),
        lambda user: services.delete_account(user=user, by=Actor()),
        lambda user: services.delete_own_account(user=user, password=PASSWORD, by=Actor()),
    ],
)
def test_the_last_admin_stays_and_nothing_changes(boss: User, go: Callable[[User], Any]) -> None:
    before = state()
    with pytest.raises(LastAdmin):
        go(boss)
    assert state() == before


@pytest.mark.django_db
def test_one_of_two_admins_may_go(boss: User, alice: User) -> None:
    grant_admin(alice)
    assert revoke_admin(boss)


@pytest.mark.django_db
def test_an_inactive_admin_is_not_the_one_who_stays(boss: User, make_user: MakeUser) -> None:
    make_user("carol", "admin", is_active=False)
    with pytest.raises(LastAdmin):
        revoke_admin(boss)


@pytest.mark.django_db
def test_an_admin_until_some_day_is_not_the_one_who_stays(boss: User, alice: User) -> None:
    grant_admin(alice, LATER)
    with pytest.raises(LastAdmin):
        revoke_admin(boss)


@pytest.mark.django_db
def test_an_expired_admin_is_not_the_one_who_stays(boss: User, alice: User) -> None:
    grant_admin(alice, LATER)
    RoleGrant.with_expired.filter(user=alice).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(LastAdmin):
        revoke_admin(boss)


@pytest.mark.django_db
def test_an_inactive_admin_may_go(boss: User, make_user: MakeUser) -> None:
    assert revoke_admin(make_user("carol", "admin", is_active=False))


@pytest.mark.django_db
@pytest.mark.usefixtures("boss")
def test_an_admin_until_some_day_may_go(alice: User) -> None:
    grant_admin(alice, LATER)
    assert revoke_admin(alice)


@pytest.mark.django_db
def test_nobody_becomes_admin_until_some_day_before_there_is_one_without_an_end(alice: User) -> None:
    with pytest.raises(LastAdmin):
        grant_admin(alice, LATER)
    assert User.objects.get(pk=alice.pk).role_names == ("user",)


@pytest.mark.django_db
def test_nobody_becomes_admin_until_some_day_while_the_other_is_inactive(alice: User, make_user: MakeUser) -> None:
    make_user("carol", "admin", is_active=False)
    with pytest.raises(LastAdmin):
        grant_admin(alice, LATER)


@pytest.mark.django_db
@pytest.mark.usefixtures("boss")
def test_an_admin_may_be_given_an_end_while_another_has_none(alice: User) -> None:
    grant_admin(alice)
    assert grant_admin(alice, LATER)


@pytest.mark.django_db
def test_the_last_admin_may_lose_another_role(boss: User) -> None:
    assert services.revoke_role(user=boss, role_name="user", by=Actor())


# --- the API


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("delete", "/api/users/{id}/roles/admin", None),
        ("post", "/api/users/{id}/roles", {"role": "admin", "expiresAt": "2200-01-01T00:00:00Z"}),
        ("delete", "/api/users/{id}", None),
        ("patch", "/api/users/{id}", {"active": False}),
        ("patch", "/api/users/{id}", {"active": False, "username": "renamed", "email": "new@example.com"}),
        ("post", "/api/auth/me/delete", {"password": PASSWORD}),
    ],
)
def test_the_api_refuses_and_changes_nothing(
    signed_in_as: SignedInAs, method: str, path: str, body: dict[str, Any] | None
) -> None:
    client = signed_in_as("admin")
    before = state()
    response = getattr(client, method)(path.format(id=User.objects.get().pk), body)
    assert (response.status_code, response.json()) == (409, {"message": REFUSAL})
    assert state() == before


@pytest.mark.django_db
def test_the_api_refuses_an_admin_until_some_day_as_the_only_one(make_user: MakeUser, signed_in_as: SignedInAs) -> None:
    client, bob = signed_in_as("admin"), make_user("bob", "admin")
    url = f"/api/users/{bob.pk}/roles"
    assert client.post(url, {"role": "admin", "expiresAt": "2200-01-01T00:00:00Z"}).status_code == 201
    own = f"/api/users/{User.objects.get_by_natural_key('holds_admin').pk}"
    assert client.post(f"{own}/roles", {"role": "admin", "expiresAt": "2200-01-01T00:00:00Z"}).status_code == 409


@pytest.mark.django_db
def test_an_admin_who_is_not_the_last_may_delete_the_own_account(make_user: MakeUser, signed_in_as: SignedInAs) -> None:
    make_user("bob", "admin")
    assert signed_in_as("admin").post("/api/auth/me/delete", {"password": PASSWORD}).status_code == 200
    assert list(User.objects.values_list("username", flat=True)) == ["bob"]


# --- the Django admin


@pytest.fixture
def page(boss: User, client: Client) -> Client:
    client.force_login(boss)
    return client


def change(user: User, **fields: Any) -> tuple[str, dict[str, Any]]:
    form = {"username": user.username, "email": user.email, "is_active": "on", "held_roles": [1, 3]}
    merged = {**form, **fields}
    return f"/admin/accounts/user/{user.pk}/change/", {name: value for name, value in merged.items() if value != ""}


def delete(user: User) -> tuple[str, dict[str, Any]]:
    return f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"}


def delete_in_bulk(user: User) -> tuple[str, dict[str, Any]]:
    """With the others, who may be deleted, before and after."""
    chosen = list(User.objects.values_list("id", flat=True))
    return "/admin/accounts/user/", {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "send",
    [
        lambda user: change(user, held_roles=[1]),
        lambda user: change(user, held_roles=[]),
        lambda user: change(user, is_active="", username="renamed"),
        lambda user: change(user, held_roles=[1, 2], email="new@example.com"),
        delete,
        delete_in_bulk,
    ],
)
def test_the_admin_says_no_on_the_page_and_changes_nothing(
    alice: User, boss: User, make_user: MakeUser, page: Client, send: Callable[[User], tuple[str, dict[str, Any]]]
) -> None:
    make_user("zoe")
    path, form = send(boss)
    before = state()
    response = page.post(path, form)
    assert (response.status_code, response["Location"]) == (302, path)
    assert [str(message) for message in get_messages(response.wsgi_request)] == [REFUSAL]
    assert state() == before


@pytest.mark.django_db
def test_the_page_shows_the_refusal(boss: User, page: Client) -> None:
    path, form = change(boss, held_roles=[1])
    assert REFUSAL in page.post(path, form, follow=True).content.decode()


@pytest.mark.django_db
def test_the_admin_deletes_in_bulk_where_an_admin_stays(alice: User, make_user: MakeUser, page: Client) -> None:
    chosen = [alice.pk, make_user("carol", "admin").pk]
    form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    page.post("/admin/accounts/user/", form)
    assert list(User.objects.values_list("username", flat=True)) == ["boss"]


# --- the commands


@pytest.mark.usefixtures("boss")
def test_the_revoke_command_refuses_in_one_line_and_changes_nothing() -> None:
    before = state()
    with pytest.raises(CommandError, match=f"^{REFUSAL}$"):
        call_command("revoke_role", "boss", "admin")
    assert state() == before


# --- at once, on the real server


class Admins:
    """Exactly two: each round the one who stayed makes a new one."""

    def __init__(self, server: Server, http: httpx.Client) -> None:
        self.server, self.http = server, http
        self.numbers = count()
        server.manage("create_user", "first", "first@example.com", "--role", "admin", stdin=PASSWORD)
        self.staying = self._sign_in("first")

    def two(self) -> list[dict[str, Any]]:
        name = f"admin{next(self.numbers)}"
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "roles": ["admin"]}
        assert self.call(self.staying, "POST", "/api/users", body) == 201
        return [self.staying, self._sign_in(name)]

    def left(self, two: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Which of the two are admins still."""
        left = [admin for admin in two if self.call(admin, "GET", "/api/users") == 200]
        self.staying = left[0] if left else self.staying
        return left

    def call(self, admin: dict[str, Any], method: str, path: str, body: Any = None) -> int:
        headers = {"x-access-token": admin["accessToken"]}
        return self.http.request(method, path, json=body, headers=headers).status_code

    def _sign_in(self, name: str) -> dict[str, Any]:
        return self.http.post("/api/auth/signin", json={"username": name, "password": PASSWORD}).json()


@pytest.fixture(scope="module")
def admins(start_server: Callable[..., Server]) -> Iterator[Admins]:
    server = start_server()
    with server.client() as http:
        yield Admins(server, http)


Move = Callable[[Admins, dict[str, Any], dict[str, Any]], int]


def demote(admins: Admins, me: dict[str, Any], other: dict[str, Any]) -> int:
    return admins.call(me, "DELETE", f"/api/users/{other['id']}/roles/admin")


def deactivate(admins: Admins, me: dict[str, Any], other: dict[str, Any]) -> int:
    return admins.call(me, "DELETE", f"/api/users/{other['id']}")


def give_an_end(admins: Admins, me: dict[str, Any], other: dict[str, Any]) -> int:
    body = {"role": "admin", "expiresAt": LATER.isoformat()}
    return admins.call(me, "POST", f"/api/users/{other['id']}/roles", body)


def step_down(admins: Admins, me: dict[str, Any], other: dict[str, Any]) -> int:
    return demote(admins, me, me)


def leave(admins: Admins, me: dict[str, Any], other: dict[str, Any]) -> int:
    return admins.call(me, "POST", "/api/auth/me/delete", {"password": PASSWORD})


def make_moderator(admins: Admins, me: dict[str, Any], other: dict[str, Any]) -> int:
    return admins.call(me, "POST", f"/api/users/{other['id']}/roles", {"role": "moderator"})


def both_at_once(admins: Admins, two: list[dict[str, Any]], moves: tuple[Move, Move]) -> list[int]:
    start = Barrier(2)

    def run(n: int) -> int:
        start.wait(timeout=30)
        return moves[n](admins, two[n], two[1 - n])

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, range(2)))


@pytest.mark.parametrize(
    "moves",
    [(demote, demote), (deactivate, deactivate), (step_down, leave), (demote, deactivate)],
    ids=lambda moves: "-".join(move.__name__ for move in moves),
)
def test_of_two_admins_who_would_both_go_one_stays(admins: Admins, moves: tuple[Move, Move]) -> None:
    for round_ in range(ROUNDS):
        two = admins.two()
        answers = both_at_once(admins, two, moves if round_ % 2 else moves[::-1])
        assert len(admins.left(two)) == 1, (round_, answers)
        # The other was refused for being the last; or was no admin, or signed out, when the request was looked at.
        assert [status for status in answers if status >= 300] in ([409], [403], [401]), (round_, answers)


def test_the_command_refuses_with_exit_code_1(admins: Admins) -> None:
    with pytest.raises(CalledProcessError) as refused:
        admins.server.manage("revoke_role", admins.staying["username"], "admin")
    assert (refused.value.returncode, refused.value.stderr) == (1, f"CommandError: {REFUSAL}\n")


def test_of_two_admins_who_would_both_get_an_end_one_has_none(admins: Admins) -> None:
    succeeded: list[int] = []
    for _ in range(ROUNDS):
        two = admins.two()
        answers = both_at_once(admins, two, (give_an_end, give_an_end))
        succeeded.append(answers.count(201))
        for me, other in (two, two[::-1]):
            if demote(admins, me, other) == 204:
                admins.left(two)
                break
    assert succeeded == [1] * ROUNDS


def test_granting_to_somebody_who_leaves_at_once_is_no_error_of_the_server(admins: Admins) -> None:
    statuses: set[int] = set()
    for _ in range(ROUNDS):
        two = admins.two()
        statuses |= set(both_at_once(admins, two, (make_moderator, leave)))
        admins.left(two)
    assert statuses <= {200, 201, 404}
