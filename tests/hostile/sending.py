"""What is sent, and what is a refusal."""

import json
import socket
from contextlib import suppress
from http.client import HTTPResponse, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests import live

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
SIGN_IN = b'{"username": "nobody", "password": "correct horse battery"}'
on_every_endpoint = pytest.mark.parametrize("endpoint", ["signup", "signin", "refreshtoken", "signout"])


def post(client: httpx.Client, endpoint: str, body: Any, content_type: str | bytes | None = JSON) -> httpx.Response:
    headers = {} if content_type is None else {"content-type": content_type}
    return client.post(f"/api/auth/{endpoint}", content=body, headers=headers)  # type: ignore[arg-type]


def assert_refused(endpoint: str, response: httpx.Response) -> None:
    """With a message for people; but a sign-out is never refused."""
    assert response.status_code in ([200] if endpoint == "signout" else range(400, 500)), response.text
    message = response.json()["message"]
    assert isinstance(message, str)
    assert message


Answer = tuple[int, bytes] | None


def exchange(server: live.Server, request: bytes, *, breaks_off: bool = False) -> Answer:
    """Sends just these bytes; None if the connection was closed without an answer."""
    port = urlsplit(server.url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        # The server may have answered and closed before all was sent.
        with suppress(OSError):
            connection.sendall(request)
            if breaks_off:
                connection.shutdown(socket.SHUT_WR)
        try:
            response = HTTPResponse(connection)
            response.begin()
            return response.status, response.read()
        except (ConnectionError, IncompleteRead):
            return None


def assert_refused_by_us_or_by_granian(answer: Answer) -> None:
    """granian's own refusals have no body, or are a closed connection."""
    if answer is not None:
        status, body = answer
        assert 400 <= status < 500
        assert not body or json.loads(body)["message"]
