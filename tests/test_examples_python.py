"""examples/python: its command line as a process, and its sign-in shared by threads, against the real server."""

import importlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from threading import Barrier
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.live import ROOT, Server
from tests.signing import expired

pytestmark = pytest.mark.no_database
FOLDER = ROOT / "examples" / "python"
numbers = count()


@pytest.fixture
def name(server: Server) -> str:
    """Of a new account."""
    name = f"program{next(numbers)}"
    with server.client() as client:
        account = {"username": name, "email": f"{name}@x.io", "password": PASSWORD}
        assert client.post("/api/auth/signup", json=account).status_code == 200
    return name


def run(server: Server, *arguments: str, password: str = PASSWORD) -> tuple[int, str, str]:
    command = [sys.executable, "client.py", "--api", server.url, *arguments]
    done = subprocess.run(command, cwd=FOLDER, input=f"{password}\n", capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


# --- the command line

BOARDS = """newcomer holds ROLE_USER, ROLE_MODERATOR
all   Public Content.
user  User Content.
mod   Moderator Content.
admin Require Admin Role!
You've been signed out!
"""


def test_who_signs_up_sees_the_boards_that_their_roles_open(server: Server) -> None:
    said = run(server, "signup", "newcomer", "newcomer@x.io")
    assert said == (0, "User registered successfully!\n", "")
    server.manage("grant_role", "newcomer", "moderator")
    assert run(server, "boards", "newcomer") == (0, BOARDS, "")


def test_what_the_server_refuses_is_said_in_its_words(server: Server, name: str) -> None:
    assert run(server, "boards", name, password="not the password") == (1, "", "client: Invalid Password!\n")


# --- one sign-in, shared


@dataclass
class Program:
    """A program that is signed in, and what it heard from the server since."""

    example: ModuleType
    session: Any
    client: httpx.Client
    heard: list[httpx.Response] = field(default_factory=list)

    def board(self, name: str = "user") -> str:
        return self.example.board(self.client, name)

    def let_the_access_token_run_out(self) -> None:
        self.session.tokens = self.session.tokens._replace(access=expired(self.session.tokens.access))

    def refreshes(self) -> list[httpx.Response]:
        return [answer for answer in self.heard if answer.url.path == "/api/auth/refreshtoken"]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """client.py, as a program in that folder imports it."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("client")


@pytest.fixture
def program(example: ModuleType, server: Server, name: str) -> Iterator[Program]:
    session = example.Session(server.url, name, PASSWORD)
    with example.connect(server.url, session) as client:
        program = Program(example, session, client)
        assert program.board() == "User Content."
        client.event_hooks = {"response": [program.heard.append]}
        yield program


def test_five_threads_that_meet_an_expired_token_at_once_refresh_once(program: Program) -> None:
    all_five = Barrier(5)
    program.client.event_hooks["response"].append(lambda answer: answer.status_code == 401 and all_five.wait(30))
    program.let_the_access_token_run_out()
    with ThreadPoolExecutor(5) as threads:
        assert list(threads.map(program.board, ["user"] * 5)) == ["User Content."] * 5
    assert [answer.status_code for answer in program.refreshes()] == [200]


def test_the_next_refresh_presents_the_successor(program: Program) -> None:
    for _ in range(2):
        program.let_the_access_token_run_out()
        program.board()
    first, second = program.refreshes()
    assert json.loads(second.request.content)["refreshToken"] == first.json()["refreshToken"]


def test_a_session_that_was_ended_is_over_for_all_that_share_it(program: Program, server: Server) -> None:
    with server.client(headers={"x-access-token": program.session.tokens.access}) as elsewhere:
        elsewhere.post("/api/auth/signout", json={"everywhere": True})
    for _ in range(2):
        with pytest.raises(program.example.ApiError, match=r"The session has ended\. Please sign in again\."):
            program.board()
    assert [answer.status_code for answer in program.refreshes()] == [403]


def test_after_signing_out_the_token_is_let_in_no_more(program: Program, server: Server) -> None:
    token = program.session.tokens.access
    assert program.example.sign_out(program.client, program.session) == "You've been signed out!"
    with server.client() as client:
        assert client.get("/api/test/user", headers={"x-access-token": token}).status_code == 401


def test_a_refresh_that_gets_no_answer_leaves_the_session_as_it_was(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody waits for its end for ever."""
    program.let_the_access_token_run_out()
    send = httpx.HTTPTransport.handle_request

    def unreachable(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/auth/refreshtoken":
            raise httpx.ConnectError("no route to host")
        return send(transport, request)

    with monkeypatch.context() as patched:
        patched.setattr(httpx.HTTPTransport, "handle_request", unreachable)
        with pytest.raises(httpx.ConnectError):
            program.board()
    assert program.board() == "User Content."


def test_the_lines_of_its_readme_run(example: ModuleType, server: Server, name: str) -> None:
    [lines] = re.findall(r"^```python\n(.*?)^```", (FOLDER / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    namespace: dict[str, Any] = {"password": PASSWORD}
    exec(lines.replace("https://api.example.com", server.url).replace("ada", name), namespace)
    assert namespace["session"].tokens


# --- patience


def patient_answer(example: ModuleType, monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response) -> tuple[int, list]:
    """The status that a program gets from a server that answers so in turn, and how long it waited before each."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    rest = iter(answers)
    with httpx.Client(transport=example.Patient(httpx.MockTransport(lambda request: next(rest)))) as client:
        return client.get("http://localhost/").status_code, waits


def test_what_a_busy_server_asks_for_is_waited_for(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = httpx.Response(503, headers={"Retry-After": "2"})
    assert patient_answer(example, monkeypatch, busy, httpx.Response(200)) == (200, [2])


def test_a_long_wait_is_left_to_the_caller(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = httpx.Response(429, headers={"Retry-After": "900"})
    assert patient_answer(example, monkeypatch, limited) == (429, [])


def test_nobody_is_asked_for_ever(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [httpx.Response(503, headers={"Retry-After": "1"}) for _ in range(4)]
    assert patient_answer(example, monkeypatch, *busy) == (503, [1, 1])


def test_what_it_needs_is_what_is_tested_here() -> None:
    assert (FOLDER / "requirements.txt").read_text() == f"httpx=={httpx.__version__}\n"
