"""/api/users/{id}/roles and /api/users/{id}/sessions: what somebody holds, and where they are signed in."""

from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts import services, sessions
from accounts.models import Actor, RoleGrant, User
from tests.management.people import LATER, LATER_TEXT, TIME, client_of, person

pytestmark = pytest.mark.django_db


def grant_shown(role: str, **other: Any) -> dict[str, Any]:
    usual = {"grantedAt": TIME, "grantedBy": None, "reason": "", "expiresAt": None, "live": True}
    return {"role": role, **usual, **other}


def test_the_roles_of_one_are_listed_with_who_when_why_and_until(
    api: APIClient, boss: User, clock: time_machine.Traveller
) -> None:
    alice = person("alice")
    services.grant_role(user=alice, role_name="moderator", by=Actor(boss.pk), reason="Covers for Bob", expires_at=LATER)
    given = grant_shown("moderator", grantedBy=boss.pk, reason="Covers for Bob", expiresAt=LATER_TEXT)
    body = {"count": 2, "next": None, "previous": None, "results": [grant_shown("user"), given]}
    assert api.get(f"/api/users/{alice.pk}/roles").json() == body
    clock.move_to(LATER)
    later = client_of(boss).get(f"/api/users/{alice.pk}/roles").json()
    assert later["results"] == [grant_shown("user"), {**given, "live": False}]


def test_a_role_can_be_given_with_reason_and_end(api: APIClient, boss: User) -> None:
    alice = person("alice")
    body = {"role": "moderator", "reason": "Covers for Böb 🙂", "expiresAt": "2030-05-02T14:00:00+02:00"}
    response = api.post(f"/api/users/{alice.pk}/roles", body)
    given = grant_shown("moderator", grantedBy=boss.pk, reason="Covers for Böb 🙂", expiresAt=LATER_TEXT)
    assert (response.status_code, response.json()) == (201, given)
    assert client_of(alice).get("/api/test/mod").status_code == 200


def test_a_role_given_again_has_the_new_end(api: APIClient, boss: User) -> None:
    alice = person("alice")
    url = f"/api/users/{alice.pk}/roles"
    api.post(url, {"role": "moderator", "expiresAt": LATER_TEXT})
    response = api.post(url, {"role": "moderator", "expiresAt": None, "reason": "For good"})
    assert (response.status_code, response.json()) == (
        201,
        grant_shown("moderator", grantedBy=boss.pk, reason="For good"),
    )
    assert RoleGrant.with_expired.filter(user=alice, role__name="moderator").count() == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"role": "boss"}, "Failed! Role does not exist = boss"),
        ({"role": "Moderator"}, "Failed! Role does not exist = Moderator"),
        ({}, "role: This field is required."),
        ({"role": "moderator", "reason": None}, "reason: This field may not be null."),
        ({"role": "moderator", "reason": "x" * 256}, "reason: Ensure this field has no more than 255 characters."),
        ({"role": "moderator", "expiresAt": TIME}, "A role can be granted only until a moment that is still to come."),
        (
            {"role": "moderator", "expiresAt": "1999-01-01T00:00:00Z"},
            "A role can be granted only until a moment that is still to come.",
        ),
        ({"role": "moderator", "expiresAt": "soon"}, "expiresAt: Datetime has wrong format."),
        ({"role": "moderator", "expiresAt": 4070908800}, "expiresAt: Datetime has wrong format."),
        ({"role": "moderator", "expiresAt": "9999-12-31T23:59:59-14:00"}, "expiresAt: Datetime value out of range."),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(api: APIClient, body: dict[str, Any], message: str) -> None:
    alice = person("alice")
    response = api.post(f"/api/users/{alice.pk}/roles", body)
    assert response.status_code == 400
    assert response.json()["message"].startswith(message)
    assert User.objects.get(pk=alice.pk).role_names == ("user",)


def test_a_role_can_be_given_until_the_last_moment_there_is(api: APIClient) -> None:
    alice = person("alice")
    body = {"role": "moderator", "expiresAt": "9999-12-31T23:59:59.999999Z"}
    response = api.post(f"/api/users/{alice.pk}/roles", body)
    assert (response.status_code, response.json()["expiresAt"]) == (201, "9999-12-31T23:59:59.999999Z")


def test_a_role_can_be_taken_with_effect_at_the_next_request(api: APIClient) -> None:
    alice = person("alice", "moderator")
    client = client_of(alice)
    response = api.delete(f"/api/users/{alice.pk}/roles/moderator")
    assert (response.status_code, response.content) == (204, b"")
    assert client.get("/api/test/mod").status_code == 403


def test_taking_a_role_twice_is_as_good_as_once(api: APIClient) -> None:
    alice = person("alice")
    assert api.delete(f"/api/users/{alice.pk}/roles/moderator").status_code == 204


@pytest.mark.parametrize("name", ["boss", "MODERATOR", "%00", "%ED%A0%80", "%F0%9F%98%80", "a" * 5000, "user%20"])
def test_a_role_that_does_not_exist_cannot_be_taken(api: APIClient, name: str) -> None:
    response = api.delete(f"/api/users/{person('alice').pk}/roles/{name}")
    assert response.status_code == 400
    assert response.json()["message"].startswith("Failed! Role does not exist = ")


@pytest.mark.parametrize("path", ["", "/roles", "/sessions"])
def test_what_narrows_the_list_does_not_hide_a_single_one(api: APIClient, path: str) -> None:
    alice = person("alice")
    query = "active=false&role=admin&search=nobody&ordering=id"
    assert api.get(f"/api/users/{alice.pk}{path}?{query}").status_code == 200


# --- their sessions


def test_the_sessions_of_one_are_listed_newest_first(api: APIClient, clock: time_machine.Traveller) -> None:
    alice = person("alice")
    first = sessions.open(user=alice, client=Actor(address="192.0.2.7", user_agent="Firefox"))[0]
    clock.shift(60)
    second = sessions.open(user=alice, client=Actor())[0]
    results = [
        {
            "id": str(second.id),
            "device": "",
            "address": None,
            "openedAt": "2030-05-01T12:01:00Z",
            "lastUsedAt": "2030-05-01T12:01:00Z",
            "expiresAt": "2030-05-31T12:01:00Z",
            "revokedAt": None,
            "revokedReason": "",
        },
        {
            "id": str(first.id),
            "device": "Firefox",
            "address": "192.0.2.7",
            "openedAt": TIME,
            "lastUsedAt": TIME,
            "expiresAt": "2030-05-31T12:00:00Z",
            "revokedAt": None,
            "revokedReason": "",
        },
    ]
    body = {"count": 2, "next": None, "previous": None, "results": results}
    assert api.get(f"/api/users/{alice.pk}/sessions").json() == body


def test_ending_the_sessions_of_one_shuts_them_out_at_once(api: APIClient, boss: User) -> None:
    alice = person("alice")
    clients = [client_of(alice), client_of(alice)]
    response = api.delete(f"/api/users/{alice.pk}/sessions")
    assert (response.status_code, response.content) == (204, b"")
    assert [client.get("/api/test/user").status_code for client in clients] == [401, 401]
    assert api.get("/api/test/user").status_code == 200


def test_a_session_that_was_ended_says_when_and_why(api: APIClient) -> None:
    alice = person("alice")
    client_of(alice)
    api.delete(f"/api/users/{alice.pk}/sessions")
    [session] = api.get(f"/api/users/{alice.pk}/sessions").json()["results"]
    assert (session["revokedAt"], session["revokedReason"]) == (TIME, "by_admin")
