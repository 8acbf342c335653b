"""Which row of the old database had a name or an email first: kept on disk, so that memory does not grow with them."""

import sqlite3
from typing import NamedTuple

from accounts.names import name_key


class Earlier(NamedTuple):
    id: int
    spelling: str
    weight: str | None


class Claims:
    """To be asked row by row in the order of ids. The file is a temporary one of SQLite's, gone when this is."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = OFF")
        columns = "(key TEXT PRIMARY KEY, id INTEGER, spelling TEXT, weight TEXT) WITHOUT ROWID"
        for table in ("usernames", "emails", "weights"):
            self._file.execute(f"CREATE TABLE {table} {columns}")
        self._file.execute("BEGIN")

    def username(self, username: str, id_: int, weight: str | None) -> Earlier | None:
        """Who had that username before; None for the first."""
        return self._claim("usernames", name_key(username), Earlier(id_, username, weight))

    def email(self, email: str, id_: int) -> Earlier | None:
        return self._claim("emails", name_key(email), Earlier(id_, email, None))

    def weight(self, weight: str, username: str, id_: int) -> Earlier | None:
        """Who had, by the old database's collation, the same username before."""
        return self._claim("weights", weight, Earlier(id_, username, weight))

    def _claim(self, table: str, key: str, mine: Earlier) -> Earlier | None:
        # The tables' names are those above.
        insert = f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?, ?)"  # noqa: S608
        if self._file.execute(insert, (key, *mine)).rowcount:
            return None
        found = self._file.execute(f"SELECT id, spelling, weight FROM {table} WHERE key = ?", (key,))  # noqa: S608
        return Earlier(*found.fetchone())
