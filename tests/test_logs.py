"""What is logged: a line for each request, with its id; errors with their traceback; in one form, and no secret."""

import io
import json
import logging
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import structlog
from django.db import ProgrammingError, transaction
from django.http import HttpResponse, JsonResponse
from pytest_django import Settings
from rest_framework.test import APIClient

import content.views
from accounts.models import Action, Actor, AuditEntry, User
from authproject import logs
from tests import live
from tests.asking import PRODUCTION, run, settings_of
from tests.conftest import PASSWORD

pytestmark = pytest.mark.no_database

Lines = Callable[[], list[dict[str, Any]]]
SignedInAs = Callable[..., APIClient]
log = structlog.get_logger("authproject.test")
MINE = "edge-1_7f3A9c"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What goes to standard error, in the form that LOG_FORMAT says when the first line is written."""

    class Late(logging.StreamHandler["io.StringIO"]):
        def format(self, record: logging.LogRecord) -> str:
            return logs.formatter().format(record)

    handler = Late(io.StringIO())
    logging.getLogger().addHandler(handler)
    yield handler.stream
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def lines(output: io.StringIO, settings: Settings) -> Lines:
    """The lines so far, in production's form."""
    settings.LOG_FORMAT = "json"
    return lambda: [json.loads(line) for line in output.getvalue().splitlines()]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> str:
    """A path that is answered 500."""

    def fail(_: str) -> NoReturn:
        raise ProgrammingError(1146, "gone away")

    monkeypatch.setattr(content.views, "_text", fail)
    return "/api/test/all"


# --- the id of a request


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/", {"host": "evil.example"}, 400),
        ("/api/test/user", {}, 403),
        ("/api/test/user", {"x-access-token": "x"}, 401),
        ("/nothing", {}, 404),
        ("/api/auth/signin", {}, 405),
        ("/api/test/all", {}, 500),
        ("/admin/", {}, 302),
        ("/admin/login/", {}, 200),
        ("/static/admin/css/nothing.css", {}, 404),
    ],
)
@pytest.mark.django_db
def test_every_answer_carries_an_id(
    api: APIClient, broken: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = api.get(path, headers=headers)
    assert (answer.status_code, bool(re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"]))) == (status, True)


@pytest.mark.parametrize(("data", "status"), [("{", 400), ('"' + "1" * 200_000 + '"', 413)])
def test_a_body_that_is_refused_is_answered_with_an_id(api: APIClient, data: str, status: int) -> None:
    answer = api.post("/api/auth/signin", data, content_type="application/json")
    assert (answer.status_code, len(answer["X-Request-ID"])) == (status, 32)


def test_a_preflight_is_answered_with_an_id(api: APIClient) -> None:
    headers = {"origin": "http://localhost:8081", "access-control-request-method": "POST"}
    assert len(api.options("/api/auth/signin", headers=headers)["X-Request-ID"]) == 32


@pytest.mark.django_db
def test_a_static_file_comes_with_an_id(api: APIClient) -> None:
    answer = api.get("/static/admin/css/base.css")
    answer.close()
    assert (answer.status_code, len(answer["X-Request-ID"])) == (200, 32)


def test_two_requests_have_two_ids(api: APIClient) -> None:
    assert api.get("/")["X-Request-ID"] != api.get("/")["X-Request-ID"]


def test_the_id_that_a_trusted_proxy_gave_is_kept(api: APIClient, settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    assert api.get("/", headers={"x-request-id": MINE})["X-Request-ID"] == MINE


def test_the_id_that_anyone_else_gave_is_not(api: APIClient) -> None:
    assert api.get("/", headers={"x-request-id": MINE})["X-Request-ID"] != MINE


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with blanks", "a,b,c,d,e", "x" * 20 + "\n", "é" * 9, "<br/><br/>"]
)
def test_an_id_that_is_not_well_formed_is_not_kept(api: APIClient, settings: Settings, given: str) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    answer = api.get("/", headers={"x-request-id": given})
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])


# --- the line of a request


def test_a_request_is_one_line_that_says_who_asked_for_what_and_what_came_of_it(
    signed_in_as: SignedInAs, lines: Lines
) -> None:
    client = signed_in_as("admin")
    user = User.objects.get()
    before = len(lines())
    answer = client.get(f"/api/users/{user.pk}/roles?page=1", REMOTE_ADDR="203.0.113.7")
    [line] = lines()[before:]
    assert line.pop("milliseconds") > 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "logger": "authproject.request_log",
        "level": "info",
        "request_id": answer["X-Request-ID"],
        "method": "GET",
        "route": "api/users/{pk}/roles",
        "status": 200,
        "user_id": user.pk,
        "address": "203.0.113.7",
    }


