"""A pytest plugin for the tests of what you guard: users, and clients that are signed in as them.

The conftest.py at the root loads it. The server does not, and does not need pytest.
"""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Actor, User
from accounts.services import create_user

PASSWORD = "correct horse battery"
SignedInAs = Callable[..., APIClient]


@pytest.fixture
def api() -> APIClient:
    """A client that speaks JSON and, like a browser's fetch, sees a 500 as an answer."""
    client = APIClient(raise_request_exception=False)
    client.default_format = "json"
    return client


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """`make_user("alice", "moderator")` is a new user with those roles, or with `user`; the password is PASSWORD."""

    def make_user(username: str = "alice", *roles: str, is_active: bool = True) -> User:
        user = create_user(
            username=username, email=f"{username}@example.com", password=PASSWORD, roles=roles, by=Actor()
        )
        if not is_active:
            User.objects.filter(pk=user.pk).update(is_active=False)
        return user

    return make_user


@pytest.fixture
def sign_in(api: APIClient) -> Callable[..., dict[str, Any]]:
    """Signs a user in over the API; gives the answer's body."""

    def sign_in(username: str = "alice", password: str = PASSWORD) -> dict[str, Any]:
        response = api.post("/api/auth/signin", {"username": username, "password": password})
        assert response.status_code == 200, response.content
        return response.json()

    return sign_in


@pytest.fixture
def signed_in_as(make_user: Callable[..., User], sign_in: Callable[..., dict[str, Any]]) -> SignedInAs:
    """`signed_in_as("moderator")` is a client that sends the access token of a new user with those roles; a second
    one with the same roles needs a name: `signed_in_as("moderator", username="bob")`."""

    def signed_in_as(*roles: str, username: str = "") -> APIClient:
        username = username or "_".join(("holds", *roles))
        make_user(username, *roles)
        client = APIClient(headers={"x-access-token": sign_in(username)["accessToken"]})
        client.default_format = "json"
        return client

    return signed_in_as
