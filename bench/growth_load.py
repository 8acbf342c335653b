"""Requests of people who are chosen at random, one after the other, and what each of them costs."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bench.api import PASSWORD, Tokens
from bench.contestants import Contestant, Unfit
from bench.cpu import cpu_seconds

Row = dict[str, Any]


@dataclass
class Crowd:
    """A contestant with so many people in it; `database` is the process id of its database server."""

    contestant: Contestant
    people: int
    database: int
    random: random.Random
    strangers: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    signed_in: list[Tokens] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Each once, so that it is the first time for all of them, however few there are.
        self.strangers = self.random.sample(range(1, self.people), min(self.people - 1, 5000))
        self.connection = HTTPConnection(urlsplit(self.contestant.url).netloc, timeout=60)

    def measure(self, endpoint: str, times: int) -> Row:
        """Milliseconds per request, of CPU and until the answer; raises Unfit for one that is not 200."""
        request = getattr(self, endpoint)
        # While others had their turn, the server may have given it up; the next request opens another.
        self.connection.close()
        pids = {"cpu": self.contestant.process.pid, "database_cpu": self.database}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        elapsed = [_milliseconds(request) for _ in range(times)]
        costs = {name: (cpu_seconds(pid) - before[name]) / times * 1000 for name, pid in pids.items()}
        row = {"contestant": self.contestant.name, "people": self.people, "endpoint": endpoint, "p50": median(elapsed)}
        return row | costs

    def ask(self, endpoint: str, times: int) -> None:
        for _ in range(times):
            getattr(self, endpoint)()

    def sign_in(self) -> None:
        """For the first time from here."""
        self.known.append(self.strangers.pop())
        self._sign_in(self.known[-1])

    def sign_in_again(self) -> None:
        self._sign_in(self.random.choice(self.known))

    def _sign_in(self, number: int) -> None:
        body = {"username": f"person{number}", "password": PASSWORD}
        self.signed_in.append(self._tokens(self._ask("POST", self.contestant.path("sign_in"), body)))

    def mod(self) -> None:
        self._ask("GET", self.contestant.board("mod"), token=self.random.choice(self.signed_in).access)

    def refresh(self) -> None:
        number = self.random.randrange(len(self.signed_in))
        body = {"refreshToken": self.signed_in[number].refresh}
        self.signed_in[number] = self._tokens(self._ask("POST", self.contestant.path("refresh"), body))

    def users(self) -> None:
        """As the admin sees them."""
        self._ask("GET", f"{self.contestant.url}/api/users", token=self.admin.access)

    def users_by_next(self) -> None:
        """A page in the midst of the list."""
        query = f"page=2&after={self.random.randrange(1, self.people - 20)}"
        self._ask("GET", f"{self.contestant.url}/api/users?{query}", token=self.admin.access)

    def enter_admin(self, username: str) -> None:
        self.admin = self.contestant.sign_in(username)

    def _tokens(self, answer: dict[str, str]) -> Tokens:
        return Tokens(answer["accessToken"], answer["refreshToken"])

    def _ask(self, method: str, path: str, body: object = None, token: str = "") -> dict[str, str]:
        headers = {"Content-Type": "application/json", **(self.contestant.authorization(token) if token else {})}
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Unfit(f"{self.contestant.name}: {method} {path}: {answer.status} {text!r}")
        return json.loads(text) if body else {}


def _milliseconds(request: Callable[[], None]) -> float:
    clock = time.perf_counter()
    request()
    return (time.perf_counter() - clock) * 1000
