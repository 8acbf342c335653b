"""A database as the Express server's ORM, Sequelize, makes it: no rule on names, and no index but the keys."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

# As `sequelize.sync()` of version 6 was seen to make them on MariaDB 10.11; {like} is what ends each.
SCHEMA = """
CREATE TABLE users (
  id int(11) NOT NULL AUTO_INCREMENT,
  username varchar(255) DEFAULT NULL,
  email varchar(255) DEFAULT NULL,
  password varchar(255) DEFAULT NULL,
  createdAt datetime NOT NULL,
  updatedAt datetime NOT NULL,
  PRIMARY KEY (id)
) {like};
CREATE TABLE roles (
  id int(11) NOT NULL,
  name varchar(255) DEFAULT NULL,
  createdAt datetime NOT NULL,
  updatedAt datetime NOT NULL,
  PRIMARY KEY (id)
) {like};
CREATE TABLE user_roles (
  createdAt datetime NOT NULL,
  updatedAt datetime NOT NULL,
  userId int(11) NOT NULL,
  roleId int(11) NOT NULL,
  PRIMARY KEY (userId, roleId),
  KEY roleId (roleId),
  FOREIGN KEY (userId) REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  FOREIGN KEY (roleId) REFERENCES roles (id) ON DELETE CASCADE ON UPDATE CASCADE
) {like};
CREATE TABLE refreshTokens (
  id int(11) NOT NULL AUTO_INCREMENT,
  token varchar(255) DEFAULT NULL,
  expiryDate datetime DEFAULT NULL,
  createdAt datetime NOT NULL,
  updatedAt datetime NOT NULL,
  userId int(11) DEFAULT NULL,
  PRIMARY KEY (id),
  KEY userId (userId),
  FOREIGN KEY (userId) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
) {like}"""
ROLES = {"user": 1, "moderator": 2, "admin": 3}
WHEN = "2021-03-04 05:06:07"


class ExpressTables:
    """What is in such a database; `url` is how an operator names it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = _connect(url)

    def run(self, sql: str, *values: Any) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall()

    def create(self, collation: str = "utf8mb4_general_ci") -> None:
        """Anew."""
        self.run("DROP TABLE IF EXISTS refreshTokens, user_roles, roles, users")
        for table in SCHEMA.format(like=f"ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation}").split(";"):
            self.run(table)
        self.empty()

    def empty(self) -> None:
        """Nobody, and the three roles."""
        for table in ("users", "roles"):
            self.run(f"DELETE FROM {table}")
        for name, id_ in ROLES.items():
            self.role(id_, name)

    def role(self, id_: int, name: str | None) -> None:
        self.run("INSERT INTO roles VALUES (%s, %s, %s, %s)", id_, name, WHEN, WHEN)

    def user(
        self, id_: int, username: str | None, email: str | None, password: str | None, roles: Iterable[int] = (1,)
    ) -> None:
        self.run("INSERT INTO users VALUES (%s, %s, %s, %s, %s, %s)", id_, username, email, password, WHEN, WHEN)
        for role in roles:
            self.run("INSERT INTO user_roles VALUES (%s, %s, %s, %s)", WHEN, WHEN, id_, role)


@contextmanager
def express_database(server: str, name: str) -> Iterator[ExpressTables]:
    """A new database on that server, whose URL is given; gone afterwards."""
    parts = urlsplit(server)
    admin = _connect(server)
    # What an earlier run may have left; in two statements, because MySQL knows no CREATE OR REPLACE.
    admin.cursor().execute(f"DROP DATABASE IF EXISTS `{name}`")
    admin.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    tables = ExpressTables(urlunsplit(parts._replace(path=f"/{name}")))
    try:
        yield tables
    finally:
        tables.connection.close()
        admin.cursor().execute(f"DROP DATABASE `{name}`")
        admin.close()


def url_of(settings: dict[str, Any]) -> str:
    """Of one of Django's DATABASES."""
    user, password = quote(settings["USER"], safe=""), quote(settings["PASSWORD"], safe="")
    return f"mysql://{user}:{password}@{settings['HOST']}:{settings['PORT'] or 3306}/{settings['NAME']}"


def _connect(url: str) -> Any:
    import MySQLdb  # not needed where all runs on SQLite

    parts = urlsplit(url)
    return MySQLdb.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        passwd=parts.password or "",
        database=parts.path[1:],
        charset="utf8mb4",
        autocommit=True,
    )
