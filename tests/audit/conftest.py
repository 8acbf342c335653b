"""Who acts in the tests of the trail, and trails that were sealed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import sealing
from accounts.models import Action, Actor, AuditEntry, AuditSeal, User
from tests.audit.trail import OPERATOR, MakeUser, record, signed_in


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> None:
    """Each test is undone at its end, but for those that ask to be committed."""
    if "committed" not in request.fixturenames:
        request.getfixturevalue("db")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """For threads that have to see each other's work."""
    with django_db_blocker.unblock():
        yield
        AuditEntry.objects.all().delete()
        AuditSeal.objects.all().delete()
        connection.close()


@pytest.fixture
def phone() -> APIClient:
    """A client whose address and device are known."""
    client = APIClient(REMOTE_ADDR="192.0.2.1", headers={"user-agent": "Phone/1"})
    client.default_format = "json"
    return client


@pytest.fixture
def alice(make_user: MakeUser) -> User:
    return make_user("alice")


@pytest.fixture
def root(make_user: MakeUser) -> User:
    return make_user("root", "admin")


@pytest.fixture
def managing(phone: APIClient, root: User) -> APIClient:
    """`phone`, with root signed in."""
    return signed_in(phone, root)


@pytest.fixture
def pages(root: User) -> Client:
    """A browser in the Django admin, with root signed in."""
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def sealed() -> list[AuditEntry]:
    """Six entries in three seals, and a seventh that is not sealed."""
    entries = [record(Action.SIGNED_IN, by=Actor(user_id=n, via="api"), subject_id=n) for n in range(1, 7)]
    sealing.seal(batch=2)
    entries.append(record(Action.SIGNED_OUT, by=OPERATOR))
    return list(AuditEntry.objects.order_by("id"))


@pytest.fixture
def aged(sealed: list[AuditEntry], monkeypatch: pytest.MonkeyPatch) -> list[AuditEntry]:
    """The entries of `sealed`, a year later."""
    later = timezone.now() + timedelta(days=365)
    monkeypatch.setattr(timezone, "now", lambda: later)
    return sealed
