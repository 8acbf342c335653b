"""/api/roles: what there is to be held, made, changed and deleted."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts import services
from accounts.models import Actor, Role, RoleGrant
from tests.conftest import PASSWORD
from tests.live import Server
from tests.management.people import LATER, NOW, crowd, grant, names, person

pytestmark = pytest.mark.django_db


BUILT_IN = [
    {"id": 1, "name": "user", "description": "Everyone who signed up.", "holders": 0},
    {"id": 2, "name": "moderator", "description": "May see what moderators see.", "holders": 0},
    {"id": 3, "name": "admin", "description": "May do everything in the Django admin.", "holders": 1},
]


def role_shown(role: Role, **other: Any) -> dict[str, Any]:
    return {"id": role.pk, "name": role.name, "description": role.description, "holders": 0, **other}


def test_the_roles_are_listed_with_how_many_hold_each(api: APIClient) -> None:
    assert api.get("/api/roles").json() == {"count": 3, "next": None, "previous": None, "results": BUILT_IN}


def test_one_role_can_be_read(api: APIClient, editor: Role) -> None:
    assert api.get(f"/api/roles/{editor.pk}").json() == role_shown(editor)


def test_a_grant_that_has_run_out_makes_no_holder(api: APIClient, editor: Role, clock: time_machine.Traveller) -> None:
    grant(person("alice"), "editor", NOW + timedelta(minutes=1))
    grant(person("bob"), "editor")
    assert api.get(f"/api/roles/{editor.pk}").json()["holders"] == 2
    clock.shift(60)
    assert api.get(f"/api/roles/{editor.pk}").json()["holders"] == 1


@pytest.mark.parametrize(("people", "holders"), [(1000, 1000), (1001, None)])
def test_holders_are_counted_to_a_thousand(api: APIClient, editor: Role, people: int, holders: int | None) -> None:
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=editor) for user in crowd(people))
    assert api.get(f"/api/roles/{editor.pk}").json() == role_shown(editor, holders=holders)
    assert names(api.get("/api/roles?ordering=-holders"))[0] == "editor"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=EDIT", ["moderator", "editor"]),
        ("search=Edits", ["editor"]),
        ("ordering=name", ["admin", "editor", "moderator", "user"]),
        ("ordering=-name", ["user", "moderator", "editor", "admin"]),
        ("ordering=holders", ["user", "moderator", "editor", "admin"]),
        ("ordering=-holders", ["admin", "editor", "moderator", "user"]),
        ("ordering=-id", ["editor", "admin", "moderator", "user"]),
        ("pageSize=3&page=2", ["editor"]),
    ],
)
def test_the_roles_are_searched_ordered_and_paged(api: APIClient, query: str, found: list[str]) -> None:
    Role.objects.filter(name="moderator").update(description="Has edited.")
    Role.objects.create(name="editor", description="Edits.")
    assert names(api.get(f"/api/roles?{query}")) == found


@pytest.mark.parametrize("description", ["", "Edits."])
def test_a_role_can_be_made(api: APIClient, description: str) -> None:
    response = api.post("/api/roles", {"name": "chief-editor_2", "description": description})
    role = Role.objects.get(name="chief-editor_2")
    assert (response.status_code, response.json()) == (201, role_shown(role, description=description))


BAD_NAMES = ["", "Editor", "2nd", "-x", "edi tor", " editor", "editor\n", "éditeur", "a/b", "x" * 51]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_role_cannot_be_made_with_a_bad_name(api: APIClient, name: str) -> None:
    response = api.post("/api/roles", {"name": name})
    assert response.status_code == 400
    assert response.json()["message"].startswith(f"{name!r} cannot be a role's name: ")
    assert Role.objects.count() == 3


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_role_cannot_be_given_a_bad_name(api: APIClient, editor: Role, name: str) -> None:
    response = api.patch(f"/api/roles/{editor.pk}", {"name": name})
    assert response.status_code == 400
    assert response.json()["message"].startswith(f"{name!r} cannot be a role's name: ")
    assert Role.objects.get(pk=editor.pk).name == "editor"


@pytest.mark.parametrize("name", ["user", "moderator"])
def test_a_role_cannot_have_the_name_of_another(api: APIClient, editor: Role, name: str) -> None:
    refusal = (400, {"message": f"There is a role called {name!r} already."})
    made = api.post("/api/roles", {"name": name})
    renamed = api.patch(f"/api/roles/{editor.pk}", {"name": name})
    assert (made.status_code, made.json()) == (renamed.status_code, renamed.json()) == refusal


@pytest.mark.parametrize(
    "body", [{"name": "writer"}, {"description": "Writes."}, {"name": "writer", "description": ""}, {}]
)
def test_a_role_can_be_renamed_and_described(api: APIClient, editor: Role, body: dict[str, str]) -> None:
    grant(person("alice"), "editor")
    response = api.patch(f"/api/roles/{editor.pk}", body)
    assert (response.status_code, response.json()) == (200, role_shown(editor, **body, holders=1))


def test_a_built_in_role_can_be_described(api: APIClient) -> None:
    response = api.patch("/api/roles/1", {"name": "user", "description": "Everyone."})
    assert (response.status_code, response.json()["description"]) == (200, "Everyone.")


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda role: role["name"])
@pytest.mark.parametrize(("method", "body"), [("patch", {"name": "renamed"}), ("delete", None)])
def test_a_built_in_role_stays(api: APIClient, built_in: dict[str, Any], method: str, body: Any) -> None:
    response = getattr(api, method)(f"/api/roles/{built_in['id']}", body)
    message = f"The role '{built_in['name']}' is built in: it can be neither renamed nor deleted."
    assert (response.status_code, response.json()) == (409, {"message": message})
    assert api.get(f"/api/roles/{built_in['id']}").json() == built_in


def test_a_role_that_nobody_holds_can_be_deleted(api: APIClient, editor: Role) -> None:
    response = api.delete(f"/api/roles/{editor.pk}")
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(f"/api/roles/{editor.pk}").status_code == 404


@pytest.mark.parametrize("until", [None, LATER])
def test_a_role_that_somebody_holds_stays(api: APIClient, editor: Role, until: datetime | None) -> None:
    grant(person("alice"), "editor", until)
    response = api.delete(f"/api/roles/{editor.pk}")
    message = "The role 'editor' is held by somebody, and cannot be deleted."
    assert (response.status_code, response.json()) == (409, {"message": message})
    assert api.get(f"/api/roles/{editor.pk}").json() == role_shown(editor, holders=1)


def test_a_role_that_only_grants_that_have_run_out_hold_can_be_deleted(
    api: APIClient, editor: Role, clock: time_machine.Traveller
) -> None:
    grant(person("alice"), "editor", NOW + timedelta(minutes=1))
    clock.shift(60)
    assert api.delete(f"/api/roles/{editor.pk}").status_code == 204


def test_a_role_held_by_one_in_time_and_by_one_no_more_keeps_both_grants(
    api: APIClient, editor: Role, clock: time_machine.Traveller
) -> None:
    grant(person("alice"), "editor", NOW + timedelta(minutes=1))
    grant(person("bob"), "editor")
    clock.shift(60)
    assert api.delete(f"/api/roles/{editor.pk}").status_code == 409
    assert RoleGrant.with_expired.filter(role=editor).count() == 2


# --- at once


def test_of_20_roles_made_at_once_with_one_name_one_is_made(server: Server) -> None:
    server.manage("create_user", "role_maker", "role_maker@example.com", "--role", "admin", stdin=PASSWORD)
    with server.client() as http:
        signed_in = http.post("/api/auth/signin", json={"username": "role_maker", "password": PASSWORD}).json()
        headers = {"x-access-token": signed_in["accessToken"]}

        def make(name: str) -> tuple[int, str]:
            answer = http.post("/api/roles", json={"name": name}, headers=headers)
            return answer.status_code, answer.json().get("message", "")

        with ThreadPoolExecutor(20) as pool:
            answers = Counter(pool.map(make, ["raced"] * 20))
    assert answers == {(201, ""): 1, (400, "There is a role called 'raced' already."): 19}


@pytest.mark.usefixtures("db")
def test_renaming_a_role_keeps_a_description_that_was_given_meanwhile() -> None:
    role = services.create_role(name="editor", by=Actor())
    read_before = Role.objects.get(pk=role.pk)
    services.change_role(role=role, description="Edits.", by=Actor())
    services.change_role(role=read_before, name="author", by=Actor())
    kept = Role.objects.get(pk=role.pk)
    assert (kept.name, kept.description) == ("author", "Edits.")
