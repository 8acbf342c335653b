"""The admin in a real browser: nothing that the content security policy stops, by keyboard alone, and on a phone."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import new_page
from tests.conftest import PASSWORD
from tests.live import Server

pytestmark = pytest.mark.no_database

PEOPLE = "/admin/accounts/user/"


@pytest.fixture(scope="module")
def site(start_server: Callable[..., Server]) -> Server:
    """With an admin, and with alice, who is signed in."""
    server = start_server()
    server.manage("create_user", "root", "root@example.com", "--role", "admin", stdin=PASSWORD)
    server.manage("create_user", "alice", "alice@example.com", stdin=PASSWORD)
    with server.client() as client:
        answer = client.post("/api/auth/signin", json={"username": "alice", "password": PASSWORD})
        assert answer.status_code == 200
    return server


def sign_in(page: Page, site: Server) -> None:
    """Types, as the field is there to be typed into."""
    page.goto(f"{site.url}/admin/")
    for text, key in (("root", "Tab"), (PASSWORD, "Enter")):
        page.keyboard.type(text)
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


def focus(page: Page, target: Any) -> None:
    """By the Tab key, as far as it takes."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"The Tab key does not lead to {target}")


def test_by_keyboard_one_reads_the_numbers_and_ends_a_session_after_a_question(page: Page, site: Server) -> None:
    sign_in(page, site)
    expect(page.get_by_role("img", name=re.compile("of each of the last 30 days"))).to_be_visible()
    focus(page, page.get_by_text("The same as a table"))
    page.keyboard.press("Enter")
    expect(page.locator(".chart tbody tr").first).to_contain_text("2")

    page.goto(f"{site.url}{PEOPLE}?q=alice")
    focus(page, page.get_by_role("link", name="alice", exact=True))
    page.keyboard.press("Enter")
    focus(page, page.get_by_role("button", name=re.compile("^End the session at")))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Revoke 1 session?")).to_be_visible()
    focus(page, page.get_by_role("button", name="Yes, revoke"))
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("Sessions revoked: 1 (alice at 127.0.0.1")


@pytest.fixture(params=["light", "dark"])
def phone(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    viewport = {"width": 390, "height": 844}
    with new_page(chromium, color_scheme=request.param, viewport=viewport) as page:
        yield page


def test_on_a_phone_no_page_is_wider_than_it(phone: Page, site: Server) -> None:
    sign_in(phone, site)
    seen = [overhang(phone)]
    phone.get_by_text("The same as a table").click()
    seen.append(overhang(phone))
    phone.goto(f"{site.url}{PEOPLE}")
    seen.append(overhang(phone))
    phone.get_by_role("link", name="alice", exact=True).click()
    expect(phone.get_by_role("heading", name="Signed in")).to_be_attached()
    seen.append(overhang(phone))
    phone.goto(f"{site.url}{PEOPLE}?q=alice")
    phone.locator("input.action-select").check()
    phone.get_by_label("Action:").select_option("grant_role")
    phone.get_by_role("button", name="Go", exact=True).click()
    expect(phone.get_by_label("Role:")).to_be_visible()
    seen.append(overhang(phone))
    phone.get_by_label("Role:").select_option("moderator")
    phone.get_by_role("button", name="Go on").click()
    expect(phone.get_by_role("heading", name="Give the role moderator to 1 user?")).to_be_visible()
    seen.append(overhang(phone))
    assert seen == [0] * len(seen)


def overhang(page: Page) -> int:
    """Pixels by which the page can be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_whoever_signs_up_with_a_long_name_hides_nothing_of_the_others(page: Page, site: Server) -> None:
    long = {"username": "w" * 150, "email": f"{'m' * 60}@{'d' * 60}.example.com", "password": PASSWORD}
    with site.client() as client:
        assert client.post("/api/auth/signup", json=long).status_code == 200
    sign_in(page, site)
    page.goto(f"{site.url}{PEOPLE}")
    list_of_people = page.locator(".results")
    assert list_of_people.evaluate("element => element.scrollWidth - element.clientWidth") == 0


def test_the_colours_follow_the_system_and_the_button(page: Page, site: Server) -> None:
    sign_in(page, site)
    bar = page.locator(".plot rect.sign_ins").first
    light = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.emulate_media(color_scheme="dark")
    dark = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.get_by_role("button", name=re.compile("Toggle theme")).click()
    chosen = bar.evaluate("bar => getComputedStyle(bar).fill")
    assert (light != dark, chosen) == (True, light)
