"""Who is there for an admin to see, and how the API shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rest_framework.test import APIClient

from accounts import services, sessions
from accounts.models import Actor, Role, User

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
TIME = "2030-05-01T12:00:00Z"
LATER, LATER_TEXT = NOW + timedelta(days=1), "2030-05-02T12:00:00Z"


def person(name: str, *roles: str) -> User:
    """Without the work of hashing a password."""
    found = Role.objects.filter(name__in=roles or ("user",))
    return User.objects.create_user(name, f"{name}@example.com", roles=found)


def crowd(size: int) -> list[User]:
    """Without roles, and made at once."""
    people = (User(username=f"user{number}", email=f"user{number}@example.com") for number in range(size))
    User.objects.bulk_create(people)
    # Read back, because MySQL does not tell the ids of what was made at once.
    return list(User.objects.order_by("-pk")[:size])[::-1]


def client_of(user: User) -> APIClient:
    pair = sessions.open(user=user, client=Actor(address="192.0.2.7", user_agent="Firefox"))[1]
    return APIClient(raise_request_exception=False, headers={"x-access-token": pair.access})


def grant(user: User, role: str, until: datetime | None = None, reason: str = "") -> None:
    services.grant_role(user=user, role_name=role, by=Actor(), reason=reason, expires_at=until)


def shown(user: User, **other: Any) -> dict[str, Any]:
    usual = {"active": True, "roles": ["user"], "createdAt": TIME, "updatedAt": TIME}
    return {"id": user.pk, "username": user.username, "email": user.email, **usual, **other}


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row.get("username") or row["name"] for row in response.json()["results"]]
