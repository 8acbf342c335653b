"""The page at / in a real browser, on a server that hands tokens out in cookies, for four seconds each."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import live
from tests.page_steps import answers, enter, sign_in, sign_up

pytestmark = pytest.mark.no_database


# The page learns that its token has ended when it is told to.
REFUSAL_WAITS = """(path) => {
    const send = window.fetch;
    const told = new Promise((resolve) => { window.goOn = resolve; });
    window.fetch = async (...said) => {
        const answer = await send(...said);
        if (said[0].endsWith(path) && answer.status === 401) await told;
        return answer;
    };
}"""


@pytest.fixture(scope="module")
def with_cookies(start_server: Callable[..., live.Server]) -> live.Server:
    server = start_server(TOKEN_DELIVERY="cookie", ACCESS_TOKEN_LIFETIME="4")
    sign_up(server, "ada", "bob")
    return server


def leave_to_end(page: Page, server: live.Server) -> None:
    """Signed in, with a token that has ended, and that is not refreshed by itself."""
    enter(page, server, "ada")
    page.get_by_label("Refresh by itself").uncheck()
    expect(page.get_by_role("timer")).to_have_text("ended")


def test_whoever_is_signed_in_still_is_after_a_reload(page: Page, with_cookies: live.Server) -> None:
    enter(page, with_cookies, "ada")
    page.reload()
    expect(page.get_by_role("heading", name="Signed in as ada")).to_be_visible()
    expect(page.get_by_role("timer")).to_contain_text("00:0")
    assert page.evaluate("JSON.stringify(localStorage)").count("eyJ") == 0


def test_a_token_that_was_left_to_end_is_refused_and_refreshed_when_asked_to(
    page: Page, with_cookies: live.Server
) -> None:
    leave_to_end(page, with_cookies)
    page.get_by_role("button", name="Ask again Users").click()
    expect(page.get_by_text("Unauthorized! Access Token was expired!", exact=True)).to_be_visible()
    with page.expect_response("**/api/auth/refreshtoken") as refreshed:
        page.get_by_role("button", name="Refresh now").click()
    assert refreshed.value.status == 200
    # However slow the machine is, the token that is shown then is a good one.
    page.get_by_label("Refresh by itself").check()
    page.get_by_role("button", name="Ask all again").click()
    expect(answers(page).nth(1)).to_have_text("200 open")


def test_many_requests_with_a_token_that_has_ended_refresh_it_once(page: Page, with_cookies: live.Server) -> None:
    leave_to_end(page, with_cookies)
    refreshes: list[str] = []
    page.on("request", lambda request: refreshes.append(request.url) if "refreshtoken" in request.url else None)
    page.evaluate(REFUSAL_WAITS, "/me")
    with page.expect_response("**/api/auth/refreshtoken"):
        page.evaluate(
            "document.querySelector('#automatic').click(); document.querySelector('#boards .top button').click()"
        )
    # The clock has had it refreshed already.
    page.wait_for_timeout(200)
    page.evaluate("window.goOn()")
    expect(page.get_by_role("status")).to_have_text("2 of 4 boards are open.")
    assert len(refreshes) == 1


def test_a_refusal_that_arrives_when_the_next_token_has_ended_too_brings_another_one(
    page: Page, with_cookies: live.Server
) -> None:
    leave_to_end(page, with_cookies)
    page.evaluate(REFUSAL_WAITS, "/user")
    with page.expect_response("**/api/test/user"):
        page.get_by_role("button", name="Ask again Users").click()
    with page.expect_response("**/api/auth/refreshtoken"):
        page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_role("timer")).to_contain_text("00:0")
    expect(page.get_by_role("timer")).to_have_text("ended")
    page.evaluate("document.querySelector('#automatic').click(); window.goOn()")
    expect(page.get_by_role("status")).to_contain_text("Users: open")


def test_a_tab_follows_when_somebody_else_signs_in_in_another(page: Page, with_cookies: live.Server) -> None:
    other = page.context.new_page()
    other.goto(with_cookies.url)
    enter(page, with_cookies, "ada")
    sign_in(other, "bob")
    expect(page.get_by_role("heading", name="Signed in as bob")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(other.locator("#sign-in").get_by_role("alert")).to_have_text("You were signed out in another tab.")


def test_whoever_signs_out_everywhere_is_out_in_another_tab_and_after_a_reload(
    page: Page, with_cookies: live.Server
) -> None:
    enter(page, with_cookies, "ada")
    other = page.context.new_page()
    other.goto(with_cookies.url)
    expect(other.get_by_role("heading", name="Signed in as ada")).to_be_visible()
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_focused()
    expect(other.locator("#sign-in").get_by_role("alert")).to_have_text("You were signed out in another tab.")
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
