"""A transaction that the database refuses for others' sake is tried again, as a whole, and carried out once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client

from accounts import transactions
from accounts.models import Action, Actor, AuditEntry, Role, User, audit
from accounts.services import checking
from accounts.transactions import is_away, once, retrying
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
on_mariadb = pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite lets one write at a time.")
DEADLOCK = OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
LOST = OperationalError(2013, "Lost connection to server during query")
REFUSED = OperationalError(2002, "Can't connect to server on '192.0.2.1' (115)")


def number(action: Action) -> int:
    return AuditEntry.objects.filter(action=action).count()


def note() -> AuditEntry:
    return AuditEntry.objects.record(Action.ROLE_CHANGED, by=Actor())


class Failing:
    """What fails with those errors, one at each call, and then no more."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@on_mariadb
def test_two_that_lock_each_other_out_are_both_carried_out() -> None:
    roles = [Role.objects.create(name="left"), Role.objects.create(name="right")]
    both_hold_one = Barrier(2)
    tries: list[str] = []

    @once
    def change(first: Role, second: Role) -> None:
        tries.append(first.name)
        Role.objects.filter(pk=first.pk).update(description=first.name)
        if len(tries) <= 2:
            both_hold_one.wait(timeout=10)
        Role.objects.filter(pk=second.pk).update(description=first.name)
        note()

    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(closing(change), *order) for order in (roles, roles[::-1])]
        assert [each.result(timeout=30) for each in done] == [None, None]
    assert (len(tries), number(Action.ROLE_CHANGED)) == (3, 2)


def closing(work: Callable[..., Any]) -> Callable[..., Any]:
    """In a thread of its own, whose connection nobody else would close."""

    def run(*args: Any) -> Any:
        try:
            return work(*args)
        finally:
            connection.close()

    return run


@on_mariadb
@pytest.mark.parametrize("error", [DEADLOCK, LOST, REFUSED, OperationalError(1205, "Lock wait timeout exceeded")])
def test_what_the_database_could_not_take_is_tried_again(error: Exception) -> None:
    work = Failing(error, error)
    assert (retrying(work)(), work.calls) == ("done", 3)


@on_mariadb
def test_what_it_will_never_take_is_not() -> None:
    work = Failing(OperationalError(1054, "Unknown column"))
    with pytest.raises(OperationalError, match="Unknown column"):
        retrying(work)()
    assert work.calls == 1


@on_mariadb
def test_inside_of_a_transaction_only_the_whole_can_be_tried_again() -> None:
    part, tries = Failing(DEADLOCK), []

    @once
    def whole() -> None:
        tries.append(1)
        note()
        once(part)()

    whole()
    assert (len(tries), part.calls, number(Action.ROLE_CHANGED)) == (2, 2, 1)


@on_mariadb
def test_somebody_elses_transaction_is_not_tried_again() -> None:
    part = Failing(DEADLOCK)
    with pytest.raises(OperationalError), transaction.atomic():
        once(part)()
    assert part.calls == 1


@on_mariadb
def test_trying_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    work = Failing(*[REFUSED] * 1000)
    with pytest.raises(OperationalError):
        retrying(work)()
    assert clock.now <= transactions.TRY_FOR
    assert work.calls > 5


@on_mariadb
def test_the_next_is_told_at_once_and_after_a_second_one_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(OperationalError):
        retrying(Failing(*[REFUSED] * 1000))()
    told_at_once, patient = Failing(REFUSED), Failing(REFUSED)
    with pytest.raises(OperationalError):
        retrying(told_at_once)()
    clock.now += transactions.TOLD_AT_ONCE
    assert retrying(patient)() == "done"


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(transactions, "time", self)
        monkeypatch.setattr(transactions._Patience, "away_until", 0.0)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@on_mariadb
