"""`python -m bench.scale_requests` on DATABASE_URL, filled by bench/scale_fill.py: what each kind of request asks of
the database. Prints JSON: for each request its statements, as bench/scale_rows.py saw them."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bench.api import PASSWORD
from bench.growth_fill import FIRST
from bench.scale_fill import HEAVY, RARE

# What follows is out of the promise, and docs/api.md says so.
SEARCHED, BY_NUMBER = "user list, searched in vain", "user list, a page in its midst by number"
ALL_SESSIONS, SEVERAL = "sessions list of one with very many", "audit list, several actions"
EXCEPTIONS = {SEARCHED, BY_NUMBER, ALL_SESSIONS, SEVERAL}
Body = dict[str, Any]


class Visitors:
    """Requests through Django's whole handling, in this process."""

    def __init__(self) -> None:
        from rest_framework.test import APIClient

        from accounts.models import User

        self.client = APIClient(SERVER_NAME="localhost", REMOTE_ADDR="192.0.2.1")
        self.midst = User.objects.order_by("-id").values_list("id", flat=True)[0] // 2
        self.tokens = {name: self.sign_in(name) for name in (FIRST, HEAVY, "person9")}

    def sign_in(self, name: str) -> Body:
        return self.post("/api/auth/signin", username=name, password=PASSWORD)

    def sign_up(self, name: str) -> None:
        self.post("/api/auth/signup", username=name, email=f"{name}@example.com", password=PASSWORD)

    def refresh(self, name: str) -> None:
        self.tokens[name] |= self.post("/api/auth/refreshtoken", refreshToken=self.tokens[name]["refreshToken"])

    def post(self, path: str, **body: str) -> Body:
        answer = self.client.post(path, body, format="json")
        assert answer.status_code == 200, (path, answer.content)
        return answer.json()

    def get(self, path: str, name: str = FIRST) -> Any:
        answer = self.client.get(path, headers={"x-access-token": self.tokens[name]["accessToken"]})
        assert answer.status_code == 200, (path, answer.content)
        return answer

    def end_all(self) -> None:
        path, token = f"/api/users/{self.tokens[HEAVY]['id']}/sessions", self.tokens[FIRST]["accessToken"]
        answer = self.client.delete(path, headers={"x-access-token": token})
        assert answer.status_code == 204, answer.content


def requests(visitors: Visitors) -> Iterator[tuple[str, Callable[[], Any]]]:
    """By their titles, in the order in which they are made."""
    yield "sign-in, for the first time here", lambda: visitors.sign_in("person8")
    yield "sign-in", lambda: visitors.sign_in("person8")
    yield "sign-in of one with very many sessions", lambda: visitors.sign_in(HEAVY)
    yield "sign-up", lambda: visitors.sign_up("somebody-new")
    yield "guarded request", lambda: visitors.get("/api/test/mod", "person9")
    yield "refresh, the first", lambda: visitors.refresh("person9")
    yield "refresh", lambda: visitors.refresh("person9")
    lists = {
        "user list": "/api/users",
        "user list, by next": f"/api/users?page=2&after={visitors.midst}",
        "user list, newest first": "/api/users?ordering=-createdAt",
        "user list, by name": "/api/users?ordering=username",
        "user list, inactive": "/api/users?active=false",
        "user list, of a common role": "/api/users?role=role3",
        "user list, of a rare role": f"/api/users?role={RARE}",
        "user list, of a rare role, by next": f"/api/users?role={RARE}&page=2&after={visitors.midst}",
        SEARCHED: "/api/users?search=nobody-is-called-so",
        BY_NUMBER: f"/api/users?page={visitors.midst // 20}",
        "one user": f"/api/users/{visitors.midst}",
        "sessions list of a user": f"/api/users/{visitors.midst}/sessions",
        ALL_SESSIONS: "/api/users/{}/sessions".format(visitors.tokens[HEAVY]["id"]),
        "audit list": "/api/audit",
        "audit list, of a busy actor": "/api/audit?actor={}".format(visitors.tokens[FIRST]["id"]),
        "audit list, of a subject": f"/api/audit?subject={visitors.midst}",
        "audit list, of a common action": "/api/audit?action=signed_in",
        "audit list, of a rare action": "/api/audit?action=role_deleted",
        "audit list, of commands": "/api/audit?via=command",
        SEVERAL: "/api/audit?action=role_granted&action=role_deleted",
    }
    for title, path in lists.items():
        yield title, lambda path=path: visitors.get(path)  # type: ignore[misc]
    yield "own sessions", lambda: visitors.get("/api/auth/sessions", "person9")
    yield "own sessions, of one with very many", lambda: visitors.get("/api/auth/sessions", HEAVY)
    yield "own export", lambda: visitors.get("/api/auth/me/export", "person9")
    yield "ending all sessions of one with very many", lambda: visitors.end_all()
    yield from chores()


def chores() -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is done beside requests, a batch of each."""
    from django.utils import timezone

    from accounts import sealing, sessions
    from accounts.counters import DatabaseStore

    yield "sweep of counts that have run out", lambda: DatabaseStore().sweep(timezone.now())
    yield "sealing a batch", lambda: sealing._seal_batch(sealing.BATCH)
    pruning = sessions.prune(before=timezone.now() - timedelta(days=30))
    yield "session prune, the first batch", lambda: next(pruning)
    yield "session prune, another batch", lambda: next(pruning)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "authproject.settings"
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from bench.scale_rows import watched

    found = []
    for title, request in requests(Visitors()):
        with watched() as asked:
            request()
        found.append({"request": title, "statements": [{**asdict(each), "excess": each.excess} for each in asked]})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
