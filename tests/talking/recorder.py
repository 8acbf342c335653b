"""Talks with the server and keeps what was said, without what differs from one time to the next."""

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from rest_framework.test import APIClient

from accounts.models import Role, User
from accounts.testing import PASSWORD
from authproject import schema

Json = dict[str, Any]
BROWSER: Json = {
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "REMOTE_ADDR": "203.0.113.7",
    "HTTP_HOST": "localhost:8080",
}
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
USERS = ("id", "actor", "subject", "grantedBy")


def client(**more: Any) -> APIClient:
    """That of a browser, which has not signed in."""
    client = APIClient(raise_request_exception=False, **BROWSER, **more)
    client.default_format = "json"
    return client


class Recorder:
    """`say` asks for an operation by its id, and keeps question and answer."""

    def __init__(self, clock: Any) -> None:
        self.said: list[Json] = []
        self._clock = clock
        self._users: dict[int, int] = {}
        self._roles: dict[int, int] = {}
        self._calls = {
            operation["operationId"]: (method, path)
            for path, operations in schema.generate()["paths"].items()
            for method, operation in operations.items()
        }

    def know(self, username: str) -> int:
        """The id of a user, whom the examples give the next number."""
        pk = User.objects.get(username=username).pk
        return self._users.setdefault(pk, len(self._users) + 1) and pk

    def number_roles(self) -> None:
        """They keep their numbers, also those that are gone in the end."""
        self._roles = {role.pk: number for number, role in enumerate(Role.objects.order_by("id"), 1)}

    def wait(self, **time: int) -> None:
        self._clock.shift(timedelta(**time))

    def sign_in(self, username: str, password: str = PASSWORD) -> APIClient:
        """A client that sends that user's token."""
        self._clock.shift(1)
        answer = client().post("/api/auth/signin", {"username": username, "password": password})
        return client(HTTP_X_ACCESS_TOKEN=answer.json()["accessToken"])

    def say(self, operation: str, says: str, by: APIClient | None = None, body: Any = None, **more: Any) -> Any:
        """The answer's body. `more` is what stands in the path, and besides:

        `query`; `tokens`, by which TOKEN_DELIVERY it is so; `where`, which makes the answer an example for all
        operations of that kind, and not for this one; `sent`, what the test client takes on top; `only`, the fields
        of the answer that are kept."""
        self._clock.shift(1)
        about = {name: more.pop(name, "") for name in ("where", "tokens", "query")}
        only = more.pop("only", ())
        sent = {**({} if body is None else {"data": body}), **more.pop("sent", {})}
        method, path = self._calls[operation]
        asked = {"operation": operation, "path": more, "query": about.pop("query"), "request": body}
        answer = getattr(by or client(), method)(f"{path.format(**more)}?{urlencode(asked['query'])}", **sent)
        step = {**({} if about["where"] else asked), **about, "says": says}
        step = {name: value for name, value in step.items() if value}
        self.said.append({**step, "status": answer.status_code, "answer": _body_of(answer, only)})
        return answer.json() if _is_json(answer) else None

    def kept(self) -> list[Json]:
        """All that was said, with tokens cut short, and ids as in a new database."""
        text = _without_chance(json.dumps(self.said, ensure_ascii=False))
        return [
            _numbered(step, self._roles if step.get("operation", "").startswith("role") else self._users)
            for step in json.loads(text)
        ]


def _is_json(answer: Any) -> bool:
    return "json" in answer.get("Content-Type", "")


def _body_of(answer: Any, only: Any) -> Any:
    """Of a text, its first lines."""
    if not _is_json(answer):
        return "\n".join(answer.content.decode().splitlines()[:12])
    body = answer.json()
    return {name: body[name] for name in only} if only else body


def _without_chance(text: str) -> str:
    seen: dict[str, str] = {}
    text = TOKEN.sub("eyJ…", text)
    return UUID.sub(lambda id: seen.setdefault(id[0], f"019c1000-0000-7000-8000-{len(seen) + 1:012}"), text)


def _numbered(value: Any, numbers: dict[int, int], field: str = "") -> Any:
    """With the ids of users, or of roles, by their number."""
    if isinstance(value, dict):
        return {name: _numbered(inner, numbers, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_numbered(inner, numbers, field) for inner in value]
    if isinstance(value, str):
        return re.sub(r"(?<=after=)\d+", lambda id: str(numbers.get(int(id[0]), id[0])), value)
    return numbers.get(value, value) if field in USERS and type(value) is int else value
