"""What the tests of the trail look at, and with."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db.models import Q
from rest_framework.test import APIClient

from accounts import sealing
from accounts.models import Action, Actor, AuditEntry, User
from tests.conftest import PASSWORD

MakeUser = Callable[..., User]
OPERATOR = Actor()
record = AuditEntry.objects.record


def the(action: Action) -> AuditEntry:
    """The one entry of that action, but for the role that root was made with."""
    made = Q(
        action=Action.ROLE_GRANTED, via="command", subject_id__in=User.objects.filter(username="root").values("pk")
    )
    return AuditEntry.objects.exclude(made).get(action=action)


def detail(action: Action) -> dict[str, Any]:
    return json.loads(the(action).detail)


def findings(exported: tuple[int, str] | None = None) -> list[str]:
    return [str(finding) for finding in sealing.verify(exported)]


def signed_in(client: APIClient, user: User) -> APIClient:
    body = {"username": user.username, "password": PASSWORD}
    client.credentials(HTTP_X_ACCESS_TOKEN=client.post("/api/auth/signin", body).json()["accessToken"])
    return client


def exported() -> tuple[int, str]:
    return sealing.read_exported(sealing.export_newest())


def entries_of(number: int) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(seal_id=number).order_by("id"))


def copy(entry: AuditEntry, **changes: Any) -> AuditEntry:
    values = {field.attname: getattr(entry, field.attname) for field in AuditEntry._meta.fields}
    return AuditEntry.objects.create(**{**values, "id": "00000000-0000-7000-8000-000000000000", **changes})


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue().strip()
