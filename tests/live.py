"""The real server for tests: the processes that `script/server` starts, on a database of their own."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import environ
import httpx
from django.conf import settings

ROOT = Path(__file__).parent.parent
AS_EVER = ("-m", "authproject.serve")
WITH_QUICK_RELOAD = ("-c", "from authproject import serve; serve.main('tests.quick_reload:application')")


@dataclass
class Server:
    url: str
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    log: Path

    @classmethod
    def start(cls, folder: Path, variables: dict[str, str], program: tuple[str, ...] = AS_EVER) -> "Server":
        """Ready to answer when it returns; raises RuntimeError with the log if it does not come up."""
        port = free_port()
        environment = {
            **os.environ,
            "DATABASE_URL": variables.get("DATABASE_URL") or database_of_its_own(folder),
            "PORT": str(port),
            "WORKERS": "2",
            "SECRET_KEY": settings.SECRET_KEY,
            **variables,
        }
        if "DATABASE_URL" in variables:
            manage(environment, "migrate", "--verbosity", "0")
        log = folder / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *program], cwd=ROOT, env=environment, stdout=output, stderr=output
            )
        server = cls(f"http://localhost:{port}", process, environment, log)
        server.wait()
        return server

    def logged(self, text: str) -> str:
        """The log once it holds that text, which for a request's line takes a moment."""
        deadline = time.monotonic() + 20
        while text not in (said := self.log.read_text()):
            assert time.monotonic() < deadline, f"{text} is not in the log:\n{said}"
            time.sleep(0.05)
        return said

    def wait(self) -> None:
        """Until it answers; raises RuntimeError with the log if it does not."""
        deadline = time.monotonic() + 30
        with self.client() as client:
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    client.get("/")
                except httpx.TransportError:
                    time.sleep(0.05)
                else:
                    return
        raise RuntimeError(self.log.read_text())

    def children(self) -> list[int]:
        """The process ids of the workers that it has at this moment, and of what else its first process started."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def client(self, **options: Any) -> httpx.Client:
        # Reading the certificates of the world's authorities takes longer than most requests, and none is asked for.
        return httpx.Client(base_url=self.url, timeout=60, verify=False, **options)

    def wait_for_all_workers(self, holds: Callable[[httpx.Client], bool]) -> None:
        """Until it holds 20 times in a row, each time on a connection of its own, which any worker may get; raises
        TimeoutError if it does not."""
        deadline = time.monotonic() + 60
        in_a_row = 0
        while in_a_row < 20:
            if time.monotonic() > deadline:
                raise TimeoutError
            with self.client() as client:
                in_a_row = in_a_row + 1 if holds(client) else 0
            if not in_a_row:
                time.sleep(0.1)

    def manage(self, *arguments: str, stdin: str = "") -> str:
        return manage(self.environment, *arguments, stdin=stdin)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        drop(self.environment["DATABASE_URL"])


def manage(environment: dict[str, str], *arguments: str, stdin: str = "") -> str:
    """Runs manage.py; gives what it printed, raises CalledProcessError."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=stdin, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def unless_busy(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """What an honest client gets, who comes again when it is told to: how long a line lasts is the machine's affair."""
    while (answer := ask()).status_code == 503:
        time.sleep(int(answer.headers["Retry-After"]))
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def database_of_its_own(folder: Path) -> str:
    """A new database with all tables beside the one of this run: on its server, or as a file. It is a copy of one that
    was migrated: that takes seconds."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("mysql"):
        return f"sqlite:///{shutil.copy(_migrated_file(), folder / 'server.sqlite3')}"
    made = new_database(url, f"live_{os.getpid()}_{folder.name}")
    _copy(_migrated_database(url), made)
    return made


@cache
def _migrated_file() -> str:
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    _migrate(f"sqlite:///{folder.name}/migrated.sqlite3")
    return f"{folder.name}/migrated.sqlite3"


@cache
def _migrated_database(url: str) -> str:
    made = new_database(url, f"migrated_{os.getpid()}")
    atexit.register(drop, made)
    _migrate(made)
    return made


def _migrate(url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": url, "SECRET_KEY": settings.SECRET_KEY}
    manage(environment, "migrate", "--verbosity", "0")


def _copy(source: str, target: str) -> None:
    """All tables, with the few rows that there are after a migration."""
    name = urlsplit(source).path[1:]
    with _cursor(target, urlsplit(target).path[1:]) as cursor:
        cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
        cursor.execute(f"SHOW TABLES FROM `{name}`")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SHOW CREATE TABLE `{name}`.`{table}`")
            cursor.execute(cursor.fetchone()[1])
            # Of a table without rows, for what the database works out itself cannot be inserted.
            if cursor.execute(f"SELECT * FROM `{name}`.`{table}` LIMIT 1"):
                cursor.execute(f"INSERT INTO `{table}` SELECT * FROM `{name}`.`{table}`")


def new_database(url: str, name: str) -> str:
    """The URL of a new, empty database of that name, on the MariaDB of `url`."""
    execute(url, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def drop(url: str) -> None:
    """The database that `database_of_its_own` made; a file goes with its folder."""
    if url.startswith("mysql"):
        execute(url, f"DROP DATABASE IF EXISTS `{urlsplit(url).path[1:]}`")


def execute(url: str, statement: str, database: str = "") -> None:
    """Runs the statement on the MariaDB of `url`, in that database if one is named."""
    with _cursor(url, database) as cursor:
        cursor.execute(statement)


@contextmanager
def _cursor(url: str, database: str) -> Iterator[Any]:
    import MySQLdb

    parts = environ.Env.db_url_config(url)
    server = MySQLdb.connect(
        host=parts["HOST"],
        port=int(parts["PORT"] or 3306),
        user=parts["USER"],
        passwd=parts["PASSWORD"],
        database=database,
        autocommit=True,
    )
    with closing(server), server.cursor() as cursor:
        yield cursor
