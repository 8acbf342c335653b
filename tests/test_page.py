"""The page at / in a real browser, on a server that hands tokens out in the body, as it does out of the box."""

from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests import live
from tests.browser import new_page
from tests.conftest import PASSWORD

# What the page does is the same whatever the database; what the server does, other tests ask of each.
pytestmark = pytest.mark.no_database

AXE = live.ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
NASTY = "<img src=x onerror=alert(1)>"
PHONE = {"width": 320, "height": 640}


@pytest.fixture
def name() -> str:
    """Of nobody yet on the server, which other tests use too."""
    return f"n{uuid4().hex[:12]}"


@pytest.fixture
def ann(server: live.Server, name: str) -> str:
    """The name of somebody who has signed up."""
    sign_up(server, name)
    return name


@pytest.fixture(scope="module")
def boss(server: live.Server) -> str:
    """The name of an admin."""
    name = f"boss{uuid4().hex[:12]}"
    server.manage("create_user", name, f"{name}@example.com", "--role", "admin", stdin=PASSWORD)
    return name


def sign_up(server: live.Server, *names: str) -> None:
    with server.client() as client:
        for name in names:
            account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            assert client.post("/api/auth/signup", json=account).status_code == 200


def fill(form: Locator, **fields: str) -> None:
    for label, text in fields.items():
        form.get_by_label(label.replace("_", " ").capitalize(), exact=True).fill(text)
    form.get_by_role("button").first.click()


def enter(page: Page, server: live.Server, name: str) -> None:
    page.goto(server.url)
    fill(page.locator("#sign-in"), username=name, password=PASSWORD)
    expect(page.get_by_role("heading", name=f"Signed in as {name}")).to_be_focused()


def answers(page: Page) -> Locator:
    return page.locator(".board .badge")


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


def test_without_javascript_one_is_told_where_to_read_on(chromium: Browser, server: live.Server) -> None:
    with new_page(chromium, java_script_enabled=False) as page:
        page.goto(server.url)
        expect(page.get_by_role("link", name="the documentation")).to_have_attribute("href", "/docs")
        expect(page.get_by_role("textbox")).to_have_count(0)


def test_a_role_that_an_admin_grants_opens_the_board_at_once(
    chromium: Browser, page: Page, server: live.Server, boss: str, ann: str
) -> None:
    enter(page, server, boss)
    with new_page(chromium) as other:
        enter(other, server, ann)
        fill(page.get_by_role("search"), name_or_email=ann)
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


def test_all_of_it_can_be_done_by_keyboard_alone(page: Page, server: live.Server, name: str) -> None:
    page.goto(server.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.locator("#sign-up").get_by_label("Username"))
    for text in (name, f"{name}@example.com", PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Signed in as {name}")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Ask again Admins"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Admins: refused, Require Admin Role!")


def tab_to(page: Page, control: Locator) -> None:
    for _ in range(30):
        if control.evaluate("control => control === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("The key Tab does not lead there.")


def test_nothing_is_wider_than_a_small_phone(chromium: Browser, server: live.Server, boss: str) -> None:
    with new_page(chromium, viewport=PHONE) as page:
        page.goto(server.url)
        expect(answers(page)).to_contain_text(["200", "403", "403", "403"])
        assert width_of(page) == PHONE["width"]
        enter(page, server, boss)
        page.locator("#people summary").first.click()
        assert width_of(page) == PHONE["width"]


def width_of(page: Page) -> Any:
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.skipif(not AXE.exists(), reason="run `npm ci` in tests/node first")
def test_axe_finds_no_fault_in_light_and_dark(page: Page, server: live.Server, boss: str) -> None:
    page.goto(server.url)
    fill(page.locator("#sign-in"), username=boss, password="")
    expect(page.locator("#sign-in").get_by_role("alert")).not_to_be_empty()
    assert faults(page) == []
    enter(page, server, boss)
    page.locator("#people summary").first.click()
    expect(page.locator("#people option")).not_to_have_count(0)
    assert faults(page) == []


def faults(page: Page) -> Any:
    """What axe-core complains of, evaluated past the content security policy, which it would not pass as a script."""
    page.evaluate(f"{AXE.read_text()}; 0")
    return [fault for scheme in ("light", "dark") for fault in faults_in(page, scheme)]


def faults_in(page: Page, scheme: Any) -> list[Any]:
    page.emulate_media(color_scheme=scheme)
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})")
    return [(scheme, fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found["violations"]]
