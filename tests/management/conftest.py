"""An admin who is signed in, at a moment that stands still."""

from collections.abc import Iterator

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Role, User
from tests.management.people import NOW, client_of, person


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def boss() -> User:
    return person("boss", "admin")


@pytest.fixture
def api(boss: User) -> APIClient:
    """Signed in as the admin."""
    client = client_of(boss)
    client.default_format = "json"
    return client


@pytest.fixture
def editor() -> Role:
    return Role.objects.create(name="editor", description="Edits.")
