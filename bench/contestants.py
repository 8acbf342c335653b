"""Who is measured: starts the contestants on one MariaDB, with people in them who sign in."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from authproject import processor
from bench.api import PASSWORD, READERS, REFRESHER, ROLES, Tokens
from bench.programs import PROGRAMS, Program, environment
from tests.live import execute, free_port, new_database

# Seconds that one may take to start.
PATIENCE = 60


class Unfit(Exception):
    """A contestant that does not start, or does not do what it is measured for."""


@dataclass
class Contestant:
    """A running server; its people are person0, person1, … and those of bench.api."""

    name: str
    program: Program
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    log: Path
    people: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def board(self, name: str) -> str:
        return f"{self.url}{self.program.api.boards}{name}"

    def path(self, name: str) -> str:
        return f"{self.url}{getattr(self.program.api, name)}"

    def authorization(self, token: str) -> dict[str, str]:
        return {self.program.api.header: self.program.api.scheme + token}

    def sign_in(self, username: str) -> Tokens:
        body = self._post("sign_in", {"username": username, "password": PASSWORD})
        api = self.program.api
        return Tokens(body[api.access], body[api.refresh_token])

    def sign_up(self, username: str) -> None:
        body = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
        chosen = {"roles": [ROLES[username]]} if self.program.api.roles and username in ROLES else {}
        self._post("sign_up", {**body, **chosen})

    def _post(self, path: str, body: dict[str, object]) -> dict[str, str]:
        answer = httpx.post(self.path(path), json=body, timeout=30)
        if answer.status_code not in {200, 201}:
            raise Unfit(f"{self.name}: {path} of {body['username']}: {answer.status_code} {answer.text}")
        return answer.json()

    def populate(self) -> None:
        names = [*READERS.values(), REFRESHER, *(f"person{number}" for number in range(self.people))]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(self.sign_up, names))
        for command in self.program.grants:
            run(command, self.program, self.environment)

    def tidy(self) -> None:
        """Takes away what a load left behind."""
        database = urlsplit(self.environment["DATABASE_URL"]).path[1:]
        for statement in self.program.tidy:
            execute(self.environment["DATABASE_URL"], statement, database)

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx.get(self.board("all"))
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise Unfit(f"{self.name} did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@contextmanager
def started(names: Sequence[str], server: str, folder: Path, people: int) -> Iterator[dict[str, Contestant]]:
    """Each on a database of its own on the MariaDB at `server`; their logs go to the folder. Raises Unfit."""
    running: dict[str, Contestant] = {}

    def add(name: str) -> None:
        running[name] = start(name, server, folder, people)
        _make_ready(running[name])

    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(add, names))
        yield {name: running[name] for name in names}
    finally:
        for contestant in running.values():
            contestant.stop()


def start(name: str, server: str, folder: Path, people: int, suffix: str = "") -> Contestant:
    """Started, but maybe not ready yet; `suffix` tells the databases of two of that name apart. Raises Unfit."""
    if (compiled := Path(sys.prefix) / processor.LEVEL).exists():
        raise Unfit(f"{compiled} is there, and this server would take it. Delete it: what is measured is the wheel.")
    program, log = PROGRAMS[name], folder / f"{name}{suffix}.log"
    database = new_database(server, name + suffix)
    variables = environment({**program.variables, "DATABASE_URL": database, "PORT": str(free_port())})
    for command in program.before:
        run(command, program, variables)
    with log.open("wb") as output:
        process = subprocess.Popen(program.command, cwd=program.folder, env=variables, stdout=output, stderr=output)
    return Contestant(name, program, process, variables, log, people)


def _make_ready(contestant: Contestant) -> None:
    contestant.wait()
    if "sign_in" in contestant.program.endpoints:
        contestant.populate()


def run(command: Sequence[str], program: Program, variables: dict[str, str]) -> None:
    """Raises Unfit with what the command said, if it fails."""
    done = subprocess.run(
        command, cwd=program.folder, env=variables, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise Unfit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