@pytest.mark.parametrize(
    ("path", "status", "route"),
    [
        ("/api/test/user", 403, "api/test/user"),
        ("/api/auth/signin?password=x", 405, "api/auth/signin"),
        ("/nothing/to/see", 404, None),
        ("/admin/accounts/user/7/change/", 302, "admin/accounts/user/{object_id}/change/"),
    ],
)
def test_a_refused_request_is_that_line_and_no_more(
    api: APIClient, lines: Lines, path: str, status: int, route: str | None
) -> None:
    api.get(path)
    assert [(line["level"], line["status"], line["route"]) for line in lines()] == [("info", status, route)]


def test_the_address_is_the_one_that_the_trusted_proxy_saw(api: APIClient, lines: Lines, settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    api.get("/", headers={"x-forwarded-for": "203.0.113.7"})
    assert lines()[0]["address"] == "203.0.113.7"


def test_a_sign_in_says_whose_it_was(signed_in_as: SignedInAs, lines: Lines) -> None:
    signed_in_as("user")
    assert lines()[-1]["user_id"] == User.objects.get().pk


def test_a_refresh_says_whose_it_was(
    api: APIClient, make_user: Callable[..., User], sign_in: Callable[..., Any], lines: Lines
) -> None:
    user = make_user()
    api.post("/api/auth/refreshtoken", {"refreshToken": sign_in()["refreshToken"]})
    assert lines()[-1]["user_id"] == user.pk


def test_what_the_admin_answers_says_who_asked(api: APIClient, make_user: Callable[..., User], lines: Lines) -> None:
    user = make_user("root", "admin")
    api.post("/admin/login/", {"username": "root", "password": PASSWORD}, format="multipart")
    api.get("/admin/")
    assert [(line["route"], line["user_id"]) for line in lines()[-2:]] == [
        ("admin/login/", user.pk),
        ("admin/", user.pk),
    ]


def test_nothing_of_a_request_is_left_for_the_next_one(signed_in_as: SignedInAs, api: APIClient, lines: Lines) -> None:
    signed_in_as("user").get("/api/test/user")
    api.get("/")
    assert "user_id" not in lines()[-1]
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize(
    "bound", [{"tenant": 'a"b'}, {"user_id": "seven"}, {"user_id": True}, {"request_id": 'x", "level": "error'}]
)
def test_whatever_else_is_bound_to_a_request_is_in_its_line(
    api: APIClient, lines: Lines, monkeypatch: pytest.MonkeyPatch, bound: dict[str, Any]
) -> None:
    def bind(_: str) -> HttpResponse:
        structlog.contextvars.bind_contextvars(**bound)
        return HttpResponse(content_type="text/plain; charset=utf-8")

    monkeypatch.setattr(content.views, "_text", bind)
    api.get("/api/test/all")
    line = lines()[-1]
    assert {name: line[name] for name in bound} == bound
    assert (line["level"], line["route"]) == ("info", "api/test/all")


def test_a_request_that_took_its_bindings_away_is_a_line_too(
    api: APIClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bind(_: str) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(tenant=1)
        return HttpResponse(content_type="text/plain; charset=utf-8")

    monkeypatch.setattr(content.views, "_text", bind)
    api.get("/api/test/all")
    assert (lines()[-1]["event"], lines()[-1]["tenant"]) == ("request", 1)


# --- errors


def test_an_unforeseen_error_is_logged_with_its_traceback_and_the_id_of_its_request(
    api: APIClient, broken: str, lines: Lines
) -> None:
    answer = api.get(f"{broken}?q=1")
    error, request = lines()
    assert (error["level"], error["event"], error["logger"]) == ("error", "Internal Server Error", "django.request")
    assert error["exception"].endswith("django.db.utils.ProgrammingError: (1146, 'gone away')")
    assert {error["request_id"], request["request_id"]} == {answer["X-Request-ID"]}
    assert (request["level"], request["status"], request["route"]) == ("info", 500, "api/test/all")


def test_an_error_that_a_view_answered_itself_is_logged_with_the_id_of_its_request(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    """Django does so when the request is over."""
    monkeypatch.setattr(content.views, "_text", lambda _: JsonResponse({"message": "No."}, status=500))
    answer = api.get("/api/test/all")
    error = lines()[-1]
    assert (error["event"], error["request_id"]) == ("Internal Server Error", answer["X-Request-ID"])


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_variables(output: io.StringIO, settings: Settings, form: str) -> None:
    settings.LOG_FORMAT = form
    hidden = "".join(["hun", "ter2"])
    try:
        len(hidden) // 0
    except ZeroDivisionError:
        log.exception("failed")
    assert "Traceback" in output.getvalue()
    assert "hunter2" not in output.getvalue()


# --- the audit trail


def record(via: str) -> None:
    AuditEntry.objects.record(Action.ROLE_GRANTED, by=Actor(user_id=7, via=via), subject_id=8, role="admin")


@pytest.mark.django_db(transaction=True)
def test_an_audit_entry_is_a_line_once_it_is_kept(lines: Lines) -> None:
    with transaction.atomic():
        record("api")
        assert lines() == []
    [line] = lines()
    expected = {"event": "audit", "action": "role_granted", "actor_id": 7, "subject_id": 8, "via": "api"}
    assert expected.items() <= line.items()


@pytest.mark.django_db(transaction=True)
def test_an_audit_entry_that_was_rolled_back_is_none(lines: Lines) -> None:
    with transaction.atomic():
        record("api")
        transaction.set_rollback(True)
    assert lines() == []


@pytest.mark.django_db(transaction=True)
def test_what_an_operator_does_is_in_the_audit_trail_alone(lines: Lines) -> None:
    record("command")
    assert (lines(), AuditEntry.objects.count()) == ([], 1)


# --- forms and levels


@pytest.mark.parametrize(
    ("variables", "form"), [({}, "console"), (PRODUCTION, "json")], ids=["development", "production"]
)
def test_lines_are_for_people_in_development_and_for_programs_in_production(
    variables: dict[str, str], form: str
) -> None:
    assert settings_of("LOG_LEVEL", "LOG_FORMAT", **variables) == ["INFO", form]


def test_a_line_for_people_is_one_line_whatever_it_holds(output: io.StringIO, settings: Settings) -> None:
    settings.LOG_FORMAT = "console"
    log.info("hello", name="a\nb\x1b[31m")
    assert output.getvalue().count("\n") == 1
    assert "\x1b" not in output.getvalue()


def test_what_is_no_json_is_logged_all_the_same(lines: Lines) -> None:
    log.info("hello", lone="\ud800", what=Path("/x"), none=None, numbers={1, 2})
    assert lines()[0]["lone"] == "\ud800"


@pytest.mark.parametrize(("level", "libraries"), [("DEBUG", "WARNING"), ("INFO", "WARNING"), ("ERROR", "ERROR")])
def test_libraries_never_tell_more_than_warnings(level: str, libraries: str) -> None:
    configured = logs.config(level)
    assert configured["root"]["level"] == configured["loggers"]["django"]["level"] == libraries
    assert configured["loggers"]["accounts"]["level"] == level


def test_the_level_keeps_the_lines_below_it_away() -> None:
    script = "import django; django.setup(); import logging; from structlog import get_logger as get;"
    script += "get('accounts').info('one'); get('accounts').warning('two'); logging.getLogger('accounts').info('three')"
    done = run("-c", script, LOG_LEVEL="WARNING", LOG_FORMAT="json", DJANGO_SETTINGS_MODULE="authproject.settings")
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["two"]


def test_a_server_that_loses_a_worker_says_so_in_the_same_form(start_server: Callable[..., live.Server]) -> None:
    """The application server's parent process, in which no Django runs."""
    server = start_server(LOG_FORMAT="json", WORKERS="1")
    os.kill(server.children()[0], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while "_granian" not in server.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    said = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert ("_granian", "error") in {(line["logger"], line["level"]) for line in said}


# --- the safety net


@pytest.mark.parametrize(
    "name", ["password", "currentPassword", "accessToken", "refresh_token", "Set-Cookie", "Authorization", "api_key"]
)
@pytest.mark.parametrize(
    "nest", [lambda it: it, lambda it: {"inner": it}, lambda it: {"inner": [it]}], ids=["plain", "nested", "in a list"]
)
def test_the_value_of_a_name_that_says_secret_is_not_written(lines: Lines, name: str, nest: Callable[..., Any]) -> None:
    log.info("hello", **nest({name: "hunter2"}))
    assert "hunter2" not in json.dumps(lines())
    assert "[redacted]" in json.dumps(lines())


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("text", [TOKEN, f"'{TOKEN}'", f"\n{TOKEN}\n", f"Bearer {TOKEN}", f"t={TOKEN[:40]}"])
def test_what_looks_like_a_token_is_not_written(output: io.StringIO, settings: Settings, text: str, form: str) -> None:
    settings.LOG_FORMAT = form
    log.info("hello", text=text)
    logging.getLogger("somebody.else").warning("got %s", text)
    try:
        int(text)
    except ValueError:  # which quotes it
        log.exception("failed")
    assert "eyJ" not in output.getvalue()
    assert output.getvalue().count("[redacted]") == 3


def test_a_long_line_is_searched_in_no_time(output: io.StringIO) -> None:
    """Were it searched anew from each beginning, this would take minutes."""
    log.info("hello", text="eyJ" * 300_000, more="eyJ " * 300_000)
    assert len(output.getvalue()) > 1_000_000
