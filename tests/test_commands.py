"""manage.py's commands for accounts: what each does, and that every error is one line and a non-zero exit code."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Role, RoleGrant, Session, User
from tests import live
from tests.conftest import PASSWORD

MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]
Command = Callable[..., str]
NEW_PASSWORD = "staple battery horse"
ROLE_NAMES = "A lower-case letter first, then also digits, - and _."
NOT_UTF_8 = "A name or the password is not valid UTF-8."

pytestmark = pytest.mark.django_db


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command with `stdin` as its standard input; gives what it printed."""

    def command(*arguments: str, stdin: str = "") -> str:
        monkeypatch.setattr("sys.stdin", StringIO(stdin))
        printed = StringIO()
        call_command(*arguments, stdout=printed, no_color=True)
        return printed.getvalue().strip()

    return command


# --- seed_roles


def test_seeding_creates_the_roles_that_are_missing(command: Command) -> None:
    Role.objects.get(name="moderator").delete()
    assert command("seed_roles") == "Created: moderator."
    assert list(Role.objects.values_list("id", "name")) == [(1, "user"), (2, "moderator"), (3, "admin")]


def test_seeding_again_changes_nothing(command: Command) -> None:
    Role.objects.filter(name="user").update(description="Described by hand.")
    before = list(Role.objects.values())
    assert command("seed_roles") == "All roles are there already."
    assert list(Role.objects.values()) == before


def test_seeding_creates_the_roles_that_are_named(command: Command) -> None:
    assert command("seed_roles", "editor", "admin", "editor") == "Created: editor."
    assert Role.objects.get(name="editor").pk > 3


@pytest.mark.parametrize("name", ["Editor", "1st", "e d", "", "ä", "x" * 51, "editor\n"])
def test_seeding_refuses_a_bad_name_and_creates_none(command: Command, name: str) -> None:
    with pytest.raises(CommandError, match="cannot be a role's name"):
        command("seed_roles", "good", name)
    assert not Role.objects.filter(name="good").exists()


# --- create_user


def test_a_user_is_created_with_the_password_from_standard_input(command: Command, sign_in: SignIn) -> None:
    assert command("create_user", "alice", "alice@example.com", stdin=f"{PASSWORD}\n") == "Created alice, with: user."
    assert sign_in("alice", PASSWORD)["email"] == "alice@example.com"


def test_a_user_is_created_with_the_roles_asked_for(command: Command) -> None:
    roles = ("--role", "moderator", "--role", "admin")
    printed = command("create_user", "alice", "alice@example.com", *roles, stdin=PASSWORD)
    assert printed == "Created alice, with: moderator, admin."
    assert User.objects.get().role_names == ("moderator", "admin")


@pytest.mark.parametrize(
    ("arguments", "password", "message"),
    [
        (("alice", "alice@example.com"), "12345678", "This password is too common."),
        (("alice", "alice@example.com"), "", "This password is too short. It must contain at least 8 characters."),
        (("al", "alice@example.com"), PASSWORD, "Username must have 3 to 150 characters."),
        (("alice", "nobody"), PASSWORD, "Email is not a valid address."),
        (("alice", "alice@example.com", "--role", "boss"), PASSWORD, "Failed! Role does not exist = boss"),
        (("BOB", "alice@example.com"), PASSWORD, "Failed! Username is already in use!"),
        (("alice", "BOB@example.com"), PASSWORD, "Failed! Email is already in use!"),
    ],
)
def test_what_is_wrong_with_a_new_user_is_said_and_none_is_created(
    command: Command, make_user: MakeUser, arguments: tuple[str, ...], password: str, message: str
) -> None:
    make_user("bob")
    with pytest.raises(CommandError) as refusal:
        command("create_user", *arguments, stdin=password)
    assert str(refusal.value) == message
    assert User.objects.count() == 1


# --- grant_role, revoke_role


def test_a_role_is_granted(command: Command, make_user: MakeUser) -> None:
    user = make_user("alice")
    assert command("grant_role", "ALICE", "moderator") == "alice now holds moderator."
    assert user.role_names == ("user", "moderator")


def test_granting_a_role_again_changes_nothing(command: Command, make_user: MakeUser) -> None:
    make_user("alice")
    before = list(RoleGrant.objects.values())
    assert command("grant_role", "alice", "user") == "alice held user already."
    assert list(RoleGrant.objects.values()) == before


def test_a_role_is_revoked(command: Command, make_user: MakeUser) -> None:
    user = make_user("alice", "user", "moderator")
    assert command("revoke_role", "alice", "moderator") == "alice no longer holds moderator."
    assert user.role_names == ("user",)


def test_revoking_a_role_that_is_not_held_changes_nothing(command: Command, make_user: MakeUser) -> None:
    user = make_user("alice")
    assert command("revoke_role", "alice", "moderator") == "alice did not hold moderator."
    assert user.role_names == ("user",)


