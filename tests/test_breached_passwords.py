"""Breached passwords, where the lookup is switched on: asked for over real HTTP, of a service that is played here."""

import logging
import threading
from collections.abc import Callable, Iterator
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests import live
from tests.conftest import PASSWORD
from tests.test_passwords import DOORS, is_taken, sign_up

pytestmark = pytest.mark.no_database

MakeUser = Callable[..., User]
Answer = Callable[[BaseHTTPRequestHandler], object]
BREACHED = "This password has appeared in a data breach and must not be used."
LEAKED = "leaked horse battery"


class RangeService:
    """Plays the range endpoint: knows what it was asked, and does as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Answer = lambda handler: reply(handler, listing(LEAKED))
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/range"
        threading.Thread(target=self.server.serve_forever, args=(0.05,)).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.asked.append((self.path, {name.lower(): text for name, text in self.headers.items()}, body))
                service.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def stop(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def reply(handler: BaseHTTPRequestHandler, body: str, status: int = 200, **headers: str) -> None:
    content = body.encode("latin-1")
    handler.send_response(status)
    for name, text in {**headers, "Content-Length": str(len(content))}.items():
        handler.send_header(name, text)
    handler.end_headers()
    handler.wfile.write(content)


def digest(password: str) -> str:
    return sha1(password.encode()).hexdigest().upper()


def listing(*passwords: str, times: int = 7) -> str:
    return "\r\n".join([f"{'0' * 35}:1", *(f"{digest(password)[5:]}:{times}" for password in passwords)])


@pytest.fixture
def service() -> Iterator[RangeService]:
    service = RangeService()
    yield service
    service.stop()


@pytest.fixture
def lookups(service: RangeService, settings: Settings) -> RangeService:
    """As BREACHED_PASSWORDS=on configures it."""
    settings.BREACHED_PASSWORDS_URL = service.url
    validator = {"NAME": "accounts.breached.BreachedPasswordValidator"}
    settings.AUTH_PASSWORD_VALIDATORS = [*settings.AUTH_PASSWORD_VALIDATORS, validator]
    return service


def test_one_variable_switches_the_lookups_on(start_server: Callable[..., live.Server], service: RangeService) -> None:
    server = start_server(BREACHED_PASSWORDS="on", BREACHED_PASSWORDS_URL=service.url)
    with server.client() as client:
        body = {"username": "bob", "email": "bob@example.com", "password": LEAKED}
        refused = client.post("/api/auth/signup", json=body)
        taken = client.post("/api/auth/signup", json={**body, "password": PASSWORD})
    assert (refused.status_code, refused.json(), taken.status_code) == (400, {"message": BREACHED}, 200)
    assert len(service.asked) == 2


def test_without_it_not_even_the_library_is_loaded(server: live.Server) -> None:
    script = (
        "import sys; from django.contrib.auth.password_validation import get_default_password_validators as all_of;"
        "print(len(all_of()), 'pwned_passwords_django' in sys.modules)"
    )
    assert server.manage("shell", "-c", script).splitlines()[-1] == "6 False"


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
def test_a_breached_password_is_refused_at_every_door(
    make_user: MakeUser, lookups: RangeService, door: Callable[[str], str]
) -> None:
    make_user("boss", "admin")
    assert BREACHED in door(LEAKED)


@pytest.mark.django_db
def test_only_five_digits_of_the_hash_leave_and_padding_is_asked_for(api: APIClient, lookups: RangeService) -> None:
    assert sign_up(api, LEAKED) == (400, BREACHED)
    [(path, headers, body)] = lookups.asked
    assert path == f"/range/{digest(LEAKED)[:5]}"
    assert headers.pop("add-padding") == "true"
    assert set(headers) == {"host", "accept", "accept-encoding", "connection", "user-agent"}
    assert body == b""


@pytest.mark.django_db
@pytest.mark.parametrize("listed", [listing("another"), listing(LEAKED, times=0), ""], ids=["no", "padding", "nothing"])
def test_a_password_that_is_not_listed_is_taken(api: APIClient, lookups: RangeService, listed: str) -> None:
    lookups.answer = lambda handler: reply(handler, listed)
    assert is_taken(api, LEAKED)


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["short", "password1", "bob@example", "moderator1", "x9" * 129])
def test_what_another_rule_refuses_is_not_looked_up(api: APIClient, lookups: RangeService, password: str) -> None:
    assert not is_taken(api, password)
    assert lookups.asked == []


def hangs(service: RangeService) -> Answer:
    return lambda handler: service.over.wait()


def trickles(service: RangeService) -> Answer:
    """Each byte is in time, the answer never."""

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not service.over.wait(0.1):
            handler.wfile.write(b"0")

    return trickle


def answers(body: str, status: int = 200, **headers: str) -> Callable[[RangeService], Answer]:
    return lambda service: lambda handler: reply(handler, body, status, **headers)


TROUBLE = {
    "hangs": hangs,
    "trickles": trickles,
    "closes": lambda service: lambda handler: handler.connection.close(),
    "is out of order": answers("", 503),
    "is asked too often": answers("", 429),
    "is not in the mood": answers("", 404),
    "sends elsewhere": answers("", 302, Location="http://127.0.0.1:9/"),
    "shows a page": answers("<!doctype html>\n<title>Welcome to our hotel</title>"),
    "sends bytes": answers("\xff\xfe\x00:\x00\n:::"),
    "counts to nonsense": answers(f"{digest(LEAKED)[5:]}:many"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
def test_the_other_rules_decide_when_the_service_is_in_trouble(
    api: APIClient, lookups: RangeService, caplog: pytest.LogCaptureFixture, trouble: Callable[..., Any]
) -> None:
    lookups.answer = trouble(lookups)
    with caplog.at_level(logging.WARNING):
        assert is_taken(api, LEAKED)
    [said] = [record.getMessage() for record in caplog.records if record.name == "accounts.breached"]
    assert said.startswith("A password could not be looked up among the breached ones: ")
    assert LEAKED not in caplog.text
    assert digest(LEAKED)[:5] not in caplog.text


@pytest.mark.django_db
def test_the_other_rules_decide_when_the_service_is_down(
    api: APIClient, lookups: RangeService, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BREACHED_PASSWORDS_URL = f"http://127.0.0.1:{live.free_port()}/range/"
    assert is_taken(api, LEAKED)
    assert "could not be looked up among the breached ones: request_error" in caplog.text
