"""/health/live says that the process answers, /health/ready that it can serve; both to anybody, and soon."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from authproject import health
from tests.live import Server, free_port
from tests.redis_server import RedisServer

READY = {"message": "Ready.", "checks": {"database": "ok", "migrations": "ok", "cache": "unused"}}
AWAY = {"database": "away", "migrations": "unknown", "cache": "unused"}


@pytest.fixture(autouse=True)
def _looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_checks", health._Checks())


# --- alive


def test_a_process_that_answers_is_alive(api: APIClient) -> None:
    answer = api.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"message": "Alive."})


@pytest.mark.django_db
def test_being_alive_asks_no_database(api: APIClient) -> None:
    with CaptureQueriesContext(connection) as captured:
        api.get("/health/live")
    assert len(captured) == 0


# --- ready


@pytest.mark.django_db
def test_with_its_database_and_all_migrations_it_is_ready(api: APIClient) -> None:
    answer = api.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, READY)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Where somebody takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def elsewhere(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """The database is said to be where it is not."""
    there = connections.settings["default"]
    where = {"PORT": str(port)} if connection.vendor == "mysql" else {"NAME": "/nowhere/db.sqlite3"}
    monkeypatch.setitem(connections.settings, "default", {**there, **where})


@pytest.mark.django_db
def test_without_its_database_it_is_not_ready_and_names_it(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(monkeypatch, free_port())
    answer = api.get("/health/ready")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer.json() == {"message": "Not ready: database and migrations.", "checks": AWAY}


@pytest.mark.skipif(connection.vendor != "mysql", reason="A file does not hang.")
@pytest.mark.django_db
def test_a_database_that_hangs_is_away_after_seconds(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    elsewhere(monkeypatch, silent_port)
    began = time.monotonic()
    assert api.get("/health/ready").json()["checks"] == AWAY
    assert time.monotonic() - began < 30  # without patience of its own, for ever


@pytest.mark.django_db(transaction=True)
def test_with_a_migration_missing_it_is_not_ready(api: APIClient) -> None:
    applied = MigrationRecorder.Migration.objects.filter(app="accounts").order_by("id").last()
    assert applied
    applied.delete()
    answer = api.get("/health/ready")
    applied.save(force_insert=True)
    assert (answer.status_code, answer.json()["message"]) == (503, "Not ready: migrations.")
    assert answer.json()["checks"] == {"database": "ok", "migrations": "missing", "cache": "unused"}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_a_newer_version_has_migrated_serves_the_older_one(api: APIClient) -> None:
    newer = MigrationRecorder.Migration.objects.create(app="accounts", name="9999_of_tomorrow")
    answer = api.get("/health/ready")
    newer.delete()
    assert answer.json() == READY


@pytest.mark.django_db
def test_what_was_found_is_told_to_all_who_ask_within_the_second(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "GOOD_FOR", 3600)
    assert api.get("/health/ready").status_code == 200
    elsewhere(monkeypatch, free_port())
    assert api.get("/health/ready").status_code == 200


@pytest.mark.django_db
def test_a_cache_that_answers_is_told(api: APIClient, redis_server: RedisServer, settings: Settings) -> None:
    settings.CACHE_URL = redis_server.url
    assert api.get("/health/ready").json()["checks"]["cache"] == "ok"


@pytest.mark.django_db
def test_a_cache_that_is_away_is_told_and_keeps_nothing_from_being_served(api: APIClient, settings: Settings) -> None:
    settings.CACHE_URL = f"redis://127.0.0.1:{free_port()}/0"
    answer = api.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["cache"]) == (200, "away")


# --- both


PATHS = pytest.mark.parametrize("path", ["/health/live", "/health/ready"])


@PATHS
def test_whoever_asks_may_do_so_by_address(server: Server, path: str) -> None:
    with server.client(headers={"Host": "10.1.2.3:8080"}) as http:
        assert (http.get(path).status_code, http.get("/").status_code) == (200, 400)


@PATHS
def test_no_cookie_is_given_and_none_taken_back_and_nothing_kept(server: Server, path: str) -> None:
    with server.client(cookies={"sessionid": "x", "access_token": "y"}) as http:
        answer = http.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "Set-Cookie" not in answer.headers


@PATHS
def test_head_is_answered_without_a_body(server: Server, path: str) -> None:
    with server.client() as http:
        answer = http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@PATHS
def test_who_asks_every_second_leaves_no_lines_in_the_log(start_server: Callable[..., Server], path: str) -> None:
    server = start_server(WORKERS="1", LOG_FORMAT="json")
    with server.client() as http:
        http.get(path)
        http.get("/docs")
    assert path.removeprefix("/") not in server.logged('"route": "docs"')


@pytest.mark.django_db
def test_an_answer_that_it_is_not_ready_is_no_error_in_the_log(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    elsewhere(monkeypatch, free_port())
    assert api.get("/health/ready").status_code == 503
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
