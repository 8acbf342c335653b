"""A longer page takes no more queries."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import services
from accounts.models import Actor, User
from tests.management.people import client_of, person

pytestmark = pytest.mark.django_db


def queries(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert call().status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "path", ["users", "users?role=user", "roles", "users/{id}/roles", "users/{id}/sessions", "audit"]
)
def test_a_longer_page_takes_no_more_queries(api: APIClient, boss: User, path: str) -> None:
    def more(start: int, end: int) -> None:
        for number in range(start, end):
            services.create_role(name=f"role{number}", by=Actor(boss.pk))
            services.grant_role(user=boss, role_name=f"role{number}", by=Actor(boss.pk))
            services.grant_role(user=person(f"user{number}"), role_name=f"role{number}", by=Actor(boss.pk))
            client_of(boss)

    url = f"/api/{path.format(id=boss.pk)}"
    more(0, 2)
    few = queries(lambda: api.get(url))
    more(2, 15)
    assert queries(lambda: api.get(url)) == few
