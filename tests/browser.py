"""Chromium for tests: Debian's, driven by Playwright. On pages that are served here nothing may go wrong unseen."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright


def found() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Closed after each module: while Playwright runs, Django takes the thread for an asynchronous one, and refuses
    its database. So what these tests need in a database they have the server's commands or its API do."""
    if not found():
        pytest.skip("Chromium is not installed here (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def new_page(chromium: Browser, **options: Any) -> Iterator[Page]:
    """A page in a profile of its own, with the options of `Browser.new_context`; fails where a script fails, or the
    content security policy stops anything."""
    context: BrowserContext = chromium.new_context(**options)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if _is_violation(line.text) else None)
    yield page
    context.close()
    assert not wrong


def _is_violation(line: str) -> bool:
    return "Content Security Policy" in line or "Refused to" in line


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page of a desktop's size, in light colours, which waits ten seconds for what a test names."""
    with new_page(chromium, color_scheme="light", viewport={"width": 1280, "height": 800}) as page:
        page.set_default_timeout(10_000)
        yield page
