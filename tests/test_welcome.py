"""GET / and GET /docs: the front door."""

import pytest
from rest_framework.test import APIClient


def test_the_front_door_says_where_to_go(api: APIClient) -> None:
    assert api.get("/").json() == {
        "message": "Welcome to authproject.",
        "documentation": "http://testserver/docs",
        "admin": "http://testserver/admin/",
    }


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
