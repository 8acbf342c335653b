"""Time tells nobody who has an account: each sign-in does the same work. bench/sign_in_times.py measures the time."""

from collections.abc import Callable
from typing import Any

import bcrypt
import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.hashers import Argon2idHasher
from accounts.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
CHEAP, COSTLY = 4, 7


class Work:
    """Counts the hashes that are made, and still makes them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.argon2, self.bcrypt = 0, 0
        self._hashpw = bcrypt.hashpw
        monkeypatch.setattr("bcrypt.hashpw", self._count_bcrypt)
        for name in ("encode", "verify"):
            monkeypatch.setattr(Argon2idHasher, name, self._counting_argon2(getattr(Argon2idHasher, name)))

    def _count_bcrypt(self, password: bytes, salt: bytes) -> bytes:
        self.bcrypt += 2 ** int(salt[4:6])
        return self._hashpw(password, salt)

    def _counting_argon2(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any) -> Any:
            self.argon2 += 1
            return method(*arguments)

        return count


@pytest.fixture
def people(make_user: Callable[..., User]) -> Callable[..., None]:
    """One of each kind, named for it; those with old hashes only if asked for."""

    def make(*, with_old: bool) -> None:
        for kind in KINDS - OLD if not with_old else KINDS:
            user = make_user(kind, is_active="inactive" not in kind)
            if (encoded := HASHES.get(kind)) is not None:
                User.objects.filter(pk=user.pk).update(password=encoded)

    return make


def old(cost: int) -> str:
    return "bcrypt$" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(cost, b"2a")).decode()


HASHES = {
    "cheap": old(CHEAP),
    "costly": old(COSTLY),
    "inactive_cheap": old(CHEAP),
    "inactive_costly": old(COSTLY),
    "unreadable": "bcrypt$junk",
    "too_costly": old(CHEAP).replace("$04$", "$31$"),
    "without_password": make_password(None),
    "foreign": "md4$x$y",
}
OLD = {kind for kind, encoded in HASHES.items() if encoded.startswith("bcrypt")}
KINDS = {"known", "inactive", *HASHES}
ASKED_FOR = sorted((kind, word) for kind in {*KINDS, "unknown"} for word in (PASSWORD, "wrong"))


def work_of(monkeypatch: pytest.MonkeyPatch, sign_in: Callable[[], Any]) -> tuple[int, int]:
    """How many Argon2id hashes, and how many rounds of bcrypt."""
    with monkeypatch.context() as watched:
        work = Work(watched)
        sign_in()
    return work.argon2, work.bcrypt


@pytest.mark.parametrize(("kind", "password"), ASKED_FOR)
def test_while_there_are_old_hashes_both_kinds_of_work_are_done(
    api: APIClient, people: Callable[..., None], monkeypatch: pytest.MonkeyPatch, kind: str, password: str
) -> None:
    people(with_old=True)
    body = {"username": kind, "password": password}
    assert work_of(monkeypatch, lambda: api.post("/api/auth/signin", body)) == (1, 2**COSTLY)


@pytest.mark.parametrize(("kind", "password"), [(kind, word) for kind, word in ASKED_FOR if kind not in OLD])
def test_where_there_are_none_one_argon2id_hash_is_made(
    api: APIClient, people: Callable[..., None], monkeypatch: pytest.MonkeyPatch, kind: str, password: str
) -> None:
    people(with_old=False)
    body = {"username": kind, "password": password}
    assert work_of(monkeypatch, lambda: api.post("/api/auth/signin", body)) == (1, 0)


@pytest.mark.parametrize("kind", ["known", "unknown", "inactive", "cheap", "costly"])
def test_the_sign_in_to_the_admin_does_the_same_work(
    client: Client, people: Callable[..., None], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    people(with_old=True)
    form = {"username": kind, "password": "wrong"}
    assert work_of(monkeypatch, lambda: client.post("/admin/login/", form)) == (1, 2**COSTLY)


def test_as_the_old_hashes_are_upgraded_the_work_shrinks(
    api: APIClient, people: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    people(with_old=True)
    User.objects.filter(is_active=False).delete()
    seen, nobody = [], {"username": "unknown", "password": PASSWORD}
    for kind in ("costly", "cheap"):
        api.post("/api/auth/signin", {"username": kind, "password": PASSWORD})
        seen.append(work_of(monkeypatch, lambda: api.post("/api/auth/signin", nobody)))
    assert seen == [(1, 2**CHEAP), (1, 0)]


def test_a_name_that_is_told_to_be_unknown_needs_no_work(
    api: APIClient, people: Callable[..., None], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.REVEAL_UNKNOWN_USERNAME = True
    people(with_old=True)
    body = {"username": "unknown", "password": PASSWORD}
    assert work_of(monkeypatch, lambda: api.post("/api/auth/signin", body)) == (0, 0)


@pytest.mark.parametrize("with_old", [False, True])
def test_whoever_is_refused_gets_the_same_answer(api: APIClient, people: Callable[..., None], with_old: bool) -> None:
    people(with_old=with_old)
    answers = set()
    for kind in {*KINDS, "unknown"}:
        response = api.post("/api/auth/signin", {"username": kind, "password": "wrong"})
        answers.add((response.status_code, response.content, tuple(response.headers)))
    assert len(answers) == 1
