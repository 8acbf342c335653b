"""What the application server is handed."""

import gc
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from django.core.handlers import base
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, get_urlconf, set_script_prefix, set_urlconf
from django.views.decorators.cache import cache_page
from pytest_django import Settings
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.viewsets import ViewSet

from accounts.models import User
from authproject.wsgi import application
from tests.conftest import PASSWORD

pytestmark = pytest.mark.no_database
Headers = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def _as_in_a_worker() -> None:
    """Which is without what Django's test client connects after each request of its own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)


def ask(path: str, method: str = "GET", body: Any = None) -> tuple[str, Headers, Iterable[bytes]]:
    told: list[Any] = []
    raw = json.dumps(body).encode() if body is not None else b""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "HTTP_HOST": "localhost:8080",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(raw),
        **({"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(raw))} if raw else {}),
    }
    answer = application(environ, lambda *args: told.extend(args))
    return told[0], told[1], answer


def test_an_answer_is_a_list_which_is_sent_in_one_piece() -> None:
    status, headers, body = ask("/api/test/all")
    assert (status, body) == ("200 OK", [b"Public Content."])
    assert ("Content-Length", "15") in headers


@pytest.mark.django_db
def test_a_file_is_not_read_into_memory() -> None:
    status, _, body = ask("/static/admin/css/base.css")
    body.close()  # type: ignore[attr-defined]
    assert (status, isinstance(body, list)) == ("200 OK", False)


ACCOUNT = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}
BOB = {"username": "bob", "email": "bob@example.com", "password": PASSWORD}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "method", "path", "body"),
    [
        (200, "GET", "/api/test/all", None),
        (403, "GET", "/api/test/mod", None),
        (405, "PUT", "/api/test/all", None),
        (200, "POST", "/api/auth/signin", ACCOUNT),
        (401, "POST", "/api/auth/signin", {**ACCOUNT, "password": "a wrong one"}),
        (400, "POST", "/api/auth/signin", {}),
        (400, "POST", "/api/auth/signup", ACCOUNT),
        (400, "POST", "/api/auth/signup", {**BOB, "email": "nowhere"}),
        (400, "POST", "/api/auth/signup", {**BOB, "password": "short"}),
        (403, "POST", "/api/auth/refreshtoken", {"refreshToken": "none"}),
    ],
)
def test_what_a_request_held_is_free_when_its_answer_is_handed_over(
    make_user: Callable[..., User], status: int, method: str, path: str, body: Any
) -> None:
    make_user("alice")
    ask(path, method, body)
    gc.collect()
    gc.disable()
    try:
        answered, *_ = ask(path, method, body)
        assert gc.collect() == 0, "so many things wait for the garbage collector, passwords among them"
    finally:
        gc.enable()
    assert answered.startswith(str(status))


class Keeping(ViewSet):
    authentication_classes = permission_classes = ()
    kept: "Keeping"

    def look(self, request: HttpRequest) -> Response:
        Keeping.kept = self
        return Response({"what": "it said"})


@pytest.fixture
def lead_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """From now on each path leads to that view."""
    return lambda view: monkeypatch.setattr(application, "resolve_request", lambda _: ResolverMatch(view, (), {}))


def test_a_view_that_is_kept_still_knows_its_request_and_its_answer(lead_to: Callable[[Any], None]) -> None:
    lead_to(Keeping.as_view({"get": "look"}))
    ask("/kept")
    kept: Any = Keeping.kept
    assert (kept.request.path, kept.response.data) == ("/kept", {"what": "it said"})


def test_an_answer_can_be_kept_in_a_cache(lead_to: Callable[[Any], None]) -> None:
    lead_to(cache_page(60)(Keeping.as_view({"get": "look"})))
    assert [ask("/cached")[::2] for _ in range(2)] == [("200 OK", [b'{"what":"it said"}'])] * 2


class Taken(ViewSet):
    authentication_classes = permission_classes = ()

    def look(self, request: HttpRequest) -> Response:
        return Response()

    put = look


LOOKED_AT = Taken.as_view({"get": "look"})
POSTED_TO = Taken.as_view({"post": "look"})
WITHOUT_PUT = Taken.as_view({"get": "look"}, http_method_names=["get", "options"])


@pytest.mark.parametrize("time", ["the first time", "the second time"])
@pytest.mark.parametrize(
    ("view", "method", "allowed"),
    [
        (LOOKED_AT, "GET", "GET, PUT, HEAD, OPTIONS"),
        (POSTED_TO, "POST", "POST, PUT, OPTIONS"),
        (WITHOUT_PUT, "GET", "GET, OPTIONS"),
        (POSTED_TO, "DELETE", "POST, PUT, OPTIONS"),
    ],
)
def test_each_route_names_the_methods_that_it_takes(time: str, view: Any, method: str, allowed: str) -> None:
    assert view(APIRequestFactory().generic(method, "/"))["Allow"] == allowed


class Moody(Taken):
    """Takes what it is asked for, as one that looks at who asks may."""

    @property
    def allowed_methods(self) -> list[str]:
        return [str(self.request.method)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_view_that_has_its_own_way_to_tell_its_methods_is_asked_each_time(method: str) -> None:
    assert Moody.as_view({"get": "look"})(APIRequestFactory().generic(method, "/"))["Allow"] == method


def test_a_view_that_is_an_object_and_no_key_is_called_all_the_same() -> None:
    @dataclass
    class View:
        said: str

        def __call__(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse(self.said)

    assert base.iscoroutinefunction(View("here")) is False  # type: ignore[attr-defined]


def test_a_request_is_finished_when_its_answer_is_handed_over() -> None:
    finished: list[object] = []

    def remember(sender: object, **_: Any) -> None:
        finished.append(sender)

    request_finished.connect(remember)
    try:
        ask("/api/test/all")
    finally:
        request_finished.disconnect(remember)
    assert finished == [type(application)]


def test_whoever_fails_when_a_request_is_finished_does_not_undo_its_answer() -> None:
    def fail(**_: Any) -> NoReturn:
        raise OSError("nobody listens")

    request_finished.connect(fail)
    try:
        assert ask("/api/test/all")[2] == [b"Public Content."]
    finally:
        request_finished.disconnect(fail)


def test_a_urlconf_that_a_middleware_gave_to_a_request_is_not_left_to_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve = application.resolve_request

    def elsewhere(request: HttpRequest) -> ResolverMatch:
        request.urlconf = "accounts.urls"
        set_urlconf(request.urlconf)
        return resolve(request)

    monkeypatch.setattr(application, "resolve_request", elsewhere)
    ask("/api/test/all")
    assert get_urlconf() is None


@pytest.mark.django_db
def test_links_begin_with_the_name_under_which_a_proxy_mounts_the_server(settings: Settings) -> None:
    settings.FORCE_SCRIPT_NAME = "/people"
    try:
        _, headers, _ = ask("/admin/")
    finally:
        set_script_prefix("/")
    assert dict(headers)["Location"] == "/people/admin/login/?next=/people/admin/"
