"""The page at /docs, in a browser: it shows the description, and the description can be tried. All of it comes from
here, and `page` sees to it that the content security policy had nothing to stop."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import new_page
from tests.conftest import PASSWORD
from tests.live import Server

ADA = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}

pytestmark = pytest.mark.no_database


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Server]) -> Server:
    server = start_server(WORKERS="1")
    with server.client() as client:
        assert client.post("/api/auth/signup", json=ADA).status_code == 200
    return server


def visit(page: Page, server: Server) -> None:
    page.goto("about:blank")
    page.goto(f"{server.url}/docs")
    expect(operation(page, "auth_signin")).to_be_visible()


def operation(page: Page, name: str) -> Locator:
    return page.locator(f"#operations-{name.partition('_')[0]}-{name}")


def status_of(page: Page, name: str) -> str:
    """Sends the operation as its example has it; the status of the answer."""
    shown = operation(page, name)
    if "is-open" not in (shown.get_attribute("class") or ""):
        shown.locator(".opblock-summary-control").click()
    with page.expect_response(lambda answer: "/api/" in answer.url) as answered:
        shown.locator(".execute").click()
    expect(shown.locator(".live-responses-table tbody .response-col_status")).to_contain_text(
        str(answered.value.status)
    )
    return str(answered.value.status)


def test_it_shows_every_operation_and_asks_no_other_server(page: Page, server: Server) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page, server)
    with server.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    expect(page.locator(".opblock")).to_have_count(sum(map(len, paths.values())))
    assert [url for url in asked if not url.startswith((f"{server.url}/", "about:"))] == []


def test_who_signs_in_there_has_the_token_sent_until_they_sign_out(page: Page, server: Server) -> None:
    visit(page, server)
    assert status_of(page, "board_user") == "403"
    assert status_of(page, "auth_signin") == "200"
    assert status_of(page, "board_user") == "200"
    assert page.evaluate("Object.keys(localStorage)") == []
    assert status_of(page, "auth_signout") == "200"
    assert status_of(page, "board_user") == "403"


def test_an_example_of_an_answer_is_what_a_server_said(page: Page, server: Server) -> None:
    visit(page, server)
    operation(page, "board_mod").locator(".opblock-summary-control").click()
    refused = operation(page, "board_mod").locator(".response[data-code='403']")
    refused.locator(".examples-select-element").select_option("the_role_moderator_is_missing")
    expect(refused).to_contain_text("Require Moderator Role!")


def test_it_has_one_main_part_which_the_first_link_leads_to(page: Page, server: Server) -> None:
    visit(page, server)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#swagger")).to_be_focused()
    expect(page.get_by_role("main")).to_have_count(1)


def test_it_is_dark_for_who_prefers_that(chromium: Browser, server: Server) -> None:
    with new_page(chromium, color_scheme="dark") as page:
        visit(page, server)
        expect(page.locator("html")).to_have_class("dark-mode")
        page.emulate_media(color_scheme="light")
        expect(page.locator("html")).not_to_have_class("dark-mode")
