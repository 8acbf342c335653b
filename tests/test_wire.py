"""What is asked over the short way comes to what Django's own cursors come to."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone as clock
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Counter, Session, User
from accounts.models.counters import _FOUND, _NEW
from accounts.models.wire import _literal, ask

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 11, 23, 12, 34, 56, 789_012, tzinfo=UTC)
# As a database takes them: in UTF-8, which knows no lone surrogates.
TEXTS = st.text(st.characters(codec="utf-8"))
SHORT_WAY = pytest.mark.skipif(connection.vendor != "mysql", reason="The other databases have no short way.")


def counter(**values: Any) -> Counter:
    usual = {"key": "k", "level": 1.5, "at": MOMENT, "ready_at": MOMENT, "expires_at": MOMENT, "version": uuid4()}
    return Counter(**{**usual, **values})


def test_what_is_read_is_the_same_when_somebody_watches() -> None:
    _NEW.add(counter(familiar_until=MOMENT))
    unwatched = _FOUND.rows(key="k")
    with CaptureQueriesContext(connection) as captured:
        watched = _FOUND.rows(key="k")
    assert len(captured) == 1
    assert watched == unwatched
    assert [type(value) for value in watched[0]] == [type(value) for value in unwatched[0]]


def test_what_is_written_is_what_django_reads() -> None:
    made = counter(key="'\"\\%s\0é😀")
    _NEW.add(made)
    assert Counter.objects.values().get() == Counter.objects.filter(pk=made.pk).values().get()
    read = Counter.objects.get()
    assert {name: getattr(read, name) for name in ("key", "level", "at", "familiar_until", "version")} == {
        name: getattr(made, name) for name in ("key", "level", "at", "familiar_until", "version")
    }


@pytest.mark.parametrize(
    "moment",
    [
        MOMENT,
        MOMENT.replace(microsecond=0),
        MOMENT.replace(microsecond=500_000),
        MOMENT.astimezone(timezone(timedelta(hours=-5, minutes=-30))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_a_moment_comes_back_as_the_same(moment: datetime) -> None:
    _NEW.add(counter(at=moment))
    [row] = Counter.objects.look(["k"])
    assert (row.at, row.at.tzinfo) == (moment, UTC)


def test_a_second_row_of_one_key_is_refused() -> None:
    _NEW.add(counter())
    with pytest.raises(IntegrityError), transaction.atomic():
        _NEW.add(counter())


def test_nothing_is_asked_in_a_transaction_that_is_broken() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            _FOUND.rows(key="k")


@SHORT_WAY
def test_what_is_wrong_is_raised_as_djangos_errors() -> None:
    with pytest.raises(DataError), transaction.atomic():
        _NEW.add(counter(key="x" * 65))
    with pytest.raises(OperationalError), transaction.atomic():
        ask(connection, "SELECT nothing", [])


@SHORT_WAY
@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS))
def test_a_value_is_written_as_mysqlclient_writes_it(value: Any) -> None:
    connection.ensure_connection()
    assert _literal(connection.connection, value) == connection.connection.literal(value)


@SHORT_WAY
def test_a_number_that_is_out_of_range_is_about_integrity_as_with_django() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ask(connection, "SELECT CAST(0 AS UNSIGNED) - %s", [1])


@SHORT_WAY
def test_a_moment_that_is_none_is_read_as_nothing() -> None:
    """As in a database that was filled by others, with the SQL mode of old."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST('0000-00-00 00:00:00' AS DATETIME), CAST('2026-11-23 12:00:00' AS DATETIME)")
        assert cursor.fetchall() == ((None, datetime(2026, 11, 23, 12)),)


def test_a_wrapper_around_djangos_statements_is_asked_too(django_user_model: type[User]) -> None:
    asked: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        Session.objects.user_with_roles(session_id=uuid4(), user_id=1, now=clock.now())
    assert len(asked) == 1
