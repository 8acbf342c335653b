"""schemathesis calls the running server by its own description, in every way it can think of, and all checks hold.

tests/fuzzing/ says what it is told beyond the description; FUZZ_SECONDS has it go on for so long, at random
(`script/fuzz`), instead of doing the same few seconds' work each time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from tests.live import ROOT, Server

SECONDS = os.environ.get("FUZZ_SECONDS")
# What would refuse so many requests of one caller, or end a long run.
UNLIMITED = {
    "ACCESS_TOKEN_LIFETIME": "86400",
    "LOG_LEVEL": "WARNING",
    **dict.fromkeys(("GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT"), "off"),
    **dict.fromkeys(("SIGN_UP_RATE", "REFRESH_RATE", "PASSWORD_CHECK_RATE"), "off"),
}
# None that the examples know: with that the caller would change it, and then delete itself.
PASSWORD = "nobody's but the callers'"
OTHERS = ("user", "nobody")
CALLERS = {"admin": ["admin", "moderator", "user"], "user": ["user"]}
# Each bound of each field takes as long as all the rest. Who is refused most things has none to try, and SQLite has
# none of its own: only MariaDB would say that a text is too long for its column.
NO_BOUNDS = ("--phases", "examples,fuzzing,stateful")
ON_SQLITE = connection.vendor == "sqlite"
EXTENT = {
    "admin": ("--max-examples", "5", *(NO_BOUNDS if ON_SQLITE else ())),
    **dict.fromkeys(OTHERS, ("--max-examples", "2", *NO_BOUNDS)),
}


@dataclass
class Account:
    """Somebody who is signed in: nobody, if there is no such caller."""

    username: str
    tokens: dict[str, Any]

    @classmethod
    def make(cls, server: Server, username: str, *roles: str) -> "Account":
        options = [word for role in roles for word in ("--role", role)]
        server.manage("create_user", username, f"{username}@example.com", *options, stdin=PASSWORD)
        with server.client() as client:
            body = {"username": username, "password": PASSWORD}
            return cls(username, client.post("/api/auth/signin", json=body).json())


@pytest.fixture(scope="module")
def unlimited(start_server: Callable[..., Server]) -> Server:
    return start_server(**UNLIMITED)


def known(somebody: Account) -> dict[str, Any]:
    """By path, what passes the rules."""
    return {
        "/api/auth/signup": {"password": PASSWORD, "roles": ["user"]},
        "/api/auth/signin": {"username": somebody.username, "password": PASSWORD},
        "/api/auth/refreshtoken": {"refreshToken": somebody.tokens["refreshToken"]},
        "/api/auth/me": {"currentPassword": PASSWORD},
        "/api/auth/password": {"currentPassword": PASSWORD, "newPassword": PASSWORD},
        "/api/users": {"password": PASSWORD, "roles": ["moderator"]},
        "/api/users/{id}/roles": {"role": "moderator", "expiresAt": "2099-01-01"},
        "/api/users/{id}/roles/{role_name}": {"role_name": "moderator"},
    }


def fuzz(server: Server, token: str, somebody: Account, extent: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    extent = ["--max-time", SECONDS] if SECONDS else ["--generation-deterministic", *extent]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/fuzzing/schemathesis.toml"),
        *("run", f"{server.url}/openapi.json", "--no-color", *extent),
    ]
    environment = {**os.environ, "FUZZ_TOKEN": token, "FUZZ_KNOWN": json.dumps(known(somebody))}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


# What the others can reach of a database, the admin can.
@pytest.mark.parametrize("caller", ["admin", *(pytest.param(who, marks=pytest.mark.no_database) for who in OTHERS)])
def test_what_the_server_answers_is_as_described(unlimited: Server, caller: str) -> None:
    somebody = Account.make(unlimited, f"somebody_beside_{caller}")
    roles = CALLERS.get(caller)
    tokens = Account.make(unlimited, f"calling_as_{caller}", *roles).tokens if roles else {"accessToken": ""}
    done = fuzz(unlimited, tokens["accessToken"], somebody, EXTENT[caller])
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    with unlimited.client(headers={"x-access-token": tokens["accessToken"]}) as client:
        assert client.get("/api/auth/me").status_code == (200 if roles else 403), "Its own session came to an end."
    assert unlimited.log.read_text() == "", "The server had something to complain about."
