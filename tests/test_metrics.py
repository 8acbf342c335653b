"""/metrics tells in numbers what happened, in all workers, to who holds its token; and of nobody in particular."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import metrics as domain
from accounts import turns
from accounts.models import Actor, User
from accounts.services import revoke_all_sessions
from authproject import metrics
from tests.conftest import PASSWORD
from tests.live import Server

TOKEN = "Tj0R1ZlYk3nqg5vWJ8wD2cXh7mB4sLfP9uQeAoIyNtKrVxGiTj0R1ZlYk3nqg5vW"
Number = Callable[..., float]


def numbers(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


@pytest.fixture
def counting(settings: Settings) -> Iterator[None]:
    settings.METRICS_TOKEN = TOKEN
    metrics.start()
    yield
    settings.METRICS_TOKEN = ""
    metrics.start()


@pytest.fixture
def scrape(api: APIClient, counting: None) -> Callable[[], str]:
    return lambda: api.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()


@pytest.fixture
def number(scrape: Callable[[], str]) -> Number:
    """`number("refreshes_total", outcome="ok")`"""

    def number(name: str, **labels: str) -> float:
        return numbers(scrape())[f"authproject_{name}", frozenset(labels.items())]

    return number


# --- who may read them


def test_they_are_off_unless_asked_for(api: APIClient) -> None:
    answer = api.get("/metrics", headers={"Authorization": "Bearer "})
    assert (answer.status_code, answer.json()) == (404, api.get("/nothing").json())


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize("header", ["", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é", TOKEN])
def test_nobody_reads_them_without_the_token(api: APIClient, header: str) -> None:
    answer = api.get("/metrics", headers={"Authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"][:6]) == (401, "Bearer")


def test_who_holds_the_token_gets_prometheus_format(api: APIClient, counting: None) -> None:
    answer = api.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (200, "text/plain")
    assert ("authproject_sign_ins_total", frozenset({("outcome", "ok")})) in numbers(answer.content.decode())


@pytest.mark.parametrize("token", ["short", "x" * 50])
def test_a_token_that_can_be_guessed_is_refused(settings: Settings, token: str) -> None:
    settings.METRICS_TOKEN = token
    assert [message.id for message in run_checks() if not message.is_silenced()] == ["accounts.E022"]


# --- what they tell


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("password", "tries", "outcome"), [(PASSWORD, 1, "ok"), ("wrong", 1, "wrong"), ("wrong", 11, "limited")]
)
def test_sign_ins_are_counted_by_what_came_of_them(
    api: APIClient, make_user: Callable[..., User], number: Number, password: str, tries: int, outcome: str
) -> None:
    make_user("alice")
    for _ in range(tries):
        api.post("/api/auth/signin", {"username": "alice", "password": password})
    assert number("sign_ins_total", outcome=outcome) == 1


@pytest.mark.django_db
def test_a_sign_in_that_finds_no_turn_is_counted_as_busy(
    api: APIClient, number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = turns.Turns(at_once=0, waiting=0)
    monkeypatch.setattr(turns, "_turns", lambda *_: full)
    assert api.post("/api/auth/signin", {"username": "alice", "password": PASSWORD}).status_code == 503
    assert number("sign_ins_total", outcome="busy") == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("password", "outcome"), [(PASSWORD, "ok"), ("short", "refused")])
def test_sign_ups_are_counted(api: APIClient, number: Number, password: str, outcome: str) -> None:
    api.post("/api/auth/signup", {"username": "alice", "email": "alice@example.com", "password": password})
    assert number("sign_ups_total", outcome=outcome) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("token", "outcome"), [("", "refused"), ("first", "ok"), ("retired", "reused")])
def test_refreshes_are_counted(
    api: APIClient,
    make_user: Callable[..., User],
    sign_in: Callable[..., Any],
    settings: Settings,
    number: Number,
    token: str,
    outcome: str,
) -> None:
    make_user("alice")
    settings.REFRESH_TOKEN_GRACE = 0
    first = sign_in()["refreshToken"]

    def refresh(raw: str) -> str:
        return api.post("/api/auth/refreshtoken", {"refreshToken": raw}).json()["refreshToken"]

    if token == "retired":
        refresh(refresh(first))
    before = number("refreshes_total", outcome=outcome)
    api.post("/api/auth/refreshtoken", {"refreshToken": token and first})
    assert number("refreshes_total", outcome=outcome) - before == 1


@pytest.mark.django_db(transaction=True)
def test_sessions_that_are_ended_are_counted_by_the_reason(
    make_user: Callable[..., User], sign_in: Callable[..., Any], number: Number
) -> None:
    alice = make_user("alice")
    sign_in()
    sign_in()
    revoke_all_sessions(user=alice, by=Actor())
    assert number("sessions_revoked_total", reason="by_admin") == 2


@pytest.mark.django_db
def test_the_work_on_a_password_is_measured(make_user: Callable[..., User], number: Number) -> None:
    make_user("alice")
    assert number("hash_seconds_count") == 1
    assert number("hash_seconds_sum") > 0


def test_who_waits_for_a_turn_is_counted_while_that_lasts(number: Number) -> None:
    with domain.in_line():
        assert number("passwords_in_line") == 1
    assert number("passwords_in_line") == 0


@pytest.mark.django_db
def test_requests_are_measured_by_method_route_and_status(api: APIClient, number: Number) -> None:
    api.get("/api/test/user")
    assert number("request_seconds_count", method="GET", route="api/test/user", status="403") == 1


@pytest.mark.django_db
def test_nobody_can_make_up_numbers_or_find_others_in_them(
    api: APIClient, make_user: Callable[..., User], sign_in: Callable[..., Any], scrape: Callable[[], str]
) -> None:
    alice = make_user("alice_in_person", "admin")
    sign_in("alice_in_person")
    for path in ("/api/made-up-1", "/api/made-up-2", f"/api/users/{alice.pk}"):
        api.generic("BREW", path)
        api.get(path)
    said = scrape()
    assert not any(word in said for word in ("made-up", "BREW", "alice", "127.0.0.1"))
    assert 'method="other",route="none"' in said


# --- of all workers


def total(server: Server, name: str, **labels: str) -> float:
    """As any worker says it, each time on a new connection."""
    with server.client(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        said = numbers(http.get("/metrics").text)
    return said[f"authproject_{name}", frozenset(labels.items())]


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Server]) -> Server:
    return start_server(METRICS_TOKEN=TOKEN, WORKERS="2")


def test_each_worker_tells_the_numbers_of_all_even_of_one_that_died(server: Server) -> None:
    for _ in range(20):
        with server.client() as http:
            http.get("/docs")
    docs = {"method": "GET", "route": "docs", "status": "200"}
    assert [total(server, "request_seconds_count", **docs) for _ in range(10)] == [20] * 10
    os.kill(server.children()[0], signal.SIGKILL)
    time.sleep(0.5)
    server.wait()
    assert total(server, "request_seconds_count", **docs) == 20


def test_who_waited_in_a_worker_that_died_waits_no_more(tmp_path: Path) -> None:
    died, lives = (tmp_path / f"gauge_livesum_{number}.db" for number in (2**22 + 1, os.getpid()))
    for path in (died, lives):
        path.touch()
    metrics._forget_who_waited_in_ended_workers(tmp_path)
    assert list(tmp_path.iterdir()) == [lives]


def test_the_folder_of_a_server_that_has_ended_is_removed_by_the_next(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = Path(metrics.environment()[metrics.FOLDER])
    ended = mine.rename(tmp_path / f"{metrics.PREFIX}{2**22 + 1}-abc")
    again = Path(metrics.environment()[metrics.FOLDER])
    assert (ended.exists(), again.exists()) == (False, True)
    assert Path(metrics.environment()[metrics.FOLDER]).exists()
    assert again.exists()
