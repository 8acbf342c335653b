"""Fills a contestant's tables: the rows that one person's sign-up and sign-in left are copied for all the others, by
the database itself. So they are as the contestant makes them, whatever columns it has."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import MySQLdb

# Whose rows are copied; the others are person1, person2, …
FIRST = "person0"
NAME, EMAIL = "CONCAT('person', seq)", "CONCAT('person', seq, '@example.com')"
# A UUID of version 7, like the one copied: with the moment of that one and `seq` milliseconds.
_MOMENT = "CONV(CONV(REPLACE(LEFT(id, 13), '-', ''), 16, 10) + seq, 10, 16)"
_HEX = f"CONCAT(LPAD({_MOMENT}, 12, '0'), '7', LEFT(SHA2(seq, 256), 3), '8', RIGHT(SHA2(seq, 256), 15))"
UUID7 = f"INSERT(INSERT(INSERT(INSERT({_HEX}, 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')"
LATER = "{} + INTERVAL seq MICROSECOND"

# By table, what is different in the copies.
Copies = Mapping[str, Mapping[str, str]]
OURS: Copies = {
    "accounts_user": {
        "id": "id + seq",
        "username": NAME,
        "username_key": f"SHA2({NAME}, 256)",
        "email": EMAIL,
        "email_key": f"SHA2({EMAIL}, 256)",
        "created_at": LATER.format("created_at"),
    },
    "accounts_rolegrant": {"id": "id + seq * 10", "user_id": "user_id + seq"},
    "accounts_session": {"id": UUID7, "user_id": "user_id + seq", "opened_at": LATER.format("opened_at")},
    "accounts_auditentry": {
        "id": UUID7,
        "at": LATER.format("at"),
        "actor_id": "actor_id + seq",
        "subject_id": "subject_id + seq",
    },
    "accounts_counter": {"key": "SHA2(CONCAT(`key`, seq), 256)"},
}
REFERENCE: Copies = {
    "users": {"id": "id + seq", "username": NAME, "email": EMAIL},
    "user_roles": {"userId": "userId + seq"},
    "refreshTokens": {"id": "id + seq", "token": "UUID()", "userId": "userId + seq"},
}
# Of the counts, those that last: who has signed in where. The others have run out by now, and a server that was in
# use all the time would have swept them away.
LASTING = {"accounts_counter": "familiar_until IS NOT NULL"}


def fill(database: str, copies: Copies, people: int) -> None:
    """So that there are so many; `database` is the URL of one with the rows of FIRST."""
    with closing(connect(database)) as connection:
        for table, differences in copies.items():
            copy(connection, table, differences, people - 1, LASTING.get(table, "TRUE"))
        connection.commit()
        for table in copies:
            query(connection, f"ANALYZE TABLE {table}")


def copy(connection: Any, table: str, differences: Mapping[str, str], times: int, which: str = "TRUE") -> None:
    """So many copies of each of those rows; `seq` counts them from 1."""
    described = query(connection, f"SHOW COLUMNS FROM {table}")
    columns = [f"`{name}`" for name, *_, extra in described if "GENERATED" not in extra]
    values = [differences.get(column.strip("`"), column) for column in columns]
    # In a table of their own: else the database would first put all the copies aside.
    query(connection, f"CREATE OR REPLACE TEMPORARY TABLE copied AS SELECT * FROM {table} WHERE {which}")
    query(
        connection,
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM seq_1_to_{times} STRAIGHT_JOIN copied",
    )


def connect(url: str) -> Any:
    parts = urlsplit(url)
    return MySQLdb.connect(
        host=parts.hostname,
        port=parts.port,
        user=parts.username,
        passwd=parts.password,
        database=parts.path[1:],
        charset="utf8mb4",
    )


def query(connection: Any, statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()
