"""Sessions are pruned while people sign in, refresh and sign out; with real connections that meet in the database."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts import sessions
from accounts.management.commands import prune_sessions
from accounts.models import Actor, Session, User

# Who writes meanwhile waits no longer than this for a lock.
PATIENCE = 2
on_a_server = pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has one writer at a time")


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice", "alice@example.com")


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., "Future[Any]"]]:
    """Calls a function in another thread, on a connection of its own."""

    def call(function: Callable[[], Any]) -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {PATIENCE}")
            return function()
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        yield lambda function: pool.submit(call, function)


def run_out(user: User, number: int) -> list[Session]:
    """Sessions that ran out yesterday, one after the other."""
    first = timezone.now() - timedelta(days=1)
    moments = [first + timedelta(seconds=second) for second in range(number)]
    fields = ("opened_at", "last_used_at", "current_issued_at", "confirmed_at", "idle_expires_at", "expires_at")
    return Session.objects.bulk_create([Session(user=user, **dict.fromkeys(fields, moment)) for moment in moments])


def prune(batch: int = 10) -> list[int]:
    """The numbers of the batches."""
    return list(sessions.prune(before=timezone.now(), batch=batch))


def test_a_batch_is_done_when_the_next_begins(alice: User) -> None:
    run_out(alice, 25)
    next(sessions.prune(before=timezone.now(), batch=10))
    assert Session.objects.count() == 15


def test_what_was_stopped_goes_on_where_it_was(alice: User) -> None:
    run_out(alice, 25)
    next(sessions.prune(before=timezone.now(), batch=10))
    assert prune() == [10, 5]


def test_sessions_that_ran_out_at_one_moment_are_all_deleted(alice: User) -> None:
    run_out(alice, 25)
    Session.objects.update(idle_expires_at=timezone.now() - timedelta(days=1))
    assert prune() == [10, 10, 5]


def test_the_oldest_go_first(alice: User) -> None:
    youngest = run_out(alice, 11)[-1]
    next(sessions.prune(before=timezone.now(), batch=10))
    assert Session.objects.get() == youngest


def test_the_command_says_how_far_it_is(alice: User, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(prune_sessions, "REPORTS_EVERY", 0)
    run_out(alice, 1001)
    call_command("prune_sessions", "--keep-days=0", no_color=True)
    said = ["Sessions deleted so far: 1000.", "Sessions deleted so far: 1001.", "Sessions deleted: 1001."]
    assert capsys.readouterr().out.splitlines() == said


@on_a_server
def test_people_sign_in_while_a_batch_is_being_deleted(alice: User, elsewhere: Callable[..., "Future[Any]"]) -> None:
    run_out(alice, 25)
    with transaction.atomic():
        next(sessions.prune(before=timezone.now(), batch=10))
        session, _ = elsewhere(lambda: sessions.open(user=alice, client=Actor())).result()
    assert Session.objects.filter(id=session.id).exists()


@on_a_server
@pytest.mark.parametrize("number", [0, 9, 10, 24])
def test_a_session_is_written_while_others_are_being_deleted(
    alice: User, elsewhere: Callable[..., "Future[Any]"], number: int
) -> None:
    chosen = run_out(alice, 25)
    kept = Session.objects.filter(id=chosen[number].id)
    kept.update(idle_expires_at=timezone.now() + timedelta(days=1))
    with transaction.atomic():
        next(sessions.prune(before=timezone.now(), batch=10))
        assert elsewhere(lambda: kept.update(generation=1)).result() == 1


@contextmanager
def used_at_that_moment(session: Session) -> Iterator[None]:
    """The session is refreshed in a transaction that ends after the block, or once somebody waits for it."""
    with transaction.atomic():
        Session.objects.filter(id=session.id).update(idle_expires_at=timezone.now() + timedelta(days=1))
        yield
        _wait_until_somebody_waits(timezone.now() + timedelta(seconds=PATIENCE / 2))


def _wait_until_somebody_waits(deadline: datetime) -> None:
    with connection.cursor() as cursor:
        while timezone.now() < deadline:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
            if cursor.fetchone()[1] != "0":
                return
            time.sleep(0.01)


@on_a_server
def test_a_session_that_is_refreshed_at_that_moment_stays(alice: User, elsewhere: Callable[..., "Future[Any]"]) -> None:
    chosen = run_out(alice, 3)
    with used_at_that_moment(chosen[1]):
        pruned = elsewhere(prune)
    assert pruned.result() == [2]
    assert Session.objects.get() == chosen[1]
