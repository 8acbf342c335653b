"""What a request passes on its way: all middlewares if it asks for a page, few if a program sent it."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path, re_path
from django.views.decorators.clickjacking import xframe_options_exempt

from authproject import wsgi

pytestmark = pytest.mark.no_database


def seen(request: HttpRequest, rest: str = "") -> HttpResponse:
    """What the middlewares of pages have left on the request."""
    return HttpResponse(" ".join(name for name in ("session", "user", "_messages") if hasattr(request, name)))


urlpatterns = [
    path("api/seen", seen),
    path("page", seen),
    path("framed", xframe_options_exempt(seen)),
    re_path("^any/.*$", seen),
    re_path("^named/(?P<rest>.*)$", seen),
]


@pytest.fixture
def client() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(enforce_csrf_checks=True)


@pytest.fixture
def handler() -> Iterator[wsgi.Handler]:
    """As a worker's, with nothing found yet."""
    with override_settings(ROOT_URLCONF=__name__):
        yield wsgi.Handler(wsgi.application.pool)


def test_a_page_has_a_session_a_user_and_messages(client: Client) -> None:
    assert client.get("/page").content == b"session user _messages"


def test_a_program_has_none_of_them(client: Client) -> None:
    assert client.get("/api/seen").content == b""


def test_a_view_of_ones_own_among_the_api_is_still_safe_from_other_sites(client: Client) -> None:
    assert client.post("/api/seen").status_code == 403


def test_another_host_is_refused_after_ours_was_let_in(client: Client) -> None:
    assert client.get("/api/seen", headers={"host": "testserver"}).status_code == 200
    assert client.get("/api/seen", headers={"host": "evil.example"}).status_code == 400


def test_an_answer_to_a_program_says_how_long_it_is(client: Client) -> None:
    assert client.get("/api/seen").headers["Content-Length"] == "0"


def test_a_page_that_may_be_framed_says_so(client: Client) -> None:
    assert "X-Frame-Options" not in client.get("/framed").headers


def test_a_page_that_says_nothing_may_not_be_framed(client: Client) -> None:
    assert client.get("/page").headers["X-Frame-Options"] == "DENY"


def find(handler: wsgi.Handler, path: str) -> Any:
    request = wsgi.Request({"REQUEST_METHOD": "GET", "PATH_INFO": path, "wsgi.input": BytesIO()})
    return handler.resolve_request(request)


def test_a_path_is_looked_up_once(handler: wsgi.Handler) -> None:
    assert find(handler, "/page") is find(handler, "/page")


def test_what_a_path_names_is_looked_up_each_time(handler: wsgi.Handler) -> None:
    assert [find(handler, f"/named/{name}").kwargs for name in "ab"] == [{"rest": "a"}, {"rest": "b"}]
    assert not handler.routes


def test_paths_that_a_stranger_makes_up_fill_no_memory(handler: wsgi.Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "MAX_ROUTES", 2)
    assert {find(handler, f"/any/{name}").func for name in "abc"} == {seen}
    assert len(handler.routes) == 2
