"""/api/users/{id}: what an admin makes and changes of somebody."""

from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import User
from tests.conftest import PASSWORD
from tests.management.people import client_of, person, shown

pytestmark = pytest.mark.django_db


CAROL = {"username": "carol", "email": "carol@example.com", "password": PASSWORD}


@pytest.mark.parametrize("roles", [[], ["moderator"], ["user", "moderator", "admin"]])
def test_one_can_be_made_with_any_role(api: APIClient, boss: User, roles: list[str]) -> None:
    response = api.post("/api/users", {**CAROL, "roles": roles})
    carol = User.objects.get_by_natural_key("carol")
    assert (response.status_code, response.json()) == (201, shown(carol, roles=roles or ["user"]))
    assert {given.granted_by for given in carol.grants.all()} == {boss}


def test_who_is_made_can_sign_in(api: APIClient) -> None:
    api.post("/api/users", CAROL)
    body = {"username": "carol", "password": PASSWORD}
    assert APIClient().post("/api/auth/signin", body, format="json").status_code == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"username": "BOSS"}, "Failed! Username is already in use!"),
        ({"email": "Boss@Example.com"}, "Failed! Email is already in use!"),
        ({"username": "ab"}, "Username must have 3 to 150 characters."),
        ({"username": "a b c"}, "Username may hold only letters, digits and @.+-_"),
        ({"email": "carol"}, "Email is not a valid address."),
        ({"password": "short"}, "This password is too short. It must contain at least 8 characters."),
        ({"password": "password"}, "This password is too common."),
        ({"roles": ["boss"]}, "Failed! Role does not exist = boss"),
        ({"roles": "admin"}, "roles: Must be a list of names."),
        ({"roles": None}, "roles: This field may not be null."),
        ({"username": None}, "username: This field may not be null."),
        ({"username": 12345}, "username: Must be a text."),
    ],
)
def test_who_is_made_has_to_follow_the_rules_of_sign_up(api: APIClient, change: dict[str, Any], message: str) -> None:
    response = api.post("/api/users", {**CAROL, **change})
    assert (response.status_code, response.json()["message"]) == (400, message)
    assert not User.objects.filter(username="carol").exists()


def test_a_username_and_an_email_can_be_changed(api: APIClient, clock: time_machine.Traveller) -> None:
    alice = person("alice")
    clock.shift(60)
    response = api.patch(f"/api/users/{alice.pk}", {"username": "alina", "email": "alina@example.com"})
    after = shown(User.objects.get(pk=alice.pk), updatedAt="2030-05-01T12:01:00Z")
    assert (response.status_code, response.json()) == (200, after)
    assert (after["username"], after["email"]) == ("alina", "alina@example.com")


def test_a_change_of_nothing_changes_nothing(api: APIClient) -> None:
    alice = person("alice")
    response = api.patch(f"/api/users/{alice.pk}", {})
    assert (response.status_code, response.json()) == (200, shown(alice))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"username": "Boss"}, "Failed! Username is already in use!"),
        ({"email": "BOSS@example.com"}, "Failed! Email is already in use!"),
        ({"email": "nowhere"}, "Email is not a valid address."),
        ({"active": None}, "active: This field may not be null."),
        ({"active": "maybe"}, "active: Must be a valid boolean."),
        ({"active": "false"}, "active: Must be a valid boolean."),
        ({"active": False, "username": "Boss"}, "Failed! Username is already in use!"),
        ({"username": "renamed", "email": "boss@example.com", "active": False}, "Failed! Email is already in use!"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(api: APIClient, body: dict[str, Any], message: str) -> None:
    alice = person("alice")
    response = api.patch(f"/api/users/{alice.pk}", body)
    assert (response.status_code, response.json()["message"]) == (400, message)
    assert api.get(f"/api/users/{alice.pk}").json() == shown(alice)


@pytest.mark.parametrize(("method", "body", "status"), [("delete", None, 204), ("patch", {"active": False}, 200)])
def test_one_can_be_deactivated_and_activated_again(
    api: APIClient, method: str, body: dict[str, Any] | None, status: int
) -> None:
    alice = person("alice", "moderator")
    assert getattr(api, method)(f"/api/users/{alice.pk}", body).status_code == status
    assert api.get(f"/api/users/{alice.pk}").json() == shown(alice, active=False, roles=["moderator"])
    response = api.patch(f"/api/users/{alice.pk}", {"active": True})
    assert (response.status_code, response.json()) == (200, shown(alice, roles=["moderator"]))
    assert client_of(User.objects.get(pk=alice.pk)).get("/api/test/mod").status_code == 200


def test_a_form_that_does_not_mention_a_flag_leaves_it(api: APIClient) -> None:
    alice = person("alice")
    form = "application/x-www-form-urlencoded"
    response = api.patch(f"/api/users/{alice.pk}", "email=new%40example.com", content_type=form)
    assert (response.json()["email"], response.json()["active"]) == ("new@example.com", True)


@pytest.mark.parametrize(("word", "active"), [("true", True), ("false", False)])
def test_a_form_says_a_flag_in_words(api: APIClient, word: str, active: bool) -> None:
    alice = person("alice")
    form = "application/x-www-form-urlencoded"
    response = api.patch(f"/api/users/{alice.pk}", f"active={word}", content_type=form)
    assert response.json()["active"] is active


def test_no_cache_may_keep_what_is_said_of_people(api: APIClient) -> None:
    assert api.get("/api/users")["Cache-Control"] == "no-store"


def test_who_is_deactivated_is_shut_out_at_once(api: APIClient) -> None:
    alice = person("alice")
    client = client_of(alice)
    api.delete(f"/api/users/{alice.pk}")
    assert client.get("/api/test/user").status_code == 401


@pytest.mark.parametrize("path", ["/api/users", "/api/users/{id}", "/api/roles", "/api/roles/1"])
def test_nothing_can_be_put(api: APIClient, boss: User, path: str) -> None:
    response = api.put(path.format(id=boss.pk), CAROL)
    assert (response.status_code, response.json()) == (405, {"message": 'Method "PUT" not allowed.'})
