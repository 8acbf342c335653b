"""A client of the server: one request on a connection of its own, so that no library tries anything again unseen."""

import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from deploy.cluster.layout import LOOPBACK

# Seconds until a client gives up.
PATIENCE = 15


@dataclass(frozen=True)
class Answer:
    """`status` is 0 where none came: the connection was refused, broke, or the client gave up."""

    status: int
    body: Any
    seconds: float

    @property
    def is_lost(self) -> bool:
        """Whether what was asked for was done is not known."""
        return self.status == 0 or self.status >= 500

    def __str__(self) -> str:
        """Without the tokens that may be in it."""
        told = self.body.get("message", "") if isinstance(self.body, dict) else self.body
        return f"{self.status} {told}"


@dataclass(frozen=True)
class Client:
    port: int
    # Each has an address of its own on the loopback, because the server counts sign-ups and guesses by address.
    address: str = LOOPBACK

    def post(self, path: str, body: dict[str, Any], token: str = "") -> Answer:
        return self.call("POST", path, body, token)

    def get(self, path: str, token: str = "") -> Answer:
        return self.call("GET", path, None, token)

    def call(self, method: str, path: str, body: dict[str, Any] | None, token: str) -> Answer:
        """One request, and whatever comes of it."""
        headers = {"x-access-token": token} if token else {}
        headers |= {"Content-Type": "application/json", "Connection": "close"}
        clock = time.monotonic()
        connection = HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE, source_address=(self.address, 0))
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except (OSError, HTTPException):
            return Answer(0, None, time.monotonic() - clock)
        finally:
            connection.close()
        return Answer(status, _read(content), time.monotonic() - clock)

    def sign_up(self, name: str, password: str) -> Answer:
        return self.post(
            "/api/auth/signup", {"username": name, "email": f"{name}@example.com", "password": password}
        )  # fmt: skip

    def sign_in(self, name: str, password: str) -> Answer:
        return self.post("/api/auth/signin", {"username": name, "password": password})


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