@pytest.mark.parametrize("name", ["grant_role", "revoke_role"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody", "user"), "There is no user called 'nobody'."),
        (("alice", "boss"), "Failed! Role does not exist = boss"),
    ],
)
def test_an_unknown_user_or_role_is_named(
    command: Command, make_user: MakeUser, name: str, arguments: tuple[str, str], message: str
) -> None:
    make_user("alice")
    with pytest.raises(CommandError) as refusal:
        command(name, *arguments)
    assert str(refusal.value) == message


# --- set_password


# The second is Django's own name for it.
@pytest.mark.parametrize("name", ["set_password", "changepassword"])
def test_a_new_password_replaces_the_old_one_and_ends_the_sessions(
    command: Command, api: APIClient, make_user: MakeUser, sign_in: SignIn, name: str
) -> None:
    make_user("alice")
    token = sign_in("alice")["accessToken"]
    assert command(name, "alice", stdin=f"{NEW_PASSWORD}\n") == "alice has a new password. Sessions ended: 1."
    assert api.get("/api/test/user", headers={"x-access-token": token}).status_code == 401
    assert sign_in("alice", NEW_PASSWORD)


def test_a_weak_new_password_is_refused_and_changes_nothing(
    command: Command, make_user: MakeUser, sign_in: SignIn
) -> None:
    user = make_user("alice")
    sign_in("alice")
    with pytest.raises(CommandError, match="too similar to the email"):
        command("set_password", "alice", stdin="alice@example\n")
    assert user.sessions.get().revoked_at is None
    assert sign_in("alice", PASSWORD)


def test_an_unknown_user_gets_no_password(command: Command) -> None:
    with pytest.raises(CommandError, match="There is no user called 'nobody'"):
        command("set_password", "nobody", stdin=NEW_PASSWORD)


# --- prune_sessions


def add_sessions(user: User, *, ran_out: timedelta, number: int = 1) -> None:
    """Sessions that ran out that long ago."""
    then = timezone.now() - ran_out
    begin = dict.fromkeys(("opened_at", "last_used_at", "current_issued_at", "confirmed_at"), then - timedelta(days=99))
    end = dict.fromkeys(("idle_expires_at", "expires_at"), then)
    Session.objects.bulk_create([Session(user=user, **begin, **end) for _ in range(number)])


def test_pruning_deletes_what_ran_out_long_ago_and_keeps_the_rest(command: Command, make_user: MakeUser) -> None:
    user = make_user()
    for days in (32, 31, 29, 0, -1):
        add_sessions(user, ran_out=timedelta(days=days))
    assert command("prune_sessions") == "Sessions deleted: 2."
    assert user.sessions.count() == 3


def test_pruning_keeps_as_many_days_as_asked(command: Command, make_user: MakeUser) -> None:
    user = make_user()
    add_sessions(user, ran_out=timedelta(hours=23))
    assert command("prune_sessions", "--keep-days", "1") == "Sessions deleted: 0."
    assert command("prune_sessions", "--keep-days=0") == "Sessions deleted: 1."


def test_pruning_keeps_a_revoked_session_until_it_has_run_out(command: Command, make_user: MakeUser) -> None:
    user = make_user()
    add_sessions(user, ran_out=timedelta(days=-1))
    user.sessions.update(revoked_at=timezone.now() - timedelta(days=99))
    assert command("prune_sessions") == "Sessions deleted: 0."


def test_pruning_goes_on_until_all_batches_are_deleted(command: Command, make_user: MakeUser) -> None:
    user = make_user()
    add_sessions(user, ran_out=timedelta(days=31), number=1001)
    assert command("prune_sessions") == "Sessions deleted: 1001."


@pytest.mark.parametrize("days", ["-1", "36501"])
def test_pruning_refuses_a_senseless_number_of_days(command: Command, days: str) -> None:
    with pytest.raises(CommandError, match="must be from 0 to 36500"):
        command("prune_sessions", f"--keep-days={days}")


# --- createsuperuser


@pytest.fixture
def superuser_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"USERNAME": "root", "EMAIL": "root@example.com", "PASSWORD": PASSWORD}.items():
        monkeypatch.setenv(f"DJANGO_SUPERUSER_{name}", value)


@pytest.mark.usefixtures("superuser_environment")
def test_a_superuser_holds_the_role_admin(command: Command) -> None:
    command("createsuperuser", "--noinput")
    assert User.objects.get().role_names == ("admin",)


