"""The Express server's database, as Sequelize made it: read page by page, on a connection of its own, never written."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error
from django.db.utils import ConnectionHandler
from django.utils import timezone
from environ import Env

from accounts.errors import AccountError
from accounts.importing.rows import OldGrant, Row

PAGE = 500
TABLES = {
    "users": {"id", "username", "email", "password", "createdAt"},
    "roles": {"id", "name"},
    "user_roles": {"userId", "roleId", "createdAt"},
}


class SourceError(AccountError):
    code = "old_database"


class ExpressDatabase:
    """MySQL or MariaDB. Every method raises SourceError when the database does not answer as it should."""

    def __init__(self, url: str) -> None:
        """Raises SourceError, which does not show the URL, for it may hold a password; nor does anything else here."""
        config = _config(url)
        self.name = f"{config['HOST'] or 'localhost'}:{config['PORT'] or 3306}/{config['NAME']}"
        limits = {"charset": "utf8mb4", "connect_timeout": 10, "init_command": "SET SESSION TRANSACTION READ ONLY"}
        config["OPTIONS"] = {**config.get("OPTIONS", {}), **limits}
        # A handler of its own: no router, and no test or command that goes through all connections, comes upon it.
        try:
            self._connection = ConnectionHandler({"default": config})["default"]
        except ImproperlyConfigured as error:
            raise SourceError(f"To read the old database, requirements/mysql.txt is needed: {error}") from None
        self._refuse_other_tables()

    def _refuse_other_tables(self) -> None:
        found: dict[str, set[str]] = {}
        columns = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = %s"
        for table, column, kind in self._rows(columns, self._connection.settings_dict["NAME"]):
            found.setdefault(table, set()).add(column)
            if (table, column) == ("users", "id") and not kind.endswith("int"):
                raise SourceError(f"users.id must be a whole number, but is {kind}.")
        for table, wanted in TABLES.items():
            if missing := sorted(wanted - found.get(table, set())):
                raise SourceError(
                    f"The old database has no {table}.{', '.join(missing)}: is it one of the Express server's?"
                )

    def count(self) -> int:
        """How many users there are."""
        return self._rows("SELECT COUNT(*) FROM users")[0][0]

    def highest_id(self, limit: int) -> int:
        """Of those that are not above `limit`; 0 for none."""
        return self._rows("SELECT COALESCE(MAX(id), 0) FROM users WHERE id <= %s", limit)[0][0]

    def roles(self) -> dict[str, int]:
        """By name, '' for one without, the number of users who hold it."""
        found: dict[str, int] = {}
        grants = "(SELECT COUNT(*) FROM user_roles WHERE roleId = roles.id)"
        for name, holders in self._rows(f"SELECT {_text('name')}, {grants} FROM roles ORDER BY id"):  # noqa: S608
            found[name or ""] = found.get(name or "", 0) + holders
        return found

    def pages(self, size: int = PAGE) -> Iterator[list[Row]]:
        """All users in the order of their ids, with their grants. Page by page: a single query would have the client
        library keep all of them in memory."""
        columns = ", ".join(map(_text, ("username", "email", "password")))
        # Most collations compare as if spaces at the end were not there, and weigh them; MySQL 8's own does not.
        compared = "IF(username = CONCAT(username, ' '), RTRIM(username), username)"
        # A digest, because a weight may be longer than what it is of; not MD5, which MySQL 9.7 no longer has.
        weight = f"SHA2(WEIGHT_STRING({compared}), 256)"
        select = f"SELECT id, {columns}, createdAt, {weight} FROM users {{}} ORDER BY id LIMIT {size}"  # noqa: S608
        found = self._rows(select.format(""))
        while found:
            grants = self._grants(found[0][0], found[-1][0])
            yield [
                Row(id_, username, email, password, _moment(at), weight, tuple(grants.get(id_, ())))
                for id_, username, email, password, at, weight in found
            ]
            found = self._rows(select.format("WHERE id > %s"), found[-1][0])

    def _grants(self, first: int, last: int) -> dict[int, list[OldGrant]]:
        """By user, of those between the two ids."""
        select = (
            f"SELECT userId, {_text('name')}, user_roles.createdAt FROM user_roles JOIN roles ON roles.id = roleId "  # noqa: S608
            "WHERE userId BETWEEN %s AND %s ORDER BY userId, roleId"
        )
        found: dict[int, list[OldGrant]] = {}
        for user_id, name, at in self._rows(select, first, last):
            found.setdefault(user_id, []).append(OldGrant(name or "", _moment(at)))
        return found

    def _rows(self, sql: str, *values: Any) -> Any:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall()
        except Error as error:
            raise SourceError(f"The old database: {error}") from error

    def close(self) -> None:
        self._connection.close()


def _config(url: str) -> dict[str, Any]:
    try:
        config = Env.db_url_config(url) if url.startswith("mysql:") else {}
    except (KeyError, ValueError):
        config = {}
    if not config.get("NAME"):
        raise SourceError("The old database must be given as mysql://USER:PASSWORD@HOST:PORT/NAME.") from None
    return config


def _text(column: str) -> str:
    """Whatever the column's character set, or NULL for bytes that are no text."""
    return f"CONVERT({column} USING utf8mb4)"


def _moment(at: Any) -> datetime:
    """Sequelize writes UTC. What is no moment, such as MySQL's zeros, becomes now."""
    return at.replace(tzinfo=UTC) if isinstance(at, datetime) else timezone.now()
