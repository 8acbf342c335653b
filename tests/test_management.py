"""/api/users and /api/roles: what an admin sees of people and roles, and changes."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import services, sessions
from accounts.filters import UserFilter
from accounts.models import Actor, Role, RoleGrant, User
from tests.conftest import PASSWORD
from tests.live import Server

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
TIME = "2030-05-01T12:00:00Z"
LATER, LATER_TEXT = NOW + timedelta(days=1), "2030-05-02T12:00:00Z"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def boss() -> User:
    return person("boss", "admin")


@pytest.fixture
def api(boss: User) -> APIClient:
    """Signed in as the admin."""
    client = client_of(boss)
    client.default_format = "json"
    return client


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


# --- people


def test_the_list_holds_everyone(api: APIClient, boss: User) -> None:
    alice = person("alice")
    body = {"count": 2, "next": None, "previous": None, "results": [shown(boss, roles=["admin"]), shown(alice)]}
    assert api.get("/api/users").json() == body


def test_one_can_be_read(api: APIClient) -> None:
    alice = person("alice", "moderator", "user")
    assert api.get(f"/api/users/{alice.pk}").json() == shown(alice, roles=["user", "moderator"])


def test_roles_that_have_run_out_are_not_named(api: APIClient, clock: time_machine.Traveller) -> None:
    alice = person("alice")
    grant(alice, "moderator", NOW + timedelta(minutes=1))
    clock.shift(60)
    assert api.get(f"/api/users/{alice.pk}").json()["roles"] == ["user"]


@pytest.mark.parametrize(
    ("query", "found", "next_", "previous"),
    [
        ("pageSize=2", ["boss", "a"], "after={a}&page=2&pageSize=2", None),
        ("pageSize=2&page=2", ["b", "c"], "after={c}&page=3&pageSize=2", "pageSize=2"),
        ("pageSize=2&page=2&after={b}", ["c", "d"], None, "pageSize=2"),
        ("pageSize=2&page=3", ["d"], None, "page=2&pageSize=2"),
        ("pageSize=2&page=3&after={d}", [], None, "page=2&pageSize=2"),
        ("pageSize=2&ordering=-id", ["d", "c"], "after={c}&ordering=-id&page=2&pageSize=2", None),
        (
            "pageSize=2&ordering=-id&page=2&after={c}",
            ["b", "a"],
            "after={a}&ordering=-id&page=3&pageSize=2",
            "ordering=-id&pageSize=2",
        ),
        ("pageSize=3&ordering=username", ["a", "b", "boss"], "ordering=username&page=2&pageSize=3", None),
        ("pageSize=100", ["boss", "a", "b", "c", "d"], None, None),
        ("pageSize=999999999", ["boss", "a", "b", "c", "d"], None, None),
    ],
)
def test_the_list_comes_in_pages(
    api: APIClient, query: str, found: list[str], next_: str | None, previous: str | None
) -> None:
    ids = {letter: person(letter * 3).pk for letter in "abcd"}
    response = api.get(f"/api/users?{query.format(**ids)}")
    body = response.json()
    assert [name[:1] if name != "boss" else name for name in names(response)] == found
    assert body["next"] == (next_ and f"http://testserver/api/users?{next_.format(**ids)}")
    assert body["previous"] == (previous and f"http://testserver/api/users?{previous}")


def test_a_page_holds_20_unless_asked_and_never_more_than_100(api: APIClient) -> None:
    crowd(110)
    assert len(api.get("/api/users").json()["results"]) == 20
    assert len(api.get("/api/users?pageSize=101").json()["results"]) == 100


@pytest.mark.parametrize(
    "page", ["0", "-1", "2", "1e9", "1.5", "x", "last", "%00", "9" * 18, str(2**63 - 1), "9" * 20, "9" * 5000]
)
def test_a_page_that_is_not_there_is_not_found(api: APIClient, page: str) -> None:
    response = api.get(f"/api/users?page={page}")
    assert (response.status_code, response.json()) == (404, {"message": "Invalid page."})


@pytest.mark.parametrize("after", ["-1", "1.5", "x", "%00", str(2**63), "9" * 5000])
def test_a_page_after_what_is_no_id_is_not_found(api: APIClient, after: str) -> None:
    response = api.get(f"/api/users?page=2&after={after}")
    assert (response.status_code, response.json()) == (404, {"message": "Invalid page."})


@pytest.mark.parametrize("path", ["users?ordering=username&", "users?ordering=-createdAt&", "users/{id}/sessions?"])
def test_a_page_after_an_id_makes_no_sense_in_another_order(api: APIClient, boss: User, path: str) -> None:
    response = api.get(f"/api/{path.format(id=boss.pk)}page=2&after=1")
    message = "after is only for a list in the order of its ids."
    assert (response.status_code, response.json()) == (400, {"message": message})


def test_next_leads_through_everyone_once_although_some_are_deleted_meanwhile(api: APIClient, boss: User) -> None:
    crowd(7)
    first = api.get("/api/users?pageSize=3")
    User.objects.filter(username="user0").delete()
    second = api.get(first.json()["next"])
    third = api.get(second.json()["next"])
    assert names(first) + names(second) + names(third) == ["boss", *(f"user{n}" for n in range(7))]
    assert third.json()["next"] is None


@pytest.mark.parametrize(("people", "count"), [(999, 1000), (1000, None)])
def test_people_are_counted_to_a_thousand(api: APIClient, people: int, count: int | None) -> None:
    crowd(people)
    page = api.get("/api/users?page=9&pageSize=100").json()
    assert (page["count"], len(page["results"])) == (count, 100)


def test_a_list_is_not_counted_to_its_end(api: APIClient) -> None:
    with CaptureQueriesContext(connection) as captured:
        api.get("/api/users")
    assert [query["sql"] for query in captured if "COUNT(" in query["sql"] and "LIMIT 1001" not in query["sql"]] == []


def test_a_later_page_is_sought_and_no_rows_are_skipped(api: APIClient) -> None:
    crowd(30)
    second = api.get("/api/users").json()["next"]
    with CaptureQueriesContext(connection) as captured:
        assert names(api.get(second)) == [f"user{n}" for n in range(19, 30)]
    assert not any("OFFSET" in query["sql"] for query in captured)


@pytest.mark.parametrize("path", ["users", "roles", "audit"])
@pytest.mark.parametrize("size", ["0", "-1", "x", "", "1.5", "%00", "9" * 5000])
def test_a_page_of_no_size_is_refused(api: APIClient, path: str, size: str) -> None:
    response = api.get(f"/api/{path}?pageSize={size}")
    assert (response.status_code, response.json()["message"]) == (400, "pageSize: Must be a whole number, and not 0.")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=ali", ["alice", "alina"]),
        ("search=ALICE", ["alice"]),
        ("search=bob%40example", ["bob"]),
        ("search=ali%20example.com", ["alice", "alina"]),
        ("search=nobody", []),
        ("search=%25", []),
        ("search=", ["boss", "alice", "alina", "bob"]),
        ("active=true", ["boss", "alice", "alina"]),
        ("active=false", ["bob"]),
        ("role=admin", ["boss"]),
        ("role=moderator", ["alina"]),
        ("role=user&active=true&search=ali", ["alice"]),
        ("createdAfter=2030-05-01T12:00:00Z", ["boss", "alice", "alina", "bob"]),
        ("createdAfter=2030-05-01T12:00:00.000001Z", []),
        ("createdBefore=2030-05-01T12:00:00Z", []),
        ("createdBefore=2030-05-01T14:00:01%2B02:00", ["boss", "alice", "alina", "bob"]),
        ("createdAfter=0001-01-01T00:00:00Z&createdBefore=9999-12-31T23:59:59Z", ["boss", "alice", "alina", "bob"]),
        ("ordering=username", ["alice", "alina", "bob", "boss"]),
        ("ordering=-username", ["boss", "bob", "alina", "alice"]),
        ("ordering=email", ["alice", "alina", "bob", "boss"]),
        ("ordering=-id", ["bob", "alina", "alice", "boss"]),
        ("ordering=createdAt", ["boss", "alice", "alina", "bob"]),
        ("ordering=-createdAt,-username", ["boss", "bob", "alina", "alice"]),
        ("ordering=username,-username", ["alice", "alina", "bob", "boss"]),
        ("ordering=,", ["boss", "alice", "alina", "bob"]),
        ("active=false&active=true", ["boss", "alice", "alina"]),
    ],
)
def test_the_list_is_searched_filtered_and_ordered(api: APIClient, query: str, found: list[str]) -> None:
    person("alice")
    person("alina", "moderator")
    services.set_active(user=person("bob"), active=False, by=Actor())
    assert names(api.get(f"/api/users?{query}")) == found


def test_a_role_that_has_run_out_is_not_found_by(api: APIClient, clock: time_machine.Traveller) -> None:
    grant(person("alice"), "moderator", NOW + timedelta(minutes=1))
    assert names(api.get("/api/users?role=moderator")) == ["alice"]
    clock.shift(60)
    assert names(api.get("/api/users?role=moderator")) == []


def test_people_made_at_the_same_moment_keep_their_order_from_page_to_page(api: APIClient) -> None:
    for number in range(6):
        person(f"user{number}")
    everyone = ["boss", *(f"user{number}" for number in range(6))]
    for order, expected in (("createdAt", everyone), ("-createdAt", everyone[::-1])):
        pages = [names(api.get(f"/api/users?ordering={order}&pageSize=2&page={page}")) for page in (1, 2, 3, 4)]
        assert [name for page in pages for name in page] == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("active=maybe", "active: Select a valid choice. maybe is not one of the available choices."),
        ("active=True", "active: Select a valid choice. True is not one of the available choices."),
        ("role=boss", "Failed! Role does not exist = boss"),
        ("role=ADMIN", "Failed! Role does not exist = ADMIN"),
        ("role=%00", "role: Null characters are not allowed."),
        ("createdAfter=yesterday", "createdAfter: Enter a valid date/time."),
        ("createdBefore=2030-13-01T00:00:00Z", "createdBefore: Enter a valid date/time."),
        (
            "createdAfter=0001-01-01T00:00:00%2B14:00",
            "createdAfter: That is beyond the first or the last year there is.",
        ),
        (
            "createdBefore=9999-12-31T23:59:59-14:00",
            "createdBefore: That is beyond the first or the last year there is.",
        ),
        ("ordering=password", "ordering: Select a valid choice. password is not one of the available choices."),
        ("ordering=id,grants__reason", "ordering: Select a valid choice. grants__reason is not one of the"),
        ("search=" + "a+" * 128, "search: Must have at most 254 characters."),
        ("search=%00", "search: Null characters are not allowed."),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(api: APIClient, query: str, message: str) -> None:
    response = api.get(f"/api/users?{query}")
    assert response.status_code == 400
    assert response.json()["message"].startswith(message)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases would rather sort so few rows")
@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("order", ["id", "username", "email", "createdAt"])
def test_no_order_has_to_be_sorted(direction: str, order: str) -> None:
    rows = UserFilter({"ordering": direction + order}, User.objects.all()).qs
    assert "TEMP B-TREE" not in rows.explain()


HOSTILE = ["%00", "%ED%A0%80", "%FF", "%F0%9F%98%80", "'%22;--", "1e9", "-", "[]", "a" * 9000, "a," * 3000, "a+" * 3000]
PARAMETERS = [
    "page",
    "after",
    "pageSize",
    "search",
    "ordering",
    "active",
    "role",
    "createdAfter",
    "createdBefore",
    "cursor",
]


@pytest.mark.parametrize("path", ["users", "roles", "users/{id}/roles", "users/{id}/sessions", "audit"])
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_no_query_is_an_error_of_the_server(api: APIClient, boss: User, path: str, parameter: str) -> None:
    url = f"/api/{path.format(id=boss.pk)}"
    queries = [f"{parameter}={value}" for value in HOSTILE]
    queries += [f"{parameter}={value}&{parameter}=id" for value in HOSTILE] + [f"{parameter}[]=1&{parameter}"]
    answers = {query: api.get(f"{url}?{query}") for query in queries}
    assert {query: answer.status_code for query, answer in answers.items() if answer.status_code not in OK} == {}
    assert all("message" in answer.json() for answer in answers.values() if answer.status_code != 200)


OK = {200, 400, 404}


@pytest.mark.parametrize("order", ["username,-username", "id", "createdAt,id,email"])
def test_ordering_by_one_field_a_thousand_times_is_ordering_by_it_once(api: APIClient, order: str) -> None:
    repeated = ",".join([order] * 1000)
    assert names(api.get(f"/api/users?ordering={repeated}")) == ["boss"]


@pytest.mark.parametrize("pk", ["0", "99999999999999999999", "999999999999999999", "text", "-1", "1.0", "%00", "١"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[(method, "/api/users/{}") for method in ("get", "patch", "delete")],
        *[(method, "/api/users/{}/roles") for method in ("get", "post")],
        ("delete", "/api/users/{}/roles/user"),
        *[(method, "/api/users/{}/sessions") for method in ("get", "delete")],
        *[(method, "/api/roles/{}") for method in ("get", "patch", "delete")],
    ],
)
def test_an_odd_id_is_not_found(api: APIClient, method: str, path: str, pk: str) -> None:
    body = {"role": "user"} if method == "post" else {"description": ""} if method == "patch" else None
    response = getattr(api, method)(path.format(quote(pk, safe="%")), body)
    assert response.status_code == 404
    assert list(response.json()) == ["message"]


@pytest.mark.parametrize("pk", ["1", "-" * 36, "a" * 36, "00000000-0000-0000-0000-000000000000"])
def test_an_odd_id_of_an_entry_is_not_found(api: APIClient, pk: str) -> None:
    assert api.get(f"/api/audit/{pk}").status_code == 404


# --- making and changing people

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


# --- their roles


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


# --- roles

BUILT_IN = [
    {"id": 1, "name": "user", "description": "Everyone who signed up.", "holders": 0},
    {"id": 2, "name": "moderator", "description": "May see what moderators see.", "holders": 0},
    {"id": 3, "name": "admin", "description": "May do everything in the Django admin.", "holders": 1},
]


@pytest.fixture
def editor() -> Role:
    return Role.objects.create(name="editor", description="Edits.")


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


# --- how many queries


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


# --- at once, on the real server


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
