"""Moving in from the Express server's database, as Sequelize made it: what comes over, and what does not."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from rest_framework.test import APIClient

from accounts import sealing, services
from accounts.importing import moving, source
from accounts.importing.writing import write
from accounts.models import Actor, AuditEntry, ImportedUser, Role, RoleGrant, User
from tests.conftest import PASSWORD
from tests.express_database import ExpressTables, express_database, url_of
from tests.live import ROOT

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "mysql", reason="the old database is one of MySQL or MariaDB"),
]
# As bcryptjs writes them, of PASSWORD; the second at a cost that is dear enough today.
HASH = "$2a$08$abcdefghijklmnopqrstuuwezlW09AGl.Qc8oiYvHEzrpumH/GaSu"
BETTER_HASH = HASH.replace("$08$", "$10$")
WHEN = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
Import = Callable[..., str]


@pytest.fixture(scope="module")
def old_server(django_db_setup: None, django_db_blocker: Any) -> Iterator[ExpressTables]:
    settings = connection.settings_dict
    with express_database(url_of(settings), f"{settings['NAME']}_express") as tables:
        tables.create()
        yield tables


@pytest.fixture
def old(old_server: ExpressTables) -> ExpressTables:
    """The old database, with the three roles and nobody."""
    old_server.empty()
    return old_server


@pytest.fixture
def another(old: ExpressTables) -> Iterator[ExpressTables]:
    """The old database, whose tables may be changed."""
    yield old
    old.create()


@pytest.fixture
def move_in(old: ExpressTables) -> Import:
    """Runs the command; gives what it printed."""

    def move_in(*arguments: str) -> str:
        printed = StringIO()
        call_command("import_express", old.url, *arguments, stdout=printed, no_color=True)
        return printed.getvalue()

    return move_in


def add(old: ExpressTables, id_: int, username: str | None, **other: Any) -> None:
    """Somebody against whom nothing is to be said, but for what is given."""
    values = {"email": f"user{id_}@example.com", "password": HASH, "roles": (1,), **other}
    old.user(id_, username, **values)


def names() -> list[str]:
    return list(User.objects.order_by("id").values_list("username", flat=True))


def roles_of(username: str) -> tuple[str, ...]:
    return User.objects.get_by_natural_key(username).role_names


def line_with(text: str, printed: str) -> str:
    found = [line for line in printed.splitlines() if text in line]
    assert len(found) == 1, printed
    return found[0].strip()


# --- people sign in as before


def test_people_sign_in_with_the_password_they_had(
    old: ExpressTables, move_in: Import, sign_in: Callable[..., Any]
) -> None:
    add(old, 7, "alice", roles=(1,))
    move_in()
    answer = sign_in("alice")
    assert {name: answer[name] for name in ("id", "username", "email", "roles")} == {
        "id": 7,
        "username": "alice",
        "email": "user7@example.com",
        "roles": ["ROLE_USER"],
    }


def test_the_hash_comes_over_as_it_was(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "alice")
    move_in()
    assert User.objects.get().password == f"bcrypt${HASH}"


def test_and_is_upgraded_when_its_owner_signs_in(
    old: ExpressTables, move_in: Import, sign_in: Callable[..., Any]
) -> None:
    add(old, 7, "alice")
    move_in()
    sign_in("alice")
    assert User.objects.get().password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("name", ["j", "mary jane", "<O'Neil/>", "😀", " spaced "])
def test_names_that_could_not_be_chosen_today_sign_in_as_they_are(
    old: ExpressTables, move_in: Import, sign_in: Callable[..., Any], name: str
) -> None:
    add(old, 7, name)
    assert "its username could not be chosen today" in move_in() or name == " spaced "
    assert sign_in(name)["id"] == 7


def test_such_a_name_may_be_kept_when_the_email_is_changed(
    old: ExpressTables, move_in: Import, sign_in: Callable[..., Any], api: APIClient
) -> None:
    add(old, 7, "mary jane")
    move_in()
    body = {"username": "mary jane", "email": "mary@example.com", "currentPassword": PASSWORD}
    headers = {"x-access-token": sign_in("mary jane")["accessToken"]}
    assert api.patch("/api/auth/me", body, headers=headers).status_code == 200
    assert User.objects.get().email == "mary@example.com"


def test_the_moment_of_the_sign_up_is_kept(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "alice")
    move_in()
    assert User.objects.get().created_at == WHEN


def test_the_next_account_has_an_id_of_its_own(old: ExpressTables, move_in: Import) -> None:
    add(old, 700, "alice")
    move_in()
    assert User.objects.create_user("bob", "bob@example.com").pk > 700


# --- roles and grants


def test_grants_keep_their_moment(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "alice")
    move_in()
    grant = RoleGrant.objects.get()
    assert (grant.role.name, grant.granted_at, grant.granted_by) == ("user", WHEN, None)
    assert grant.reason == "Brought over from the Express server."


def test_a_role_that_is_not_here_is_created(old: ExpressTables, move_in: Import) -> None:
    old.role(9, "editor")
    add(old, 7, "alice", roles=(1, 9))
    move_in()
    assert roles_of("alice") == ("user", "editor")


@pytest.mark.parametrize("name", [None, "Admin", "ADMIN", "e d", "", "x" * 51])
def test_a_role_whose_name_is_no_good_stays_behind(old: ExpressTables, move_in: Import, name: str | None) -> None:
    old.role(9, name)
    add(old, 7, "alice", roles=(1, 9))
    assert "holds a role whose name is no good here" in move_in()
    assert roles_of("alice") == ("user",)
    assert Role.objects.count() == 3


def test_admin_and_moderator_stay_behind_because_anyone_could_take_them(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "eve", roles=(1, 2, 3))
    printed = move_in()
    assert roles_of("eve") == ("user",)
    assert line_with("holds admin", printed).startswith("1 ")
    assert line_with("holds moderator", printed).startswith("1 ")


def test_who_held_nothing_else_is_a_user(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "eve", roles=(3,))
    move_in()
    assert roles_of("eve") == ("user",)


def test_who_is_named_keeps_admin(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "Root", roles=(3,))
    add(old, 8, "eve", roles=(3,))
    move_in("--admin", "root")
    assert (roles_of("root"), roles_of("eve")) == (("admin",), ("user",))


def test_to_be_named_makes_nobody_an_admin_who_was_none(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "alice")
    with pytest.raises(CommandError, match="No admin of the old database that comes in: alice"):
        move_in("--admin", "alice")
    assert roles_of("alice") == ("user",)


def test_a_later_row_of_an_admins_name_is_none(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "root", roles=(3,))
    add(old, 8, "root", roles=(3,), password=BETTER_HASH)
    move_in("--admin", "root")
    assert list(RoleGrant.objects.filter(role__name="admin").values_list("user_id", flat=True)) == [7]


def test_a_trusted_role_is_kept_by_all_who_hold_it(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "mod", roles=(2,))
    add(old, 8, "eve", roles=(2, 3))
    move_in("--trust-role", "moderator")
    assert (roles_of("mod"), roles_of("eve")) == (("moderator",), ("moderator",))


# --- rows that are left out


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"username": None}, "has no username"),
        ({"username": "  "}, "has no username"),
        ({"username": "x" * 151}, "its username is longer than 150 characters"),
        ({"username": "bob\0"}, "its username holds NUL"),
        ({"username": "bo\nb"}, "its username holds NUL"),
        ({"username": "bob\u200b"}, "its username holds NUL"),
        ({"password": None}, "has no password"),
        ({"password": ""}, "has no password"),
        ({"password": "hunter2hunter2"}, "its password is no bcrypt hash"),
        ({"password": HASH[:-1]}, "its password is no bcrypt hash"),
        ({"password": HASH.replace("$08$", "$03$")}, "its password is no bcrypt hash"),
        ({"password": HASH.replace("$08$", "$15$")}, "its bcrypt hash costs more than 14"),
        ({"email": None}, "has no email"),
        ({"email": ""}, "has no email"),
        ({"email": "nobody"}, "its email is no address"),
        ({"email": "a@example.com\0"}, "its email is no address"),
        ({"email": "ALICE@example.com"}, "has the email of an earlier row"),
        ({"username": "alice"}, "has the username of an earlier row"),
        ({"username": "ALICE "}, "its username is an earlier row's but for letter case"),
    ],
    ids=[
        *("no name", "a blank name", "a long name", "NUL in the name", "a line end", "an invisible letter"),
        *("no password", "an empty password", "in clear", "cut short", "a cost that is none", "a cost too high"),
        *("no email", "an empty email", "no address", "NUL in the email", "an email in another letter case"),
        *("a name twice", "a name in another letter case"),
    ],
)
def test_a_row_is_left_out_and_said_why(
    old: ExpressTables, move_in: Import, row: dict[str, str | None], why: str
) -> None:
    add(old, 1, "alice", email="alice@example.com")
    add(old, 2, **{"username": "bob", **row})
    add(old, 3, "carol")
    printed = move_in()
    assert line_with(why, printed).startswith("1 ")
    assert names() == ["alice", "carol"]


def test_of_ten_rows_of_one_username_the_one_that_could_sign_in_comes(
    old: ExpressTables, move_in: Import, sign_in: Callable[..., Any]
) -> None:
    for id_ in range(1, 11):
        add(old, id_, "racer", password=HASH if id_ == 1 else BETTER_HASH)
    printed = move_in()
    assert "id 2 'racer', after id 1 'racer'" in printed
    assert line_with("has the username of an earlier row", printed).startswith("9 ")
    assert sign_in("racer")["id"] == 1


def test_no_row_comes_in_the_place_of_one_that_cannot(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "racer", password=None)
    add(old, 2, "racer")
    move_in()
    assert names() == []


def test_an_email_of_a_row_that_is_left_out_is_free(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "alice")
    add(old, 2, "alice", email="shared@example.com")
    add(old, 3, "bob", email="shared@example.com")
    move_in()
    assert User.objects.get(username="bob").email == "shared@example.com"


def test_names_that_the_old_database_tells_apart_and_this_one_does_not_are_said_to_be_both_in_use(
    another: ExpressTables, move_in: Import
) -> None:
    another.create("utf8mb4_bin")
    add(another, 1, "Bob")
    add(another, 2, "bob")
    assert "the old server tells them apart" in move_in()
    assert names() == ["Bob"]


def test_so_are_those_that_are_one_in_their_unicode_form(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "ﬁsh")
    add(old, 2, "fish")
    assert "the old server tells them apart" in move_in()
    assert names() == ["fish"]


@pytest.mark.parametrize(
    ("padded", "said"),
    [(True, "the old server signs in the earlier one"), (False, "the old server tells them apart")],
    ids=["by a collation to which they are nothing", "by one that counts them"],
)
def test_of_names_that_differ_in_spaces_at_the_end_it_is_said_what_the_old_server_makes_of_them(
    another: ExpressTables, move_in: Import, padded: bool, said: str
) -> None:
    [[version]] = another.run("SELECT VERSION()")
    unpadded = "utf8mb4_general_nopad_ci" if "MariaDB" in version else "utf8mb4_0900_ai_ci"
    another.create("utf8mb4_general_ci" if padded else unpadded)
    add(another, 1, "bob ")
    add(another, 2, "bob")
    assert said in move_in()
    assert names() == ["bob"]


def test_names_that_only_the_old_databases_collation_merges_are_two_accounts(
    old: ExpressTables, move_in: Import
) -> None:
    add(old, 1, "jose")
    add(old, 2, "josé")
    assert "id 2 'josé', after id 1 'jose'" in move_in()
    assert names() == ["jose", "josé"]


@pytest.mark.parametrize("email", [None, "nobody", "alice@example.com"], ids=["none", "no address", "another's"])
def test_with_a_placeholder_people_come_in_without_their_email(
    old: ExpressTables, move_in: Import, sign_in: Callable[..., Any], email: str | None
) -> None:
    add(old, 1, "alice", email="alice@example.com")
    add(old, 2, "bob", email=email)
    move_in("--placeholder-emails")
    assert sign_in("bob")["email"] == "user-2@moved-in.invalid"


# --- accounts that are here already


def test_whoever_has_an_id_here_keeps_it_and_all_others_keep_theirs(old: ExpressTables, move_in: Import) -> None:
    mine = User.objects.create_user("operator", "operator@example.com")
    add(old, mine.pk, "alice")
    add(old, mine.pk + 1, "bob")
    add(old, mine.pk + 5, "carol")
    assert f"id {mine.pk} 'alice', id {mine.pk + 6} here" in move_in()
    assert dict(User.objects.values_list("username", "id")) == {
        "operator": mine.pk,
        "alice": mine.pk + 6,
        "bob": mine.pk + 1,
        "carol": mine.pk + 5,
    }


def test_a_username_that_somebody_has_here_is_theirs(old: ExpressTables, move_in: Import) -> None:
    User.objects.create_user("alice", "alice@example.com", PASSWORD)
    before = list(User.objects.values())
    add(old, 7000, "ALICE")
    assert "its username belongs to an account that is here already" in move_in()
    assert list(User.objects.values()) == before


def test_so_is_an_email(old: ExpressTables, move_in: Import) -> None:
    User.objects.create_user("alice", "alice@example.com", PASSWORD)
    add(old, 7000, "bob", email="Alice@example.com")
    assert "its email belongs to an account that is here already" in move_in()
    assert names() == ["alice"]


def test_or_the_row_gets_a_placeholder(old: ExpressTables, move_in: Import) -> None:
    User.objects.create_user("alice", "alice@example.com", PASSWORD)
    add(old, 7000, "bob", email="Alice@example.com")
    move_in("--placeholder-emails")
    assert User.objects.get(username="bob").email == "user-7000@moved-in.invalid"


# --- the dry run


def everything_here() -> list[Any]:
    models = (User, Role, RoleGrant, AuditEntry, ImportedUser)
    return [list(model._base_manager.order_by("pk").values()) for model in models]


def fill_with_trouble(old: ExpressTables) -> None:
    """As such databases are found; docs/moving-in.md shows what is said of it."""
    people: list[tuple[str | None, dict[str, Any]]] = [
        *(("root", {"roles": (1, 3)}), ("alice", {}), ("bob", {})),
        *[("racer", {})] * 10,
        *(("ALICE", {}), ("jose", {}), ("josé", {}), ("mary jane", {"password": BETTER_HASH})),
        *((None, {}), ("nul\0", {}), ("carol", {"email": None}), ("dave", {"email": "USER3@example.com"})),
        *(("eve", {"roles": (1, 2, 3)}), ("mallory", {"password": "hunter2hunter2"})),
    ]
    for id_, (username, other) in enumerate(people, 1):
        add(old, id_, username, **other)


def test_a_dry_run_writes_nothing(old: ExpressTables, move_in: Import) -> None:
    fill_with_trouble(old)
    before = everything_here()
    assert "Nothing was written" in move_in("--dry-run")
    assert everything_here() == before


def test_the_page_about_it_shows_what_it_says(old: ExpressTables, move_in: Import) -> None:
    fill_with_trouble(old)
    page = (ROOT / "docs/moving-in.md").read_text()
    shown = page.partition("--dry-run --admin root\n")[2].partition("```")[0]
    assert move_in("--dry-run", "--admin", "root") == shown


def test_a_dry_run_says_what_the_import_will(old: ExpressTables, move_in: Import) -> None:
    fill_with_trouble(old)
    rehearsed = move_in("--dry-run", "--placeholder-emails")
    assert move_in("--placeholder-emails") == rehearsed.replace("Nothing was written: this was a dry run.", "Done.")


def test_it_says_how_many_hashes_of_which_cost_there_are(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "alice")
    add(old, 2, "bob")
    add(old, 3, "carol", password=BETTER_HASH)
    printed = move_in("--dry-run")
    assert line_with("cost 8, weak: below 10", printed).startswith("2 ")
    assert line_with("cost 10;", printed).startswith("1 ")


def test_it_shows_a_few_and_the_file_has_all(old: ExpressTables, move_in: Import, tmp_path: Path) -> None:
    for id_ in range(1, 12):
        add(old, id_, "racer")
    assert "and 5 more" in move_in("--dry-run", "--report", str(tmp_path / "report"))
    found = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert [(each["id"], each["finding"]) for each in found] == [(id_, "same_username") for id_ in range(2, 12)]


def test_the_file_is_for_the_operator_alone(old: ExpressTables, move_in: Import, tmp_path: Path) -> None:
    move_in("--dry-run", "--report", str(tmp_path / "report"))
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o600


def test_no_name_speaks_to_the_terminal(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "bob\x1b[2J\0")
    printed = move_in("--dry-run")
    assert r"id 1 'bob\x1b[2J\x00'" in printed
    assert "\x1b" not in printed


def test_no_hash_is_shown(old: ExpressTables, move_in: Import, tmp_path: Path) -> None:
    fill_with_trouble(old)
    printed = move_in("--dry-run", "--report", str(tmp_path / "report"))
    assert "$2a$" not in printed + (tmp_path / "report").read_text()


# --- again, after it was done or stopped


@pytest.fixture
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source.ExpressDatabase.pages, "__defaults__", (2,))


def fill(old: ExpressTables, number: int) -> None:
    for id_ in range(1, number + 1):
        add(old, id_, f"person{id_}")


@pytest.mark.usefixtures("pages_of_two")
def test_all_pages_come(old: ExpressTables, move_in: Import) -> None:
    fill(old, 7)
    move_in()
    assert names() == [f"person{id_}" for id_ in range(1, 8)]


def test_a_second_run_changes_nothing(old: ExpressTables, move_in: Import) -> None:
    fill_with_trouble(old)
    move_in()
    before = everything_here()
    assert line_with("came in before", move_in()).startswith("8 ")
    assert everything_here() == before


@pytest.mark.usefixtures("pages_of_two")
def test_what_was_stopped_goes_on_where_it_was(
    old: ExpressTables, move_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(old, 6)
    pages = iter([1, 2])

    def stopped_at_the_third(*arguments: Any) -> None:
        if next(pages, None) is None:
            raise KeyboardInterrupt
        write(*arguments)

    monkeypatch.setattr(moving, "write", stopped_at_the_third)
    with pytest.raises(CommandError, match="Run it again"):
        move_in()
    assert len(names()) == 4
    monkeypatch.setattr(moving, "write", write)
    printed = move_in()
    assert line_with("came in before", printed).startswith("4 ")
    assert names() == [f"person{id_}" for id_ in range(1, 7)]


def test_a_second_run_brings_those_who_came_since(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "alice")
    move_in()
    add(old, 2, "bob")
    move_in()
    assert names() == ["alice", "bob"]


def test_and_those_who_were_left_out_and_are_put_right(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "alice")
    add(old, 2, "alice")
    move_in()
    old.run("UPDATE users SET username = 'alice2' WHERE id = 2")
    move_in()
    assert names() == ["alice", "alice2"]


def test_a_password_that_was_changed_here_stays(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "alice")
    move_in()
    services.set_password(user=User.objects.get(), password="a newer password", by=Actor())
    before = User.objects.get().password
    move_in()
    assert User.objects.get().password == before


def test_who_was_renamed_here_does_not_come_twice(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "alice")
    move_in()
    services.change_account(user=User.objects.get(), username="alicia", email="alicia@example.com", by=Actor())
    move_in()
    assert names() == ["alicia"]


def test_who_was_deleted_here_does_not_come_back(old: ExpressTables, move_in: Import) -> None:
    add(old, 1, "alice")
    move_in()
    services.delete_account(user=User.objects.get(), by=Actor())
    move_in()
    assert names() == []


# --- the audit trail


def test_each_account_leaves_an_entry(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "alice")
    move_in()
    entry = AuditEntry.objects.get(action="account_created")
    assert (entry.subject_id, entry.actor_id, entry.via) == (7, None, "command")
    assert json.loads(entry.detail)["source_id"] == 7


def test_so_does_each_role_that_is_not_everyones(old: ExpressTables, move_in: Import) -> None:
    add(old, 7, "root", roles=(1, 3))
    move_in("--admin", "root")
    entry = AuditEntry.objects.get(action="role_granted")
    assert (entry.subject_id, json.loads(entry.detail)["role"]) == (7, "admin")


def test_the_trail_is_whole(old: ExpressTables, move_in: Import) -> None:
    fill(old, 3)
    move_in()
    sealing.seal()
    assert list(sealing.verify()) == []


# --- the old database


def test_it_is_never_written(old: ExpressTables, move_in: Import) -> None:
    reader = source.ExpressDatabase(old.url)
    with pytest.raises(source.SourceError, match="READ ONLY"):
        reader._rows("DELETE FROM users")
    reader.close()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DROP TABLE refreshTokens, user_roles, users", "no user_roles.createdAt, roleId, userId|no users."),
        ("ALTER TABLE users DROP COLUMN password", "no users.password"),
        ("ALTER TABLE roles DROP COLUMN name", "no roles.name"),
    ],
    ids=["no table", "no password", "no role name"],
)
def test_a_database_of_another_kind_is_refused(another: ExpressTables, move_in: Import, sql: str, said: str) -> None:
    another.run(sql)
    with pytest.raises(CommandError, match=said):
        move_in()


def test_a_wrong_password_is_not_shown(old: ExpressTables) -> None:
    url = old.url.replace("://", "://nobody:", 1).replace("@", "-topsecret@", 1)
    with pytest.raises(CommandError, match=r"The old database: .*Access denied") as refused:
        call_command("import_express", url)
    assert "topsecret" not in str(refused.value)


# --- others sign up meanwhile


@pytest.mark.django_db(transaction=True)
def test_a_name_that_is_taken_during_the_import_is_left_out(
    old: ExpressTables, move_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the write somebody signs up, on a connection of their own."""
    add(old, 700, "alice")
    add(old, 701, "bob")
    once = iter([1])

    def late(*arguments: Any) -> None:
        if next(once, None):
            elsewhere(lambda: User.objects.create_user("alice", "alice@example.com"))
        write(*arguments)

    monkeypatch.setattr(moving, "write", late)
    assert "its username belongs to an account that is here already" in move_in()
    assert sorted(names()) == ["alice", "bob"]
    assert not User.objects.get(username="alice").password.startswith("bcrypt$")


def elsewhere(work: Callable[[], Any]) -> None:
    def run() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
