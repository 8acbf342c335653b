"""A server that is told to stop takes no more requests, and answers those that it has."""

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from accounts import turns
from authproject import serve
from tests.conftest import PASSWORD
from tests.live import Server

pytestmark = pytest.mark.no_database

SIGN_IN = json.dumps({"username": "alice", "password": PASSWORD})
CROWD = 10


class Stopped(NamedTuple):
    """What became of a server that was told to stop in the midst of sign-ins, and of its clients."""

    statuses: list[int]
    exit_code: int
    idle_client_saw: bytes
    new_client_saw: BaseException | None


def connect(port: int) -> HTTPConnection:
    """A client whose connection the server has accepted, and keeps."""
    http = HTTPConnection("127.0.0.1", port, timeout=60)
    http.request("GET", "/health/live")
    http.getresponse().read()
    return http


def status(http: HTTPConnection) -> int:
    answer = http.getresponse()
    answer.read()
    return answer.status


@pytest.fixture(scope="module")
def stopped(start_server: Callable[..., Server]) -> Iterator[Stopped]:
    server = start_server(WORKERS="1", THREADS="16", PASSWORDS_AT_ONCE="1", GUESS_RATE="1000/s")
    server.manage("create_user", "alice", "alice@example.com", stdin=PASSWORD)
    port = urlsplit(server.url).port or 0
    with ExitStack() as stack:
        idle, *clients = [stack.enter_context(closing(connect(port))) for _ in range(CROWD + 1)]
        for http in clients:
            http.request("POST", "/api/auth/signin", SIGN_IN, {"Content-Type": "application/json"})
        pool = stack.enter_context(ThreadPoolExecutor(CROWD))
        answers = [pool.submit(status, http) for http in clients]
        # One is answered, so that another is being worked on, and the rest waits in line.
        next(as_completed(answers, timeout=60))
        server.process.terminate()
        idle_client_saw = idle.sock.recv(1)
        refused = pool.submit(socket.create_connection, ("127.0.0.1", port)).exception()
        statuses = [each.result(timeout=60) for each in answers]
        yield Stopped(statuses, server.process.wait(timeout=60), idle_client_saw, refused)


def test_the_sign_ins_that_it_works_on_or_that_wait_are_answered(stopped: Stopped) -> None:
    assert len(stopped.statuses) == CROWD
    assert set(stopped.statuses) <= {200, 503}


def test_it_ends_without_an_error(stopped: Stopped) -> None:
    assert stopped.exit_code == 0


def test_a_connection_that_was_kept_and_is_idle_is_closed(stopped: Stopped) -> None:
    assert stopped.idle_client_saw == b""


def test_nobody_new_is_let_in(stopped: Stopped) -> None:
    assert isinstance(stopped.new_client_saw, ConnectionRefusedError)


def test_who_waits_in_line_is_answered_before_the_server_would_be_ended() -> None:
    assert turns.LONGEST_WAIT + 2 <= serve.STOP_WITHIN
