"""How many queries each endpoint needs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]


def queries(call: Callable[[], Any]) -> list[str]:
    """What is asked of the database, without the brackets of transactions."""
    with CaptureQueriesContext(connection) as captured:
        call()
    statements = [query["sql"] for query in captured.captured_queries]
    return [statement.split()[0] for statement in statements if "SAVEPOINT" not in statement]


@pytest.mark.parametrize("board", ["user", "mod", "admin"])
def test_a_guarded_request_asks_once(signed_in_as: Callable[..., APIClient], board: str) -> None:
    client = signed_in_as("user", "moderator", "admin")
    assert queries(lambda: client.get(f"/api/test/{board}")) == ["SELECT"]


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/api/test/all"])
def test_a_public_page_asks_nothing(api: APIClient, path: str) -> None:
    assert queries(lambda: api.get(path)) == []


def test_a_request_to_the_api_looks_for_no_session_of_the_admin(api: APIClient, make_user: MakeUser) -> None:
    make_user("alice", "admin")
    assert api.post("/admin/login/", {"username": "alice", "password": PASSWORD}, format="multipart").status_code == 302
    assert queries(lambda: api.get("/api/test/all")) == []
    assert api.get("/api/users").status_code == 403


@pytest.mark.parametrize("path", ["/api/test/user", "/api/test/mod", "/api/test/admin"])
@pytest.mark.parametrize("token", ["", "a.b.c"])
def test_a_request_without_a_genuine_token_asks_nothing(api: APIClient, path: str, token: str) -> None:
    assert queries(lambda: api.get(path, headers={"x-access-token": token})) == []


def test_sign_in_where_one_has_been_before_counts_reads_the_account_and_writes_session_and_entry(
    api: APIClient, make_user: MakeUser, sign_in: Callable[..., dict[str, Any]]
) -> None:
    make_user("alice", "user", "moderator")
    sign_in()
    body = {"username": "alice", "password": PASSWORD}
    # What it must wait for is read, and counted from there.
    counted, account, old_hashes, taken_back = ["SELECT", "UPDATE"], ["SELECT"], ["SELECT"], ["UPDATE"]
    session, entry, surplus = ["INSERT"], ["INSERT"], ["SELECT"]
    made = queries(lambda: api.post("/api/auth/signin", body))
    assert made == counted + account + old_hashes + session + entry + taken_back + surplus


@pytest.mark.parametrize("username", ["alice", "nobody"])
def test_a_refused_sign_in_is_counted_for_pair_address_and_account_and_leaves_an_entry(
    api: APIClient, make_user: MakeUser, username: str
) -> None:
    make_user()
    body = {"username": username, "password": "wrong"}
    familiar, counted = ["SELECT"], ["SELECT", "INSERT", "INSERT", "INSERT"]
    account, old_hashes, entry = ["SELECT"], ["SELECT"], ["INSERT"]
    made = queries(lambda: api.post("/api/auth/signin", body))
    waiting = ["SELECT"]
    assert made == waiting + familiar + counted + account + old_hashes + entry


def test_who_has_to_wait_costs_the_look_at_the_count(
    api: APIClient, make_user: MakeUser, sign_in: Callable[..., dict[str, Any]]
) -> None:
    make_user()
    sign_in()
    body = {"username": "alice", "password": "wrong"}
    assert [api.post("/api/auth/signin", body).status_code for _ in range(11)][-1] == 429
    assert queries(lambda: api.post("/api/auth/signin", body)) == ["SELECT"]


def test_sign_up_looks_for_the_names_and_the_role_and_writes_account_grant_and_entry(api: APIClient) -> None:
    body = {"username": "bob", "email": "bob@example.com", "password": PASSWORD}
    made = queries(lambda: api.post("/api/auth/signup", body))
    counted = ["SELECT", "INSERT"]
    assert made == [*counted, "SELECT", "SELECT", "INSERT", "INSERT", "INSERT"]


def test_the_first_use_of_a_successor_reads_once_and_writes_once(
    api: APIClient, make_user: MakeUser, sign_in: Callable[..., dict[str, Any]]
) -> None:
    make_user()
    body = {"refreshToken": sign_in()["refreshToken"]}
    successor = {"refreshToken": api.post("/api/auth/refreshtoken", body).json()["refreshToken"]}
    assert queries(lambda: api.post("/api/auth/refreshtoken", successor)) == ["SELECT", "UPDATE"]


def test_the_current_refresh_token_again_reads_once_and_is_counted_once(
    api: APIClient, make_user: MakeUser, sign_in: Callable[..., dict[str, Any]]
) -> None:
    make_user()
    body = {"refreshToken": sign_in()["refreshToken"]}
    assert queries(lambda: api.post("/api/auth/refreshtoken", body)) == ["SELECT", "UPDATE"]


def test_a_refresh_that_has_to_wait_reads_once(
    api: APIClient, make_user: MakeUser, sign_in: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    settings.REFRESH_RATE = (1, 3600)
    make_user()
    body = {"refreshToken": sign_in()["refreshToken"]}
    assert api.post("/api/auth/refreshtoken", body).status_code == 200
    assert queries(lambda: api.post("/api/auth/refreshtoken", body)) == ["SELECT"]


def test_where_refreshes_have_no_limit_the_current_token_again_reads_once(
    api: APIClient, make_user: MakeUser, sign_in: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    settings.REFRESH_RATE = None
    make_user()
    body = {"refreshToken": sign_in()["refreshToken"]}
    assert queries(lambda: api.post("/api/auth/refreshtoken", body)) == ["SELECT"]


def test_the_list_of_users_asks_once_each_for_users_roles_and_number_and_for_no_password(
    signed_in_as: Callable[..., APIClient],
) -> None:
    client = signed_in_as("admin")
    with CaptureQueriesContext(connection) as captured:
        client.get("/api/users")
    caller, *listed = (query["sql"] for query in captured.captured_queries)
    assert [statement.split()[0] for statement in (caller, *listed)] == ["SELECT"] * 4
    assert not any("password" in statement for statement in listed)


def test_sign_out_ends_the_session_and_leaves_an_entry(signed_in_as: Callable[..., APIClient]) -> None:
    client = signed_in_as("user")
    assert queries(lambda: client.post("/api/auth/signout")) == ["UPDATE", "INSERT"]


def test_signing_out_without_being_signed_in_asks_nothing(api: APIClient) -> None:
    assert queries(lambda: api.post("/api/auth/signout")) == []


@pytest.mark.parametrize(
    ("path", "asked"),
    [("me", 1), ("sessions", 2), ("me/export", 4)],
)
def test_what_one_reads_of_ones_own_account_takes_few_queries(
    signed_in_as: Callable[..., APIClient], sign_in: Callable[..., dict[str, Any]], path: str, asked: int
) -> None:
    client = signed_in_as("user", "moderator")
    for _ in range(5):
        sign_in("holds_user_moderator")
    assert queries(lambda: client.get(f"/api/auth/{path}")) == ["SELECT"] * asked
