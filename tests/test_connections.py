"""A database connection that was lost between two requests is made anew, and nobody notices."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from authproject.connections import trust_what_was_used_lately
from tests.live import Server


def kill_all_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'app' AND id <> CONNECTION_ID()")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")


@pytest.mark.skipif(connection.vendor != "mysql", reason="A file has no connections to lose.")
@pytest.mark.django_db(transaction=True)
def test_requests_after_the_database_ended_all_connections_are_answered(start_server: Callable[..., Server]) -> None:
    server = start_server(WORKERS="1")
    body = {"username": "alice", "email": "alice@example.com", "password": "correct horse battery"}
    with server.client() as http:
        assert http.post("/api/auth/signup", json=body).status_code == 200
        tokens = http.post("/api/auth/signin", json=body).json()
        headers = {"x-access-token": tokens["accessToken"]}
        calls: list[tuple[str, str, dict[str, str] | None]] = [
            ("GET", "/api/test/user", None),
            ("POST", "/api/auth/refreshtoken", {"refreshToken": tokens["refreshToken"]}),
            ("POST", "/api/auth/signin", body),
        ]
        for method, path, json in calls:
            kill_all_others()
            assert http.request(method, path, json=json, headers=headers).status_code == 200


def test_a_connection_is_asked_again_when_it_was_not_for_a_while(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("authproject.connections.monotonic", lambda: clock[0])
    own: Any = connections["default"]
    monkeypatch.setattr(own, "asked_at", 0.0, raising=False)
    trusted = []
    for seconds in (0, 1, 4.5, 10, 1):
        clock[0] += seconds
        own.health_check_done = False
        trust_what_was_used_lately()
        trusted.append(own.health_check_done)
    assert trusted == [False, True, False, False, True]
