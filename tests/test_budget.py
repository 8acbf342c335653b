"""What each request may cost, exactly. A number that went up is a slow-down that no clock would show reliably.

`UPDATE_BUDGETS=1 script/test -n 0 tests/test_budget.py` writes the new ones down, after a change for good.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
import time_machine
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection

from accounts.models import User
from authproject import schema
from authproject.wsgi import application
from bench import budget
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_waiting", "one_connection")]
Answer = dict[str, Any]
NUMBERS = count()
WRITTEN_BY = (3, 11)


@pytest.fixture
def without_waiting(settings: Any) -> None:
    """The limits are counted, and never reached."""
    for name in ("GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT", "SIGN_UP_RATE", "REFRESH_RATE"):
        setattr(settings, name, (1_000_000, 1))


@pytest.fixture
def one_connection() -> Iterator[None]:
    """The one of the test, whose transaction would be lost with it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def ask(method: str, path: str, body: Answer | None = None, token: str = "") -> Answer:
    """As the application server asks."""
    raw = json.dumps(body).encode() if body else b""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost:8080",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(raw),
        "wsgi.errors": io.StringIO(),
        **({"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(raw))} if body else {}),
        **({"HTTP_X_ACCESS_TOKEN": token} if token else {}),
    }
    statuses: list[str] = []
    response: Any = application(environ, lambda status, *_: statuses.append(status))
    content = b"".join(response)
    assert statuses[0].startswith("200"), content
    return json.loads(content) if content.startswith(b"{") else {}


def sign_in() -> Answer:
    return ask("POST", "/api/auth/signin", {"username": "alice", "password": PASSWORD})


def sign_up() -> None:
    name = f"bob{next(NUMBERS)}"
    ask("POST", "/api/auth/signup", {"username": name, "email": f"{name}@example.com", "password": PASSWORD})


class Client:
    """Signed in, with the tokens of its last answer."""

    def __init__(self) -> None:
        self.tokens = sign_in()

    def get(self, path: str) -> None:
        ask("GET", path, token=self.tokens["accessToken"])

    def refresh(self) -> None:
        ask("POST", "/api/auth/refreshtoken", {"refreshToken": self.tokens["refreshToken"]})

    def refresh_and_keep(self) -> None:
        self.tokens |= ask("POST", "/api/auth/refreshtoken", {"refreshToken": self.tokens["refreshToken"]})

    def sign_out(self) -> None:
        ask("POST", "/api/auth/signout", {"everywhere": False}, token=self.tokens["accessToken"])


REQUESTS: dict[str, Callable[[Client], Any]] = {
    "GET /api/test/all": lambda client: client.get("/api/test/all"),
    "GET /api/test/user": lambda client: client.get("/api/test/user"),
    "GET /api/test/mod": lambda client: client.get("/api/test/mod"),
    "GET /api/auth/me": lambda client: client.get("/api/auth/me"),
    "GET /api/users": lambda client: client.get("/api/users"),
    "POST /api/auth/signin": lambda _: sign_in(),
    "POST /api/auth/signup": lambda _: sign_up(),
    "POST /api/auth/refreshtoken, the same again": Client.refresh,
    "POST /api/auth/refreshtoken, the successor": Client.refresh_and_keep,
    "POST /api/auth/signout": Client.sign_out,
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_costs_what_its_budget_says(make_user: Callable[..., User], name: str) -> None:
    make_user("alice", "user", "moderator", "admin")
    # Some libraries keep what they found out for it.
    schema.generate()
    # Nothing runs out, and no second ends, while it is counted.
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, 0, 123_456, tzinfo=UTC), tick=False):
        client = Client()
        cost = budget.cost(lambda: REQUESTS[name](client))
    if os.environ.get("UPDATE_BUDGETS"):
        budget.keep(connection.vendor, name, cost)
    said = budget.budgets()[connection.vendor][name]
    # With other versions, some of Python's own functions call back one time more or less; and the budgets of mysql were
    # written on MariaDB, which returns what it inserted.
    exactly = sys.version_info[:2] == WRITTEN_BY and getattr(connection, "mysql_is_mariadb", True)
    assert cost == (said if exactly else pytest.approx(said, rel=0.02))
