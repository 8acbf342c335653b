"""No secret reaches a log: secrets go through every endpoint of the real server, and are sought in all it wrote."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from django.db import connection
from django.urls import Resolver404, URLPattern, get_resolver, resolve

from accounts.routes import readable
from authproject.logs import REDACTED
from tests import live

# In all that is made up here, so that half of a secret is found too.
MARK = "xyzzy"
PASSWORD = f"right {MARK} password"
# The fields of all endpoints and all forms.
BODY = {
    **dict.fromkeys(("username", "name", "reason", "description"), f"{MARK}name"),
    **dict.fromkeys(("password", "currentPassword", "newPassword", "old_password"), PASSWORD),
    **dict.fromkeys(("password1", "password2", "new_password1", "new_password2"), PASSWORD),
    "email": f"{MARK}@example.com",
    "role": "moderator",
    "roles": ["user"],
}
MADE_UP = [
    {"authorization": f"Bearer {MARK}.{MARK}.{MARK}"},
    {"authorization": f"Basic {MARK}", "x-csrftoken": MARK, "referer": f"/{MARK}", "x-request-id": MARK * 3},
    {"x-access-token": MARK, "origin": f"https://{MARK}.example", "content-type": f"text/{MARK}"},
    {"cookie": "; ".join(f"{name}={MARK}" for name in ("access_token", "refresh_token", "sessionid", "csrftoken"))},
    {"host": MARK},
]


def paths(patterns: Any = None, prefix: str = "/") -> Iterator[str]:
    """Every route that there is, those of the admin too, with {name} for what varies."""
    for pattern in patterns or get_resolver().url_patterns:
        path = prefix + readable(str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from paths(pattern.url_patterns, path)


def address_of(path: str) -> str:
    """The path with values for its names. A new route may need one more example here."""
    for example in ("1", "00000000-0000-7000-8000-000000000000", "accounts"):
        with suppress(Resolver404):
            filled = filled_with(example, path)
            if "/" + readable(resolve(filled).route) == path:
                return filled
    raise LookupError(path)


def filled_with(value: str, path: str) -> str:
    return re.sub(r"\{\w+\}", value, path)


@dataclass
class Sweep:
    """Sends the secrets, and remembers those that the server made itself: tokens and cookies."""

    client: httpx.Client
    tokens: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=lambda: {MARK})
    statuses: set[int] = field(default_factory=set)

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        answer = self._answer(method, path, **request)
        self.statuses.add(answer.status_code)
        self.secrets.update(_cookies_of(answer).values())
        self.client.cookies.clear()
        return answer

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        """On a busy machine the answer, to which the body does not matter, may be there before the body is sent, and is
        lost with the connection: then it is asked for again."""
        for _ in range(10):
            with suppress(httpx.ReadError):
                return self.client.request(method, path, **request)
        return self.client.request(method, path, **request)

    def sign_in(self) -> None:
        """To the API and to the admin."""
        answer = self.send("POST", "/api/auth/signin", json=BODY).json()
        self.tokens = {name: answer[name] for name in ("accessToken", "refreshToken")}
        self.cookies = _cookies_of(self.send("GET", "/admin/login/"))
        self.cookies |= _cookies_of(self.send("POST", "/admin/login/", data=self.form, headers=self.as_admin))
        self.secrets.update(self.tokens.values())

    @property
    def form(self) -> dict[str, Any]:
        return {**BODY, "csrfmiddlewaretoken": self.cookies["csrftoken"]}

    @property
    def as_admin(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def is_signed_in(self) -> bool:
        api = self.send("GET", "/api/auth/me", headers={"x-access-token": self.tokens["accessToken"]})
        return (api.status_code, self.send("GET", "/admin/", headers=self.as_admin).status_code) == (200, 200)

    def in_each_way(self, path: str) -> None:
        query = {**self.tokens, "token": MARK, "password": PASSWORD, "search": MARK, "next": f"/{MARK}"}
        token = {"x-access-token": self.tokens["accessToken"]}
        bearer = {"authorization": f"Bearer {self.tokens['accessToken']}", "content-type": "application/json"}
        for method in ("GET", "POST", "PATCH", "DELETE"):
            self.send(method, path, params=query, headers=token, json={**BODY, **self.tokens})
            self.send(method, path, headers=bearer, content=json.dumps({**self.tokens, **BODY})[:-1])
        for headers in MADE_UP:
            self.send("POST", path, params=query, headers=headers, data=BODY)
        self.send("GET", path, params=query, headers=self.as_admin)
        self.send("POST", path, params=query, headers=self.as_admin, data=self.form)
        self.send("POST", path, headers=self.as_admin, data=self.form, files={MARK: (MARK, MARK)})

    def in_the_path(self, path: str) -> None:
        for secret in (MARK, PASSWORD, self.tokens["accessToken"]):
            self.send("GET", filled_with(secret, path), headers=self.as_admin)
            self.send("POST", f"{address_of(path)}/{secret}", headers=self.as_admin)


def _cookies_of(answer: httpx.Response) -> dict[str, str]:
    cookies = SimpleCookie("; ".join(answer.headers.get_list("set-cookie")))
    return {name: cookie.value for name, cookie in cookies.items() if cookie.value}


@dataclass
class Swept:
    output: str
    secrets: set[str]
    working: set[int]
    broken: set[int]


# Each once: the format of production on its database.
FORMAT = "json" if connection.vendor == "mysql" else "console"


@pytest.fixture(scope="module")
def swept(start_server: Callable[..., live.Server]) -> Swept:
    """What a server wrote that says as much as it can: as long as its database worked, and when that was broken."""
    server = start_server(LOG_FORMAT=FORMAT, LOG_LEVEL="DEBUG", TOKEN_DELIVERY="both", WORKERS="1", GUESS_RATE="off")
    server.manage("create_user", f"{MARK}name", f"{MARK}@example.com", "--role", "admin", stdin=PASSWORD)
    # A new connection for each request: after a body that it does not read to its end, the server closes.
    with server.client(limits=httpx.Limits(max_keepalive_connections=0)) as client:
        sweep = Sweep(client)
        sweep.sign_in()
        for path in paths():
            sweep.in_each_way(address_of(path))
            sweep.in_the_path(path)
            if not sweep.is_signed_in():
                sweep.sign_in()
        working, sweep.statuses = sweep.statuses, set()
        _break_the_database(server)
        for path in paths():
            sweep.in_each_way(address_of(path))
            sweep.in_the_path(path)
    # The lines of the last requests are written when it stops.
    server.process.terminate()
    server.process.wait(timeout=60)
    return Swept(server.log.read_text(), sweep.secrets, working, sweep.statuses)


def _break_the_database(server: live.Server) -> None:
    rename = "ALTER TABLE accounts_user RENAME TO accounts_gone"
    server.manage("shell", "-c", f"from django.db import connection; connection.cursor().execute('{rename}')")


def test_no_secret_is_in_the_output(swept: Swept) -> None:
    assert [secret for secret in swept.secrets if secret in swept.output] == []


def test_nothing_had_to_be_redacted(swept: Swept) -> None:
    """Else the test above has found the safety net, and not that nothing fell."""
    assert REDACTED not in swept.output


def test_the_secrets_came_everywhere(swept: Swept) -> None:
    assert swept.working >= {200, 201, 204, 302, 400, 401, 403, 404, 405, 409, 415}
    assert 500 not in swept.working
    assert 500 in swept.broken
    assert "Traceback" in swept.output
    routes = [readable(route) for route in re.findall(r'"?route"?[=:] ?"?([^" ]+)', swept.output)]
    assert {path.removeprefix("/") for path in paths()} - {""} <= set(routes)
