"""Who may read the trail: over the API, and in the admin."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Action, Actor, AuditEntry, User
from tests.audit.trail import OPERATOR, detail, record, signed_in, the

# --- GET /api/audit


@pytest.mark.parametrize("role", ["user", "moderator"])
def test_who_is_no_admin_may_not_read_the_trail(signed_in_as: Callable[..., APIClient], role: str) -> None:
    assert signed_in_as(role).get("/api/audit").status_code == 403


def test_who_is_not_signed_in_may_not_read_the_trail(api: APIClient) -> None:
    assert api.get("/api/audit").status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_can_change_the_trail_over_the_api(managing: APIClient, method: str) -> None:
    paths = ["/api/audit", f"/api/audit/{the(Action.SIGNED_IN).pk}"]
    assert [getattr(managing, method)(path).status_code for path in paths] == [405, 405]


def test_an_entry_is_read_by_its_id(managing: APIClient, root: User) -> None:
    entry = the(Action.ACCOUNT_CREATED)
    assert managing.get(f"/api/audit/{entry.pk}").json() == {
        "id": str(entry.pk),
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "action": "account_created",
        "actor": None,
        "subject": root.pk,
        "via": "command",
        "address": None,
        "device": "",
        "detail": {"roles": ["admin"]},
        "sealed": False,
    }


@pytest.mark.parametrize("id_", ["01900000-0000-7000-8000-000000000000", "-" * 36, "x", "1", "%00", "É"])
def test_an_unknown_or_malformed_id_is_not_found(managing: APIClient, id_: str) -> None:
    answer = managing.get(f"/api/audit/{id_}")
    assert (answer.status_code, list(answer.json())) == (404, ["message"])


def test_the_newest_entry_comes_first(managing: APIClient) -> None:
    moments = [entry["at"] for entry in managing.get("/api/audit").json()["results"]]
    assert moments == sorted(moments, reverse=True)


def test_pages_follow_each_other_without_gap_or_repeat(managing: APIClient) -> None:
    for number in range(5):
        record(Action.SIGNED_IN, by=OPERATOR, subject_id=number)
    path, read = "/api/audit?pageSize=3", list[str]()
    while path:
        page = managing.get(path).json()
        path, read = page["next"], [*read, *(entry["id"] for entry in page["results"])]
    assert read == [str(id_) for id_ in AuditEntry.objects.order_by("-at", "-id").values_list("id", flat=True)]


@pytest.fixture
def three(managing: APIClient) -> list[AuditEntry]:
    """Entries that differ in all that can be filtered by."""
    chosen = [
        (Action.ROLE_CHANGED, 1001, 2001, "api", 2001),
        (Action.ROLE_REVOKED, 1002, 2002, "admin", 2002),
        (Action.ROLE_CREATED, 1003, 2003, "command", 2003),
    ]
    made = []
    for action, actor, subject, via, year in chosen:
        made.append(record(action, by=Actor(user_id=actor, via=via), subject_id=subject))
        AuditEntry.objects.filter(pk=made[-1].pk).update(at=datetime(year, 1, 1, tzinfo=UTC))
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=role_changed", [0]),
        ("action=role_changed&action=role_revoked", [1, 0]),
        ("actor=1002", [1]),
        ("subject=2003", [2]),
        ("since=2002-01-01T00:00:00Z&until=2003-06-01T00:00:00Z", [2, 1]),
        ("since=2002-01-01T00:00:00Z&until=2003-01-01T00:00:00Z", [1]),
        ("actor=1001&subject=2002", []),
    ],
)
def test_the_trail_is_filtered(managing: APIClient, three: list[AuditEntry], query: str, expected: list[int]) -> None:
    results = managing.get(f"/api/audit?{query}").json()["results"]
    assert [entry["id"] for entry in results] == [str(three[index].pk) for index in expected]


def test_the_trail_is_filtered_by_the_door(managing: APIClient, three: list[AuditEntry]) -> None:
    results = managing.get("/api/audit?via=admin").json()["results"]
    assert [entry["id"] for entry in results] == [str(three[1].pk)]


@pytest.mark.parametrize(
    "query",
    [
        "action=nonsense",
        "actor=x",
        "actor=NaN",
        "actor=1.5",
        "actor=-1",
        "subject=x",
        "subject=99999999999999999999",
        "via=nonsense",
        "since=yesterday",
        "until=2026-13-01T00:00:00Z",
        "since=0001-01-01T00:00:00%2B14:00",
        "via=%00",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(managing: APIClient, query: str) -> None:
    answer = managing.get(f"/api/audit?{query}")
    assert (answer.status_code, bool(answer.json().get("message"))) == (400, True)


def test_a_detail_that_was_tampered_with_is_shown_as_it_is(managing: APIClient, three: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=three[0].pk).update(detail="{no JSON")
    assert managing.get(f"/api/audit/{three[0].pk}").json()["detail"] == "{no JSON"


def test_the_end_of_a_session_too_many_is_recorded(phone: APIClient, alice: User, settings: Settings) -> None:
    settings.SESSIONS_PER_USER = 1
    for _ in range(2):
        phone.credentials()
        signed_in(phone, alice)
    assert the(Action.SESSIONS_REVOKED).subject_id == alice.pk
    assert detail(Action.SESSIONS_REVOKED) == {"reason": "surplus", "sessions": 1}


@pytest.mark.parametrize(
    "position", ["garbage", "%00", "2026-99-99", "2026-01-01", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00%2B14:00"]
)
def test_a_cursor_that_was_never_given_is_not_found(managing: APIClient, position: str) -> None:
    cursor = b64encode(f"p={position}".encode()).decode()
    assert managing.get("/api/audit", {"cursor": cursor}).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("password", {"currentPassword": "wrong", "newPassword": "a new battery staple"}),
        ("me/delete", {"password": "wrong"}),
    ],
)
def test_a_wrong_current_password_is_recorded(phone: APIClient, alice: User, path: str, body: dict[str, str]) -> None:
    signed_in(phone, alice).post(f"/api/auth/{path}", body)
    entry = the(Action.PASSWORD_CHECK_FAILED)
    assert (entry.actor_id, entry.subject_id) == (alice.pk, alice.pk)


@pytest.mark.parametrize("path", ["/api/audit", "/admin/accounts/auditentry/"])
def test_a_longer_page_asks_no_more_often(managing: APIClient, pages: Client, root: User, path: str) -> None:
    client = pages if path.startswith("/admin") else managing
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for _ in range(15):
        record(Action.SIGNED_IN, by=Actor(user_id=root.pk), subject_id=root.pk)
    with CaptureQueriesContext(connection) as more:
        client.get(path)
    assert len(more) == len(few)


# --- the admin's list


def test_the_list_names_those_who_are_still_there(pages: Client, root: User) -> None:
    record(Action.ROLE_GRANTED, by=Actor(user_id=root.pk), subject_id=404)
    page = pages.get("/admin/accounts/auditentry/?action=role_granted").content.decode()
    assert f"root ({root.pk})" in page
    assert "gone (404)" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [("action=role_granted", 1), ("via=api", 1), ("subject_id=404", 1), ("q=404", 1), ("q=nobody", 0)],
)
def test_the_list_is_filtered_and_searched(pages: Client, root: User, query: str, shown: int) -> None:
    record(Action.ROLE_GRANTED, by=Actor(user_id=root.pk, via="api"), subject_id=404)
    page = pages.get(f"/admin/accounts/auditentry/?{query}").content.decode()
    assert page.count("gone (404)") == shown


def test_an_entry_is_shown_and_cannot_be_changed(pages: Client) -> None:
    page = pages.get(f"/admin/accounts/auditentry/{the(Action.ACCOUNT_CREATED).pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content


@pytest.mark.parametrize("page", ["add", "{}/change", "{}/delete"])
def test_the_admin_cannot_write_to_the_trail(pages: Client, page: str) -> None:
    path = f"/admin/accounts/auditentry/{page.format(the(Action.ACCOUNT_CREATED).pk)}/"
    assert pages.post(path, {"post": "yes", "via": "x"}).status_code == 403


def test_the_list_offers_no_deletion(pages: Client) -> None:
    assert b"delete_selected" not in pages.get("/admin/accounts/auditentry/").content
