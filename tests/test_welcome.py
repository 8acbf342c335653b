"""GET / and GET /docs: the front door. What the page there does, tests/test_page*.py try in a browser."""

import re

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.asking import PRODUCTION, settings_of

pytestmark = pytest.mark.no_database

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
AXIOS = "application/json, text/plain, */*"


def test_the_front_door_says_where_to_go(api: APIClient) -> None:
    assert api.get("/").json() == {
        "message": "Welcome to authproject.",
        "documentation": "http://testserver/docs",
        "admin": "http://testserver/admin/",
    }


@pytest.mark.parametrize("accept", [CHROMIUM, FIREFOX, "text/html", "text/*", "application/json;q=0.9, text/html"])
def test_who_prefers_html_gets_a_page(api: APIClient, accept: str) -> None:
    answer = api.get("/", headers={"accept": accept})
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer.content.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    "accept",
    [
        *("*/*", AXIOS, "application/json", "", "nonsense", "application/json, text/html", "image/png"),
        *("text/html;q=0", "text/html;q=0.5, application/json", "text/html;q=0.5, */*", ",;q=,/"),
    ],
)
def test_everyone_else_gets_json_to_the_byte_as_ever(api: APIClient, accept: str) -> None:
    answer = api.get("/", headers={"accept": accept})
    assert (answer["Content-Type"], answer.content) == ("application/json", api.get("/").content)


@pytest.mark.parametrize("accept", [CHROMIUM, "*/*"])
def test_caches_are_told_that_the_answer_depends_on_accept(api: APIClient, accept: str) -> None:
    assert "Accept" in api.get("/", headers={"accept": accept})["Vary"].split(", ")


def test_the_page_can_be_switched_off(api: APIClient, settings: Settings) -> None:
    settings.WELCOME_PAGE = False
    assert api.get("/", headers={"accept": CHROMIUM})["Content-Type"] == "application/json"


def test_the_page_is_off_in_production_unless_it_is_asked_for() -> None:
    assert settings_of("WELCOME_PAGE") == [True]
    assert settings_of("WELCOME_PAGE", **PRODUCTION) == [False]
    assert settings_of("WELCOME_PAGE", **PRODUCTION, WELCOME_PAGE="on") == [True]


@pytest.mark.parametrize(
    ("delivery", "said"), [("body", 'data-tokens="body"'), ("cookie", 'data-tokens="cookies"'), ("both", "cookies")]
)
def test_the_page_says_where_tokens_go_and_how_long_they_last(
    api: APIClient, settings: Settings, delivery: str, said: str
) -> None:
    settings.TOKEN_DELIVERY, settings.ACCESS_TOKEN_LIFETIME = delivery, 77
    page = api.get("/", headers={"accept": CHROMIUM}).content.decode()
    assert said in page
    assert 'data-lifetime="77"' in page


def test_the_page_and_all_that_it_loads_come_from_here_in_less_than_40_kilobytes(client: Client) -> None:
    page = client.get("/", headers={"accept": CHROMIUM}).content
    waiting, read = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.decode()), dict[str, bytes]()
    while waiting:
        path = waiting.pop()
        if path not in read:
            read[path] = b"".join(client.get(path))
            waiting += [f"/static/authproject/{name}" for name in re.findall(r'from "./([\w.]+)"', read[path].decode())]
    assert {path.rsplit("/")[-1] for path in read} >= {"main.js", "session.js", "roles.js", "page.css", "icon.svg"}
    assert sum(map(len, (page, *read.values()))) < 40_000


@pytest.mark.parametrize("path", ["/docs", "/docs/contract.md"])
def test_the_documentation_is_the_wire_contract(api: APIClient, path: str) -> None:
    response = api.get(path)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert b"POST /api/auth/signin" in response.content


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("*/*", "text/plain"),
        ("text/plain", "text/plain"),
        ("application/json, text/html;q=0.5", "text/plain"),
        ("text/html;q=0", "text/plain"),
    ],
)
def test_browsers_get_the_documentation_as_a_page(api: APIClient, accept: str, kind: str) -> None:
    response = api.get("/docs", headers={"accept": accept})
    assert response["Content-Type"] == f"{kind}; charset=utf-8"
    assert "Accept" in response["Vary"]


def test_only_that_page_may_show_images_that_are_within_a_style_sheet(api: APIClient) -> None:
    page, text = (api.get("/docs", headers={"accept": accept}) for accept in ("text/html", "*/*"))
    allowed, usual = ({*answer["Content-Security-Policy"].split("; ")} for answer in (page, text))
    assert (allowed - usual, usual - allowed) == ({"img-src 'self' data:"}, {"img-src 'self'"})