@pytest.mark.usefixtures("superuser_environment")
def test_a_superuser_can_enter_the_admin(command: Command, client: Client) -> None:
    command("createsuperuser", "--noinput")
    client.post("/admin/login/", {"username": "root", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("superuser_environment")
@pytest.mark.parametrize("weak", ["password", "short", "root@example"])
def test_a_superuser_needs_a_password_that_anybody_would_need(
    command: Command, monkeypatch: pytest.MonkeyPatch, weak: str
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", weak)
    with pytest.raises(CommandError):
        command("createsuperuser", "--noinput")
    assert not User.objects.exists()


# --- revoke_sessions


@pytest.fixture
def boards(make_user: MakeUser, sign_in: SignIn) -> dict[str, Callable[[], int]]:
    """For two people who are signed in: what a guarded board answers each."""

    def board(name: str) -> Callable[[], int]:
        make_user(name)
        token = sign_in(name)["accessToken"]
        return lambda: APIClient().get("/api/test/user", headers={"x-access-token": token}).status_code

    return {name: board(name) for name in ("alice", "bob")}


def test_the_sessions_of_one_user_are_ended(command: Command, boards: dict[str, Callable[[], int]]) -> None:
    assert command("revoke_sessions", "alice") == "alice is signed out. Sessions ended: 1."
    assert {name: board() for name, board in boards.items()} == {"alice": 401, "bob": 200}


def test_the_sessions_of_everybody_are_ended(
    command: Command, boards: dict[str, Callable[[], int]], make_user: MakeUser, client: Client
) -> None:
    client.force_login(make_user("boss", "admin"))
    assert command("revoke_sessions", "--all") == "Everybody is signed out. Users: 3."
    assert {name: board() for name, board in boards.items()} == {"alice": 401, "bob": 401}
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("arguments", [(), ("alice", "--all")], ids=["neither", "both"])
def test_whose_sessions_are_to_be_ended_has_to_be_said(command: Command, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="Give one NAME, or --all"):
        command("revoke_sessions", *arguments)


# --- in a process of their own


def errors_of(run: Callable[[], object]) -> tuple[int, str]:
    """Exit code and standard error of a run of manage.py that fails."""
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run()
    assert failure.value.stdout == ""
    return failure.value.returncode, failure.value.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (("create_user", "carol", "carol@example.com"), "12345678\n", "This password is too common."),
        (("create_user", "carol", "carol@example.com", "--role=boss"), PASSWORD, "Failed! Role does not exist = boss"),
        (("grant_role", "nobody", "admin"), "", "There is no user called 'nobody'."),
        (("prune_sessions", "--keep-days=-1"), "", "--keep-days must be from 0 to 36500."),
        # A byte that is no text, as a shell may pass it.
        (("seed_roles", "\udcff"), "", "'\\udcff' cannot be a role's name: " + ROLE_NAMES),
        (("create_user", "carol", "carol@example.com", "--role=\udcff"), PASSWORD, NOT_UTF_8),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    server: live.Server, arguments: tuple[str, ...], stdin: str, message: str
) -> None:
    assert errors_of(lambda: server.manage(*arguments, stdin=stdin)) == (1, f"CommandError: {message}\n")


def test_a_taken_name_of_a_superuser_is_one_line_and_an_exit_code(server: live.Server) -> None:
    server.manage("create_user", "taken_root", "taken_root@example.com", stdin=PASSWORD)
    arguments = ("createsuperuser", "--noinput", "--username=TAKEN_root", "--email=other@example.com")
    assert errors_of(lambda: server.manage(*arguments)) == (1, "CommandError: Failed! Username is already in use!\n")


def test_a_database_that_is_not_there_is_one_line_and_an_exit_code() -> None:
    environment = {**os.environ, "DATABASE_URL": "sqlite:////nonexistent/db.sqlite3"}
    code, error = errors_of(lambda: live.manage(environment, "seed_roles"))
    assert (code, error) == (1, "CommandError: The database refused: unable to open database file\n")


@pytest.mark.parametrize("password", [("--password=x",), ("--password", PASSWORD), (PASSWORD,)])
@pytest.mark.parametrize("arguments", [("create_user", "alice", "alice@example.com"), ("set_password", "alice")])
def test_a_password_is_never_taken_as_an_argument(
    command: Command, arguments: tuple[str, ...], password: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError, match="unrecognized arguments"):
        command(*arguments, *password, stdin=PASSWORD)


def at_a_terminal(server: live.Server, *arguments: str, typed: tuple[str, ...]) -> tuple[int, str]:
    """Exit code and standard error of a run of manage.py at whose terminal one text was typed at each prompt."""
    keyboard, terminal = os.openpty()
    # With a session of its own it has no other terminal to turn to.
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=live.ROOT,
        env=server.environment,
        stdin=terminal,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    os.close(terminal)
    seen = b""
    with process, os.fdopen(keyboard, "wb", buffering=0) as keys:
        assert process.stderr
        for text in typed:
            while not seen.endswith(b": "):
                seen += process.stderr.read(1) or pytest.fail(f"no prompt after {seen!r}")
            keys.write(text.encode())
            seen += b" "
        seen += process.stderr.read()
    return process.returncode, seen.decode()


def test_at_a_terminal_the_password_is_asked_for_twice(server: live.Server) -> None:
    typed = (f"{PASSWORD}\n", f"{PASSWORD}\n")
    done = at_a_terminal(server, "create_user", "typist", "typist@example.com", typed=typed)
    assert done == (0, "Password:  \nPassword (again):  \n")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ((f"{PASSWORD}\n", "mistyped\n"), "The two passwords are not the same."),
        (("\x04",), "No password was given."),  # Ctrl-D
    ],
)
def test_at_a_terminal_no_password_is_no_user_and_no_traceback(
    server: live.Server, typed: tuple[str, ...], message: str
) -> None:
    code, error = at_a_terminal(server, "create_user", "mistyper", "mistyper@example.com", typed=typed)
    assert (code, error.splitlines()[-1]) == (1, f"CommandError: {message}")
