"""The database is lost at the worst moments: what was asked for is done once, and who asked is told the truth."""

from collections.abc import Callable, Iterator
from itertools import count
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import connection

from accounts.transactions import TRY_FOR
from tests import live
from tests.conftest import PASSWORD, WITHOUT_LIMITS
from tests.lossy import Lose, LossyProxy

pytestmark = [
    pytest.mark.skipif(connection.vendor != "mysql", reason="A file has no connections to lose."),
    pytest.mark.django_db(transaction=True),
]
Count = Callable[..., int]
Person = dict[str, Any]
AWAY = {"message": "The database does not answer. Please try again in 2 seconds."}
numbers = count(1)


@pytest.fixture(scope="module")
def proxy() -> LossyProxy:
    return LossyProxy(int(connection.settings_dict["PORT"]))


@pytest.fixture(scope="module")
def server(proxy: LossyProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Server]:
    folder = tmp_path_factory.mktemp("lossy")
    url = urlsplit(live.database_of_its_own(folder))
    account = url.netloc.rpartition("@")[0]
    through_proxy = url._replace(netloc=f"{account}@127.0.0.1:{proxy.port}").geturl()
    # Else the first COMMIT would be that of a counter.
    unlimited = dict.fromkeys(WITHOUT_LIMITS, "off")
    server = live.Server.start(folder, {"DATABASE_URL": through_proxy, "WORKERS": "1", **unlimited})
    yield server
    server.stop()


@pytest.fixture
def http(server: live.Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def number_of(server: live.Server) -> Count:
    """How many rows there are in a table of the server's, of which a condition holds."""
    database = urlsplit(server.environment["DATABASE_URL"]).path[1:]

    def number_of(table: str, condition: str, *values: Any) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM `{database}`.accounts_{table} WHERE {condition}", values)
            return int(cursor.fetchone()[0])

    return number_of


@pytest.fixture
def somebody() -> dict[str, str]:
    name = f"user{next(numbers)}"
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD}


@pytest.fixture
def alice(http: httpx.Client, somebody: dict[str, str]) -> Person:
    """Whom `http` is signed in as: what the sign-in answered."""
    assert http.post("/api/auth/signup", json=somebody).status_code == 200
    signed_in: Person = http.post("/api/auth/signin", json=somebody).json()
    http.headers["x-access-token"] = signed_in["accessToken"]
    return {**somebody, **signed_in}


at_its_commit = pytest.mark.parametrize(
    "lost", list(Lose), ids=["before the database has the COMMIT", "before the answer to the COMMIT is back"]
)


@at_its_commit
def test_a_sign_up_is_done_once(
    http: httpx.Client, proxy: LossyProxy, somebody: dict[str, str], number_of: Count, lost: Lose
) -> None:
    proxy.lose(lost)
    assert http.post("/api/auth/signup", json=somebody).status_code == 200
    assert proxy.has_lost
    assert number_of("user", "username = %s", somebody["username"]) == 1
    assert http.post("/api/auth/signin", json=somebody).status_code == 200


@at_its_commit
def test_a_sign_in_opens_one_session_that_is_the_one_of_its_tokens(
    http: httpx.Client, proxy: LossyProxy, alice: Person, number_of: Count, lost: Lose
) -> None:
    proxy.lose(lost)
    answer = http.post("/api/auth/signin", json={**alice, "accessToken": None}, headers={"x-access-token": ""})
    assert (answer.status_code, proxy.has_lost) == (200, True)
    token = {"x-access-token": answer.json()["accessToken"]}
    assert http.get("/api/test/user", headers=token).status_code == 200
    assert number_of("session", "user_id = %s", alice["id"]) == 2
    assert number_of("auditentry", "subject_id = %s AND action = 'signed_in'", alice["id"]) == 2


@at_its_commit
def test_ending_a_session_is_found_to_be_done(
    http: httpx.Client, proxy: LossyProxy, alice: Person, number_of: Count, lost: Lose
) -> None:
    [session] = http.get("/api/auth/sessions").json()
    other = http.post("/api/auth/signin", json=alice, headers={"x-access-token": ""}).json()
    proxy.lose(lost)
    answer = http.delete(f"/api/auth/sessions/{session['id']}", headers={"x-access-token": other["accessToken"]})
    assert (answer.status_code, proxy.has_lost) == (204, True)
    assert number_of("auditentry", "subject_id = %s AND action = 'sessions_revoked'", alice["id"]) == 1


@at_its_commit
def test_a_change_of_password_is_not_held_against_itself(
    http: httpx.Client, proxy: LossyProxy, alice: Person, number_of: Count, lost: Lose
) -> None:
    proxy.lose(lost)
    body = {"currentPassword": PASSWORD, "newPassword": "staple battery horse"}
    assert (http.post("/api/auth/password", json=body).status_code, proxy.has_lost) == (200, True)
    assert number_of("auditentry", "subject_id = %s AND action = 'password_changed'", alice["id"]) == 1


@at_its_commit
def test_a_deleted_account_is_deleted(http: httpx.Client, proxy: LossyProxy, alice: Person, lost: Lose) -> None:
    proxy.lose(lost)
    answer = http.post("/api/auth/me/delete", json={"password": PASSWORD})
    assert (answer.status_code, proxy.has_lost) == (200, True)
    assert http.post("/api/auth/signin", json=alice).status_code == 401


@pytest.fixture
def away(proxy: LossyProxy, alice: Person) -> Iterator[None]:
    """The database, from when alice has signed in."""
    proxy.go_away()
    yield
    if not proxy.is_there:
        proxy.come_back()


ASKING: list[tuple[str, str]] = [
    ("GET", "/api/test/mod"),
    ("POST", "/api/auth/signin"),
    ("POST", "/api/auth/signup"),
    ("POST", "/api/auth/refreshtoken"),
    ("POST", "/api/auth/signout"),
    ("GET", "/api/auth/sessions"),
    ("GET", "/api/users"),
]


@pytest.mark.parametrize(("method", "path"), ASKING)
def test_without_a_database_one_is_told_to_come_back(
    http: httpx.Client, alice: Person, away: None, method: str, path: str
) -> None:
    answer = http.request(method, path, json=None if method == "GET" else alice)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (503, AWAY, "2")


def test_in_the_admin_one_is_told_so_on_a_page(http: httpx.Client, away: None) -> None:
    http.cookies.set("sessionid", "0123456789abcdef0123456789abcdef")
    answer = http.get("/admin/")
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, AWAY["message"], "2")


def test_what_needs_no_database_is_answered(http: httpx.Client, away: None) -> None:
    assert http.get("/api/test/all").status_code == 200


def test_a_database_that_has_too_many_connections_is_one_that_is_away(
    http: httpx.Client, proxy: LossyProxy, alice: Person, away: None
) -> None:
    proxy.is_full = True
    proxy.come_back()
    try:
        answer = http.get("/api/test/user")
    finally:
        proxy.is_full = False
    assert (answer.status_code, answer.json()) == (503, AWAY)


def test_once_it_is_back_all_goes_on(http: httpx.Client, proxy: LossyProxy, alice: Person, away: None) -> None:
    assert http.get("/api/test/user").status_code == 503
    proxy.come_back()
    assert http.get("/api/test/user").status_code == 200


def test_who_asks_while_it_stays_away_is_not_kept_waiting(http: httpx.Client, alice: Person, away: None) -> None:
    """One of them has waited in vain for the others: thirty take much less than thirty times as long."""
    began = monotonic()
    assert [http.get("/api/test/user").status_code for _ in range(30)] == [503] * 30
    assert monotonic() - began < 15 * TRY_FOR
