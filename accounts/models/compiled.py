"""Statements of every day: put into SQL by Django once, and executed with other values each time.

Putting a query into SQL takes Django longer than the database takes to answer it. What is compiled here is written as
any query is, with a `Param` wherever a value will come.
"""

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.sql import InsertQuery, UpdateQuery

from accounts.models.wire import Answer, Params, adapter, ask, converter
from accounts.transactions import again


class Param(Expression):
    """Stands for the value called `name`; `field` knows how the database takes it."""

    def __init__(self, name: str, field: models.Field) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]


class Statement:
    """`query` is called once, at the first execution: a model has no fields yet while it is being defined."""

    def __init__(self, query: Callable[[], Any]) -> None:
        self._query = query
        self._lock = Lock()
        self._sql: str | None = None

    def _compile(self, connection: BaseDatabaseWrapper) -> tuple[str, Params]:
        sql, params = self._query().get_compiler(connection=connection).as_sql()
        return sql, params

    def _ask(self, connection: BaseDatabaseWrapper, values: dict[str, Any]) -> Answer:
        if self._sql is None:
            with self._lock:
                if self._sql is None:
                    sql, self._params = self._compile(connection)
                    asked = (each for each in self._params if isinstance(each, Param))
                    adapters = {each.name: adapter(each.output_field, connection) for each in asked}
                    self._adapters = [(name, adapt) for name, adapt in adapters.items() if adapt]
                    self._sql = sql
        # In place, and once where a value stands in several places.
        for name, adapt in self._adapters:
            values[name] = adapt(values[name], connection)
        params = [values[each.name] if isinstance(each, Param) else each for each in self._params]
        return ask(connection, self._sql, params)


class Select(Statement):
    """Of a queryset made by `values_list`, whose rows it gives."""

    def __init__(self, rows: Callable[[], models.QuerySet[Any]]) -> None:
        super().__init__(lambda: rows().query)

    def _compile(self, connection: BaseDatabaseWrapper) -> tuple[str, Params]:
        compiler = self._query().get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        selected = [expression for expression, _, _ in compiler.select]
        self._converters = [
            (position, converter(each, expression, connection))
            for position, (several, expression) in compiler.get_converters(selected).items()
            for each in several
        ]
        return sql, params

    def rows(self, **values: Any) -> list[list[Any]]:
        """As `retrying`: asked again where the database was lost."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        # So there is no need to ask the database first whether it is still there, as Django would at each request.
        connection.health_check_done = True
        try:
            return self._rows(connection, dict(values))
        except Error as error:
            return again(error, lambda: self._rows(connections[DEFAULT_DB_ALIAS], dict(values)))

    def _rows(self, connection: BaseDatabaseWrapper, values: dict[str, Any]) -> list[list[Any]]:
        rows = [list(row) for row in self._ask(connection, values)[0]]
        for position, convert in self._converters:
            for row in rows:
                row[position] = convert(row[position], connection)
        return rows


def insert_all(rows: Sequence[models.Model]) -> None:
    """As `bulk_create`, with each value as the row has it: Django would write today's date over a `created_at`. The
    rows have their primary keys."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    size = connection.ops.bulk_batch_size(fields, rows)
    for start in range(0, len(rows), size):
        made = InsertQuery(model)
        made.insert_values(fields, list(rows[start : start + size]), raw=True)
        made.get_compiler(connection=connection).execute_sql()


class _Write(Statement):
    def execute(self, **values: Any) -> int:
        """Says how many rows that met."""
        connection = connections[DEFAULT_DB_ALIAS]
        try:
            return self._ask(connection, values)[1]
        except Exception:
            with transaction.mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS):
                raise


class Update(_Write):
    """As `rows().update(**changes)`."""

    def __init__(self, rows: Callable[[], models.QuerySet[Any]], **changes: Any) -> None:
        def query() -> Any:
            chained: Any = rows().query.chain(UpdateQuery)
            chained.add_update_values(changes)
            return chained

        super().__init__(query)


class Insert(_Write):
    """As `save(force_insert=True)`, without Django's signals; a primary key that the database makes is not told.

    `without` names fields that the database itself gives their first value.
    """

    def __init__(self, model: type[models.Model], without: Iterable[str] = ()) -> None:
        def query() -> InsertQuery:
            made = InsertQuery(model)
            params = {field.attname: Param(field.attname, field) for field in fields}
            made.insert_values(fields, [model(**params)], raw=True)
            return made

        left_out = set(without)
        fields = [field for field in model._meta.concrete_fields if not field.generated and field.name not in left_out]
        super().__init__(query)
        self._fields = fields

    def _compile(self, connection: BaseDatabaseWrapper) -> tuple[str, Params]:
        [(sql, params)] = self._query().get_compiler(connection=connection).as_sql()
        return sql, params

    def add(self, instance: models.Model) -> None:
        self.execute(**{field.attname: field.pre_save(instance, add=True) for field in self._fields})
        instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS
