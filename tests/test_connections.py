"""Database connections: a few serve all requests, and one that was lost is made anew, and nobody notices."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import Settings

import accounts.connections
from accounts.connections import AllLent, Pool, give_back
from accounts.models.counters import _PUT
from accounts.transactions import is_away
from accounts.turns import Turns
from tests.live import Server

MOMENTS = ("at", "ready_at", "familiar_until", "expires_at")


def connections_of(server: Server) -> list[int]:
    """Their numbers at the database."""
    with connection.cursor() as cursor:
        name = urlsplit(server.environment["DATABASE_URL"]).path[1:]
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [name])
        return [number for (number,) in cursor.fetchall()]


def kill_connections_of(server: Server) -> None:
    for number in connections_of(server):
        with connection.cursor() as cursor:
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


@pytest.mark.skipif(connection.vendor != "mysql", reason="A file has no rows to wait for.")
@pytest.mark.django_db
def test_who_waits_for_a_row_is_told_so_before_the_connection_is_given_up(settings: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@innodb_lock_wait_timeout")
        assert 0 < cursor.fetchone()[0] < settings.DATABASE_TIMEOUT


# --- how many there are


@pytest.mark.skipif(connection.vendor != "mysql", reason="A file counts no connections.")
@pytest.mark.django_db(transaction=True)
def test_a_crowd_has_no_more_connections_than_the_setting_says(start_server: Callable[..., Server]) -> None:
    server = start_server(WORKERS="1", THREADS="32", DATABASE_CONNECTIONS="3", GUESS_RATE="1000/s")
    server.manage("create_user", "alice", "alice@example.com", stdin="correct horse battery")
    body = {"username": "alice", "password": "correct horse battery"}
    counted = [0]
    with server.client(limits=httpx.Limits(max_connections=60)) as http, ThreadPoolExecutor(60) as pool:
        answers = [pool.submit(lambda: http.post("/api/auth/signin", json=body).status_code) for _ in range(60)]
        while not all(answer.done() for answer in answers):
            counted.append(len(connections_of(server)))
    assert {answer.result() for answer in answers} <= {200, 503}
    assert 1 <= max(counted) <= 3


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """Of a single connection, which is closed when the test is over."""
    monkeypatch.setattr(connections, "create_connection", connections.create_connection)
    monkeypatch.setattr(accounts.connections, "_pool", None)
    installed = accounts.connections.install(limit=1, timeout=10)
    yield installed
    for idle in installed._idle:
        idle.close()


@pytest.fixture
def run() -> Iterator[Callable[..., Any]]:
    """Runs something in a thread of its own, as each request is."""
    with ThreadPoolExecutor() as executor:
        yield lambda work: executor.submit(work).result(timeout=30)


def ask() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connections["default"].connection


@pytest.mark.django_db(transaction=True)
def test_what_a_thread_was_connected_by_before_it_keeps(request: pytest.FixtureRequest) -> None:
    before = connections["default"]
    request.getfixturevalue("pool")
    assert connections["default"] is before


@pytest.mark.django_db(transaction=True)
def test_the_next_request_is_lent_the_same_connection(pool: Pool, run: Callable[..., Any]) -> None:
    def request() -> Any:
        with pool:
            return ask()

    assert run(request) is run(request)


@pytest.mark.django_db(transaction=True)
def test_what_is_lent_already_is_refused_as_the_database_would(
    pool: Pool, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts.connections, "LONGEST_WAIT", 0.01)

    def request(then: Callable[[], Any]) -> Any:
        with pool:
            ask()
            return then()

    with pytest.raises(AllLent) as refused:
        run(lambda: request(lambda: run(lambda: request(lambda: None))))
    assert is_away(refused.value)


@pytest.mark.django_db(transaction=True)
def test_a_write_waits_for_what_is_lent_once(
    pool: Pool, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    class Taken:
        def acquire(self, timeout: float) -> bool:
            waited.append(timeout)
            return False

    def request() -> None:
        with pool:
            _PUT.execute(key="k", level=0.0, new_version=uuid4(), **dict.fromkeys(MOMENTS, timezone.now()))

    monkeypatch.setattr(pool, "_seats", Taken())
    with pytest.raises(AllLent):
        run(request)
    assert waited == [accounts.connections.LONGEST_WAIT]


@pytest.mark.django_db(transaction=True)
def test_who_gives_back_before_waiting_can_ask_again(pool: Pool, run: Callable[..., Any]) -> None:
    def waiting() -> None:
        with pool:
            ask()
            give_back()
            run(another)
            ask()

    def another() -> None:
        with pool:
            ask()

    run(waiting)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_keeps_its_connection(pool: Pool, run: Callable[..., Any]) -> None:
    def request() -> bool:
        with pool, transaction.atomic():
            before = ask()
            give_back()
            return ask() is before

    assert run(request)


@pytest.mark.django_db(transaction=True)
def test_a_thread_that_serves_no_request_has_one_of_its_own(pool: Pool, run: Callable[..., Any]) -> None:
    def work() -> Any:
        mine = ask()
        connection.close()
        return mine

    def request() -> bool:
        with pool:
            return ask() is not run(work)

    assert run(request)


@pytest.mark.django_db(transaction=True)
def test_a_request_that_waits_for_its_turn_at_a_password_holds_none(pool: Pool, run: Callable[..., Any]) -> None:
    line, has_turn, may_end = Turns(at_once=1, waiting=1), Event(), Event()

    def holder() -> None:
        with line.one():
            has_turn.set()
            may_end.wait(30)

    def waiting() -> None:
        with pool:
            ask()
            with line.one():
                ask()

    def another() -> None:
        with pool:
            ask()

    with ThreadPoolExecutor() as executor:
        requests = [executor.submit(holder)]
        has_turn.wait(30)
        requests.append(executor.submit(waiting))
        run(another)
        may_end.set()
        assert [request.result(timeout=30) for request in requests] == [None, None]
