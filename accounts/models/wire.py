"""How a statement goes to the database and its answer comes back, by the shortest way that says the same."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from accounts.conf import conf

Params = list[Any]
# The rows that came, and how many the statement met.
Answer = tuple[Sequence[Sequence[Any]], int]
# Of a value, on that connection.
Change = Callable[[Any, Any], Any]
# As Django's CursorWrapper has it: a number out of range, a check that failed.
_ABOUT_INTEGRITY = {1690, 3819, 4025}
# Whose values are Python's own, and which change none that has the right type already.
_PLAIN = models.IntegerField | models.CharField | models.BooleanField | models.FloatField


def ask(connection: BaseDatabaseWrapper, sql: str, params: Params) -> Answer:
    """Raises what Django's cursors raise."""
    # Who watches Django's statements, watches these.
    watched = connection.force_debug_cursor or conf.debug or connection.execute_wrappers
    if connection.vendor == "mysql" and not watched:
        return _ask_mysqlclient(connection, sql, params)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else (), cursor.rowcount


def _ask_mysqlclient(connection: Any, sql: str, params: Params) -> Answer:
    """What Django's cursor and mysqlclient's come to, without what they find out for others: what the columns are
    called, whether there were warnings, whether more results follow. For most of it the interpreter is let go, and
    has to be waited for."""
    connection.close_if_health_check_failed()
    if connection.connection is None:
        connection.ensure_connection()
    connection.validate_no_broken_transaction()
    client = connection.connection
    try:
        client.query(sql.encode() % tuple([_literal(client, value) for value in params]))
        result = client.store_result() if client.field_count() else None
        return result.fetch_row(0) if result else (), client.affected_rows()
    except connection.Database.Error as error:
        with connection.wrap_database_errors:
            if isinstance(error, connection.Database.OperationalError) and error.args[0] in _ABOUT_INTEGRITY:
                raise connection.Database.IntegrityError(*error.args) from error
            raise


def _literal(client: Any, value: Any) -> bytes:
    """As `client.literal`, in fewer steps for the commonest types."""
    kind = type(value)
    if kind is str:
        text: bytes = client.string_literal(value.encode(client.encoding))
        return text
    if kind is int:
        return b"%d" % value
    if value is None:
        return b"NULL"
    other: bytes = client.literal(value)
    return other


@receiver(connection_created)
def _read_moments_quickly(connection: Any, **_: Any) -> None:
    if connection.vendor == "mysql":
        from MySQLdb.constants import FIELD_TYPE

        converter = connection.connection.converter
        slowly = converter[FIELD_TYPE.DATETIME]
        converter[FIELD_TYPE.DATETIME] = converter[FIELD_TYPE.TIMESTAMP] = partial(_moment, slowly)


def _moment(slowly: Callable[[str], datetime | None], text: str) -> datetime | None:
    """As mysqlclient reads it, digit by digit, in a tenth of the time."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return slowly(text)


def adapter(field: models.Field, connection: BaseDatabaseWrapper) -> Change | None:
    """Makes a value of that field ready for the database; None where it is so as it is."""
    if isinstance(field, _PLAIN) and type(field).get_prep_value.__module__ == models.Field.__module__:
        return None
    if type(field) is models.DateTimeField and _keeps_utc(connection):
        return _to_utc
    return field.get_db_prep_value


def converter(convert: Any, expression: Any, connection: BaseDatabaseWrapper) -> Change:
    """What Django would do with a value of that expression that came from the database."""
    if convert.__name__ == "convert_datetimefield_value" and _keeps_utc(connection):
        return _from_utc
    return lambda value, connection: convert(value, expression, connection)


def _keeps_utc(connection: BaseDatabaseWrapper) -> bool:
    """Whether moments go there and come back as MySQL's do: without a time zone, which is UTC."""
    return connection.vendor == "mysql" and connection.timezone is UTC


def _to_utc(moment: datetime | None, connection: Any) -> str | None:
    return None if moment is None else str(moment.astimezone(UTC).replace(tzinfo=None))


def _from_utc(moment: datetime | None, connection: Any) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
