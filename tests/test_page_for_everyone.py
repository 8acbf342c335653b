"""The page at / is for everyone: by keyboard alone, on a small phone, with a screen reader, without JavaScript."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests import live
from tests.browser import new_page
from tests.conftest import PASSWORD
from tests.page_steps import answers, enter, fill
from tests.page_steps import boss as boss
from tests.page_steps import name as name

pytestmark = pytest.mark.no_database

AXE = live.ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 320, "height": 640}


def test_without_javascript_one_is_told_where_to_read_on(chromium: Browser, server: live.Server) -> None:
    with new_page(chromium, java_script_enabled=False) as page:
        page.goto(server.url)
        expect(page.get_by_role("link", name="the documentation")).to_have_attribute("href", "/docs")
        expect(page.get_by_role("textbox")).to_have_count(0)


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
