"""A database connection that was lost between two requests is made anew, and nobody notices."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.live import Server


def kill_connections_of(server: Server) -> None:
    with connection.cursor() as cursor:
        name = urlsplit(server.environment["DATABASE_URL"]).path[1:]
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [name])
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
            ("POST", "/api/auth/signup", {**body, "username": "bob", "email": "bob@example.com"}),
            ("GET", "/api/test/all", None),
            ("POST", "/api/auth/signout", None),
        ]
        for method, path, json in calls:
            kill_connections_of(server)
            assert http.request(method, path, json=json, headers=headers).status_code == 200