@pytest.mark.parametrize("finds_it_done", [False, True])
def test_a_commit_that_shows_only_after_the_next_try_began_is_still_done_once(
    monkeypatch: pytest.MonkeyPatch, finds_it_done: bool
) -> None:
    tries: list[AuditEntry] = []

    @once
    def write() -> str:
        if not tries:
            lose_the_next_commit(monkeypatch)
        else:
            show_after_all(tries[0])
            if finds_it_done:
                return "nothing to do"
        tries.append(note())
        return f"try {len(tries)}"

    assert (write(), len(tries), number(Action.ROLE_CHANGED)) == ("try 1", 1, 1)


@on_mariadb
def test_of_two_commits_without_an_answer_the_one_that_was_carried_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[AuditEntry] = []

    @once
    def write() -> str:
        if len(tries) < 2:
            lose_the_next_commit(monkeypatch)
        else:
            show_after_all(tries[0])
        tries.append(note())
        return f"try {len(tries)}"

    assert (write(), len(tries), number(Action.ROLE_CHANGED)) == ("try 1", 2, 1)


@on_mariadb
def test_what_follows_a_commit_follows_one_without_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[AuditEntry] = []
    followed: list[int] = []

    @once
    def write() -> None:
        if tries:
            show_after_all(tries[0])
        else:
            lose_the_next_commit(monkeypatch)
        transaction.on_commit(partial(followed.append, len(tries)))
        tries.append(note())

    write()
    assert followed == [0]


@on_mariadb
def test_what_a_page_of_the_admin_does_is_done_once(
    monkeypatch: pytest.MonkeyPatch, make_user: Callable[..., User]
) -> None:
    client = Client()
    client.force_login(make_user("root", "admin"))
    lose_the_next_commit(monkeypatch)
    assert client.post("/admin/accounts/role/add/", {"name": "editor", "description": ""}).status_code == 302
    assert (Role.objects.filter(name="editor").count(), number(Action.ROLE_CREATED)) == (1, 1)


@on_mariadb
def test_an_account_that_the_admin_adds_is_added_once(
    monkeypatch: pytest.MonkeyPatch, make_user: Callable[..., User]
) -> None:
    client = Client()
    client.force_login(make_user("root", "admin"))
    lose_the_next_commit(monkeypatch)
    form = {"username": "carol", "email": "carol@example.com", "usable_password": "true"}
    answer = client.post("/admin/accounts/user/add/", {**form, "password1": PASSWORD, "password2": PASSWORD})
    assert (answer.status_code, User.objects.filter(username="carol").count()) == (302, 1)


@on_mariadb
def test_an_upgraded_hash_is_kept_by_a_connection_that_was_lost(make_user: Callable[..., User]) -> None:
    alice = make_user()
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        [number] = cursor.fetchone()
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(closing(kill), number).result()
    checking._replace_hash(alice, "upgraded")
    assert User.objects.get(pk=alice.pk).password == "upgraded"


def kill(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"KILL {number}")


@on_mariadb
def test_an_entry_of_its_own_is_added_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    insert = audit._ENTRY.execute

    def lost(**values: Any) -> int:
        insert(**values)
        monkeypatch.undo()
        raise LOST

    monkeypatch.setattr(audit._ENTRY, "execute", lost)
    note()
    assert number(Action.ROLE_CHANGED) == 1


def show_after_all(entry: AuditEntry) -> None:
    """As the COMMIT does of a node that died with it, when the others agree on it a moment later."""
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(closing(lambda: entry.save(force_insert=True))).result()


def lose_the_next_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> None:
        monkeypatch.undo()
        connection.close()
        raise LOST

    monkeypatch.setattr(connection, "commit", lost)


@pytest.mark.parametrize("error", [IntegrityError(1062, "Duplicate entry"), ValueError(2013), None])
def test_only_what_says_so_is_a_database_that_is_away(error: Exception | None) -> None:
    assert not is_away(error)


def test_a_busy_sqlite_is_one_that_is_away() -> None:
    assert is_away(OperationalError("database is locked"))


def test_a_node_that_has_lost_the_others_at_its_commit_is_away() -> None:
    text = "Error while appending streaming replication fragment(provider status: Not connected to Primary Component)"
    assert is_away(OperationalError(1180, text))
