"""/api/users: everyone, in pages, searched, filtered and ordered."""

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import services
from accounts.filters import UserFilter
from accounts.models import Actor, User
from tests.management.people import NOW, crowd, grant, names, person, shown

pytestmark = pytest.mark.django_db


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
