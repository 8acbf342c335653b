"""GET /api/test/…: who may see what, and what the others are told."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import HasRole

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
SignedInAs = Callable[..., APIClient]

TEXTS = {
    "all": "Public Content.",
    "user": "User Content.",
    "mod": "Moderator Content.",
    "admin": "Admin Content.",
}
REFUSALS = {"mod": "Require Moderator Role!", "admin": "Require Admin Role!"}
MAY_SEE = {
    (): {"all", "user"},
    ("user",): {"all", "user"},
    ("moderator",): {"all", "user", "mod"},
    ("admin",): {"all", "user", "admin"},
    ("user", "moderator", "admin"): {"all", "user", "mod", "admin"},
}


@pytest.mark.parametrize("board", TEXTS)
@pytest.mark.parametrize("roles", MAY_SEE)
def test_the_roles_decide_who_sees_a_board(
    make_user: MakeUser, signed_in_as: SignedInAs, roles: tuple[str, ...], board: str
) -> None:
    client = signed_in_as(*roles)
    if not roles:
        User.objects.get_by_natural_key("holds").roles.clear()
    response = client.get(f"/api/test/{board}")
    if board in MAY_SEE[roles]:
        assert (response.status_code, response.content.decode()) == (200, TEXTS[board])
        assert response["Content-Type"] == "text/plain; charset=utf-8"
    else:
        assert (response.status_code, response.json()) == (403, {"message": REFUSALS[board]})


@pytest.mark.parametrize("board", ["user", "mod", "admin"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-access-token": ""},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic YWxpY2U6c2VjcmV0"},
        {"x-access-token": " ", "authorization": "Token abc"},
    ],
)
def test_without_a_token_a_board_is_forbidden(api: APIClient, board: str, headers: dict[str, str]) -> None:
    response = api.get(f"/api/test/{board}", headers=headers)
    assert (response.status_code, response.json()) == (403, {"message": "No token provided!"})
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("board", ["user", "mod", "admin"])
@pytest.mark.parametrize("headers", [{"x-access-token": "a.b.c"}, {"authorization": "bearer nonsense"}])
def test_with_a_bad_token_a_board_is_unauthorized(api: APIClient, board: str, headers: dict[str, str]) -> None:
    response = api.get(f"/api/test/{board}", headers=headers)
    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized!"})
    assert response["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("board", ["user", "mod", "admin"])
def test_with_an_expired_token_a_board_says_so(signed_in_as: SignedInAs, board: str) -> None:
    with time_machine.travel(0, tick=False) as clock:
        client = signed_in_as("user", "moderator", "admin")
        clock.shift(3599)
        assert client.get(f"/api/test/{board}").status_code == 200
        clock.shift(1)
        response = client.get(f"/api/test/{board}")
    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized! Access Token was expired!"})


@pytest.mark.parametrize("token", ["", "a.b.c"])
def test_the_public_board_asks_nothing_of_anyone(api: APIClient, token: str) -> None:
    response = api.get("/api/test/all", headers={"x-access-token": token})
    assert (response.status_code, response.content) == (200, b"Public Content.")


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml;q=0.9", "nonsense"])
def test_what_a_client_accepts_changes_nothing(api: APIClient, accept: str) -> None:
    assert api.get("/api/test/all", headers={"accept": accept}).content == b"Public Content."


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-access-token": "GOOD", "authorization": "Bearer bad"}, 200),
        ({"x-access-token": "bad", "authorization": "Bearer GOOD"}, 401),
        ({"x-access-token": "", "authorization": "Bearer GOOD"}, 200),
        ({"authorization": "bEARER GOOD", "cookie": "access_token=bad"}, 200),
        ({"authorization": "Bearer bad", "cookie": "access_token=GOOD"}, 401),
        ({"authorization": "Basic abc", "cookie": "access_token=GOOD"}, 200),
        ({"cookie": "access_token=GOOD"}, 200),
        ({"cookie": "access_token=bad"}, 401),
        ({"cookie": "access_token="}, 403),
    ],
)
def test_the_first_place_that_holds_a_token_decides(
    api: APIClient,
    make_user: MakeUser,
    sign_in: Callable[..., dict[str, str]],
    headers: dict[str, str],
    status: int,
) -> None:
    make_user()
    good = sign_in()["accessToken"]
    sent = {name: value.replace("GOOD", good) for name, value in headers.items()}
    assert api.get("/api/test/user", headers=sent).status_code == status


def test_a_role_that_is_taken_away_is_gone_at_the_next_request(signed_in_as: SignedInAs) -> None:
    client = signed_in_as("moderator")
    User.objects.get().roles.clear()
    assert client.get("/api/test/mod").status_code == 403


def test_a_role_that_is_given_counts_at_the_next_request(signed_in_as: SignedInAs) -> None:
    client = signed_in_as("moderator")
    User.objects.get().grants.create(role_id=3)
    assert client.get("/api/test/admin").status_code == 200


@pytest.mark.parametrize("board", ["user", "mod", "admin"])
@pytest.mark.parametrize("ending", ["removed", "deactivated", "session removed"])
def test_the_token_of_whoever_is_gone_is_refused_at_once(signed_in_as: SignedInAs, board: str, ending: str) -> None:
    client = signed_in_as("user", "moderator", "admin")
    user = User.objects.get()
    if ending == "removed":
        user.delete()
    elif ending == "deactivated":
        User.objects.update(is_active=False)
    else:
        user.sessions.all().delete()
    response = client.get(f"/api/test/{board}")
    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized!"})


def test_has_role_asks_for_a_name() -> None:
    with pytest.raises(TypeError, match="HasRole needs the names of roles"):
        HasRole()


def lets_in(permission: Callable[[], Any], user: Any) -> bool:
    request = Request(APIRequestFactory().get("/"))
    request.user = user
    return permission().has_permission(request, APIView())


def test_has_role_takes_any_of_several_names(make_user: MakeUser) -> None:
    wanted = HasRole("moderator", "admin")
    assert lets_in(wanted, make_user("alice", "admin"))
    assert not lets_in(wanted, make_user("bob", "user"))
    assert wanted.message == "Require Moderator or Admin Role!"


def test_has_role_combines_with_other_permissions(make_user: MakeUser) -> None:
    admin = make_user("alice", "admin")
    assert not lets_in(permissions.IsAuthenticated & HasRole("moderator"), admin)
    assert lets_in(HasRole("moderator") | HasRole("admin"), admin)


@pytest.mark.parametrize("user", [AnonymousUser(), object()])
def test_has_role_lets_nobody_in_who_holds_none(user: object) -> None:
    assert not lets_in(HasRole("moderator"), user)
