"""The server that `python -m authproject.serve` becomes: when it refuses to, and what it outlives."""

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.asking import run, serve
from tests.live import free_port

pytestmark = pytest.mark.no_database


@pytest.mark.parametrize(("arguments", "tables"), [((), 0), (("--migrate",), 1)], ids=["as it is", "--migrate"])
def test_the_server_migrates_its_database_if_it_is_told_to(
    tmp_path: Path, arguments: tuple[str, ...], tables: int
) -> None:
    # It cannot listen there, and ends after that.
    elsewhere = {"HOST": "203.0.113.1", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    assert "cannot listen" in run("-m", "authproject.serve", *arguments, **elsewhere).stderr
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        [found] = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'accounts_user'").fetchone()
    assert found == tables


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_taken_port_is_refused_in_one_sentence(host: str) -> None:
    with socket.create_server((host, 0)) as other:
        port = other.getsockname()[1]
        code, error = serve(HOST=host, PORT=str(port))
    sentence = f"authproject: cannot listen on HOST={host}, PORT={port}: [Errno 98] Address already in use\n"
    assert (code, error) == (1, sentence)


@pytest.mark.parametrize("value", ["0", "-1", "9"])
def test_passwords_at_once_must_leave_something_and_fit_the_threads(value: str) -> None:
    assert "accounts.E019" in serve(THREADS="8", PASSWORDS_AT_ONCE=value)[1]


@pytest.mark.parametrize(("name", "value"), [("PORT", "65536"), ("PORT", "0"), ("WORKERS", "0"), ("THREADS", "-1")])
def test_a_number_out_of_range_is_refused_in_one_sentence(name: str, value: str) -> None:
    largest = 65_535 if name == "PORT" else 1000
    variables = {"PORT": str(free_port()), name: value}
    assert serve(**variables) == (1, f"authproject: {name} must be from 1 to {largest}, but is {value}.\n")


def test_a_host_that_is_no_address_of_this_machine_is_refused_in_one_sentence() -> None:
    code, error = serve(HOST="192.0.2.1", PORT=str(free_port()))
    assert (code, error.startswith("authproject: cannot listen on HOST=192.0.2.1, PORT=")) == (1, True)


def test_the_server_may_be_told_its_host_by_name(start_server: Callable[..., Any]) -> None:
    server = start_server(HOST="localhost", WORKERS="1")
    with server.client() as client:
        assert client.get("/").status_code == 200


def test_the_server_stops_soon_though_a_client_never_finishes_its_request(start_server: Callable[..., Any]) -> None:
    server = start_server(WORKERS="1")
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port)) as client:
        client.sendall(b"POST /api/auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n")
        client.sendall(b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 100")  # it waits for the body
        server.process.terminate()
        assert server.process.wait(timeout=20) == 0


def test_a_worker_that_dies_comes_back_and_takes_nobody_with_it(start_server: Callable[..., Any]) -> None:
    server = start_server()
    before = set(server.children())
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while not set(server.children()) - before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(server.children()) == len(before)
    server.wait()
    assert server.process.poll() is None


def test_a_worker_that_is_not_ready_yet_can_be_stopped() -> None:
    """The handler that it inherits from granian's parent process does nothing in it."""
    script = (
        "import os, signal; signal.signal(signal.SIGTERM, lambda *_: None);"
        "import authproject.worker; os.kill(os.getpid(), signal.SIGTERM)"
    )
    assert run("-c", script).returncode == -signal.SIGTERM
