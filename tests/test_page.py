"""The page at / in a real browser, on a server that hands tokens out in the body, as it does out of the box."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import live
from tests.browser import new_page
from tests.conftest import PASSWORD
from tests.page_steps import ann as ann
from tests.page_steps import answers, enter, fill, sign_up
from tests.page_steps import boss as boss
from tests.page_steps import name as name

# What the page does is the same whatever the database; what the server does, other tests ask of each.
pytestmark = pytest.mark.no_database

NASTY = "<img src=x onerror=alert(1)>"


def test_whoever_signs_up_is_in_and_sees_which_boards_are_open(page: Page, server: live.Server, name: str) -> None:
    page.goto(server.url)
    expect(answers(page)).to_have_text(["200 open", "403 refused", "403 refused", "403 refused"])
    fill(page.locator("#sign-up"), username=name, email=f"{name}@example.com", password=PASSWORD)
    expect(page.get_by_role("heading", name=f"Signed in as {name}")).to_be_focused()
    expect(answers(page)).to_have_text(["200 open", "200 open", "403 refused", "403 refused"])
    expect(page.get_by_text("Require Moderator Role!")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("You've been signed out!")
    expect(answers(page)).to_have_text(["200 open", "403 refused", "403 refused", "403 refused"])


def test_what_is_refused_is_said_beside_the_form_that_keeps_what_was_typed(
    page: Page, server: live.Server, name: str
) -> None:
    page.goto(server.url)
    form = page.locator("#sign-up")
    fill(form, username=name, email="no address", password=PASSWORD)
    expect(form.get_by_role("alert")).to_have_text("Email is not a valid address.")
    expect(form.get_by_label("Password")).to_have_value(PASSWORD)
    fill(page.locator("#sign-in"), username=name, password="wrong password")
    expect(page.locator("#sign-in").get_by_role("alert")).to_have_text("Invalid Password!")


def test_whoever_has_to_wait_is_told_how_long_though_a_proxy_has_no_words_for_it(
    page: Page, server: live.Server
) -> None:
    busy = {"status": 503, "headers": {"Retry-After": "7"}, "content_type": "text/html", "body": "<h1>Busy</h1>"}
    page.route("**/signin", lambda route: route.fulfill(**busy))
    page.goto(server.url)
    fill(page.locator("#sign-in"), username="ada", password=PASSWORD)
    alert = page.locator("#sign-in").get_by_role("alert")
    expect(alert).to_have_text("The server answered 503. Please try again in 7 seconds.")


def test_the_access_token_is_counted_down_and_refreshed_before_it_ends(
    page: Page, server: live.Server, ann: str
) -> None:
    page.clock.install()
    enter(page, server, ann)
    timer = page.get_by_role("timer")
    page.clock.fast_forward("30:00")
    expect(timer).to_contain_text("29:")
    with page.expect_response("**/api/auth/refreshtoken") as refreshed:
        page.clock.fast_forward("29:45")
    assert refreshed.value.status == 200
    expect(timer).to_have_text("1:00:00")
    with page.expect_response("**/api/auth/refreshtoken"):
        page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_role("status")).to_have_text("The access token was refreshed.")


def test_another_session_is_shown_as_text_and_ended(page: Page, server: live.Server, ann: str) -> None:
    with server.client(headers={"user-agent": NASTY}) as thief:
        body = thief.post("/api/auth/signin", json={"username": ann, "password": PASSWORD}).json()
        enter(page, server, ann)
        session = page.locator("#sessions li", has_text=NASTY)
        session.get_by_role("button").click()
        expect(session).to_have_count(0)
        answer = thief.get("/api/test/user", headers={"x-access-token": body["accessToken"]})
    assert answer.status_code == 401


def test_devices_have_the_names_of_what_they_are_and_not_of_what_they_claim_to_be(
    page: Page, server: live.Server, ann: str
) -> None:
    devices = {
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/151.0": "Edge 151 on Windows",
        "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/150.0 Safari/537.36": "Chrome 150 on Android",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) CriOS/150.0 Safari/604.1": "Chrome 150 on iPhone",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15": "Safari 18 on macOS",
        "curl/8.5.0": "curl/8.5.0",
    }
    for user_agent in devices:
        with server.client(headers={"user-agent": user_agent}) as client:
            client.post("/api/auth/signin", json={"username": ann, "password": PASSWORD})
    enter(page, server, ann)
    shown = page.locator("#sessions li strong")
    expect(shown).to_have_count(6)
    assert set(shown.all_inner_texts()) > set(devices.values())


def test_one_signs_out_in_a_browser_that_lets_pages_keep_nothing(page: Page, server: live.Server, ann: str) -> None:
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('Denied') }})")
    enter(page, server, ann)
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_focused()


def test_who_gives_up_the_role_admin_goes_on_without_what_was_managed(
    page: Page, server: live.Server, boss: str, ann: str
) -> None:
    server.manage("grant_role", ann, "admin")
    enter(page, server, ann)
    find(page, ann)
    page.get_by_role("button", name=f"Revoke admin from {ann}").click()
    expect(page.get_by_role("heading", name=f"Signed in as {ann}")).to_be_focused()
    expect(page.locator("#people")).to_be_hidden()


def test_a_new_password_ends_the_other_sessions_and_this_one_goes_on(page: Page, server: live.Server, ann: str) -> None:
    with server.client() as client:
        client.post("/api/auth/signin", json={"username": ann, "password": PASSWORD})
    enter(page, server, ann)
    expect(page.locator("#sessions li")).to_have_count(2)
    form = page.locator("#password")
    fill(form, current_password="not it", new_password=f"{PASSWORD} 2")
    expect(form.get_by_role("alert")).to_have_text("The current password is not right.")
    fill(form, current_password=PASSWORD)
    expect(page.locator("#sessions li")).to_have_count(1)
    expect(form.get_by_role("alert")).to_be_hidden()


def test_a_role_that_an_admin_grants_opens_the_board_at_once(
    chromium: Browser, page: Page, server: live.Server, boss: str, ann: str
) -> None:
    enter(page, server, boss)
    with new_page(chromium) as other:
        enter(other, server, ann)
        find(page, ann)
        person = page.locator("#people li", has_text=f"{ann}@example.com")
        person.get_by_text("Grant a role").click()
        person.get_by_label("Role").select_option("moderator")
        person.get_by_label("Until").fill("2099-01-31T18:00")
        person.get_by_role("button", name=f"Grant to {ann}").click()
        expect(person.get_by_text("until 31 Jan 2099, 18:00")).to_be_visible()
        other.get_by_role("button", name="Ask again Moderators").click()
        expect(other.get_by_text("Moderator Content.", exact=True)).to_be_visible()
        person.get_by_role("button", name=f"Revoke moderator from {ann}").click()
        expect(person.locator("summary")).to_be_focused()
        person.get_by_role("button", name=f"Deactivate {ann}").click()
        expect(person.get_by_text("inactive", exact=True)).to_be_visible()
        other.get_by_role("button", name="Ask all again").click()
        expect(other.locator("#sign-in").get_by_role("alert")).to_have_text("Refresh token is not in database!")


def find(page: Page, name: str) -> None:
    """Among the people; what is done before the answer would be done to rows that go."""
    fill(page.get_by_role("search"), name_or_email=name)
    expect(page.get_by_role("status")).to_have_text("1 person found.")


def test_people_come_page_by_page(page: Page, server: live.Server, boss: str, name: str) -> None:
    sign_up(server, *(f"{name}.{number}" for number in range(21)))
    enter(page, server, boss)
    fill(page.get_by_role("search"), name_or_email=name)
    expect(page.get_by_role("status")).to_have_text("20 people found.")
    page.get_by_role("button", name="Show more people").click()
    expect(page.locator("#people li", has_text=f"{name}.20@example.com")).to_be_focused()
    expect(page.get_by_role("button", name="Show more people")).to_be_hidden()


def test_an_admin_adds_a_role_and_reads_why_another_is_none(
    page: Page, server: live.Server, boss: str, name: str
) -> None:
    enter(page, server, boss)
    form = page.locator("#roles form")
    fill(form, name="Not A Name", description=NASTY)
    expect(form.get_by_role("alert")).not_to_be_empty()
    fill(form, name=name)
    expect(page.locator("#roles li", has_text=name)).to_contain_text(NASTY)
