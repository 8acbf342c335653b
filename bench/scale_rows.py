"""What the database really does for each statement: the rows that it reads, those that it gives, and its plan."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Rows taken from a table or an index, temporary ones included; looked at in an index and passed over; not counted
# among the former.
_READ = "'Handler_read%'"
_PASSED_OVER = "'Handler_icp_attempts', 'Handler_icp_match'"
STATUS = f"SHOW SESSION STATUS WHERE Variable_name LIKE {_READ} OR Variable_name IN ({_PASSED_OVER})"
PLANNED = ("SELECT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Asked:
    """A statement as it was executed; `given` counts the rows of the answer, or those that were changed."""

    sql: str
    plan: str
    read: int
    given: int
    tables: int
    milliseconds: float

    @property
    def excess(self) -> int:
        """Rows read for nothing: a row of the answer is made of one of each table."""
        return self.read - self.given * max(self.tables, 1)


@contextmanager
def watched() -> Iterator[list[Asked]]:
    """The statements that Django sends meanwhile."""
    from django.db import connection

    asked: list[Asked] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not sql.startswith((*PLANNED, "INSERT")):
            return execute(sql, params, many, context)
        plans = _plans(sql, params)
        before, clock = _rows_read(), time.perf_counter()
        result = execute(sql, params, many, context)
        elapsed, after = time.perf_counter() - clock, _rows_read()
        # Looking is reading, too, and always the same.
        read = after - before - (_rows_read() - after)
        tables = len({plan["table"] for plan in plans if plan["table"] and not plan["table"].startswith("<")})
        said = ", ".join(map(_said, plans))
        asked.append(Asked(sql, said, read, context["cursor"].rowcount, tables, elapsed * 1000))
        return result

    connection.ensure_connection()
    with connection.execute_wrapper(watch):
        yield asked


def _rows_read() -> int:
    found = {name: int(number) for name, number in _fetch(STATUS)[1]}
    passed_over = found.pop("Handler_icp_attempts") - found.pop("Handler_icp_match")
    return sum(found.values()) + passed_over


def _plans(sql: str, params: Any) -> list[dict[str, Any]]:
    if not sql.startswith(PLANNED):
        return []
    names, rows = _fetch(f"EXPLAIN {sql}", params)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _said(plan: dict[str, Any]) -> str:
    parts = [plan["table"], plan["type"], plan["key"], plan["Extra"]]
    return " ".join(str(part) for part in parts if part)


def _fetch(sql: str, params: Any = None) -> tuple[list[str], list[Any]]:
    """Past Django, and so unwatched, on the same connection."""
    from django.db import connection

    raw: Any = connection.connection
    with raw.cursor() as cursor:
        cursor.execute(sql, params)
        return [column[0] for column in cursor.description], list(cursor.fetchall())
