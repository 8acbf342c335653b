"""Makes the pictures in docs/screenshots anew: python -m tests.screenshots"""

import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.utils import get_random_secret_key
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import find_chromium, new_page
from tests.live import ROOT, Server

FOLDER = ROOT / "docs" / "screenshots"
MARGIN = 16
PASSWORD = "correct horse battery"
PEOPLE = {"ada": ["admin", "user"], "grace": ["moderator", "user"], "linus": ["user"], "margaret": ["user"]}
DEVICES = ["Mozilla/5.0 (iPhone) Version/26.0 Mobile", "Mozilla/5.0 (Windows NT 10.0) Firefox/145.0"]
DESKTOP, PHONE = {"width": 1080, "height": 800}, {"width": 390, "height": 844}
# Of each picture: whose page it shows, in which colours and size, and from which element to which.
PICTURES: list[tuple[str, str, dict[str, Any], tuple[str, str]]] = [
    ("page-light", "ada", {"color_scheme": "light", "viewport": DESKTOP}, ("header", "#account")),
    ("page-dark", "ada", {"color_scheme": "dark", "viewport": DESKTOP}, ("#account", "#management")),
    ("page-phone", "grace", {"color_scheme": "light", "viewport": PHONE}, ("header", ".board:nth-child(3)")),
]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authproject.settings")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server.start(Path(folder), {"ENV_FILE": os.devnull, "SECRET_KEY": get_random_secret_key()})
        try:
            fill(server)
            chromium = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            for picture in PICTURES:
                take(chromium, server.url, *picture)
            chromium.close()
        finally:
            server.stop()


def fill(server: Server) -> None:
    for name, roles in PEOPLE.items():
        chosen = [word for role in roles for word in ("--role", role)]
        server.manage("create_user", name, f"{name}@example.com", *chosen, stdin=PASSWORD)
    for device in DEVICES:
        with server.client(headers={"user-agent": device}) as client:
            client.post("/api/auth/signin", json={"username": "ada", "password": PASSWORD}).raise_for_status()


def take(chromium: Browser, url: str, name: str, person: str, options: dict[str, Any], shown: tuple[str, str]) -> None:
    with new_page(chromium, **options) as page:
        page.goto(url)
        enter(page, person)
        if name == "page-dark":
            page.locator("#people summary").nth(2).click()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{name}.png", full_page=True, clip=between(page, *shown))


def enter(page: Page, person: str) -> None:
    form = page.locator("#sign-in")
    form.get_by_label("Username").fill(person)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button").click()
    page.get_by_role("heading", name=f"Signed in as {person}").wait_for()
    page.wait_for_load_state("networkidle")
    # The ring of the focus, which is there to be seen by those who need it, would be all that one looks at.
    page.locator("h1").click()


def between(page: Page, first: str, last: str) -> Any:
    """The part of the page from one element to another, over its whole width."""
    page.evaluate("scrollTo(0, 0)")
    top, bottom = page.locator(first).bounding_box(), page.locator(last).bounding_box()
    assert top
    assert bottom
    y = max(top["y"] - MARGIN, 0)
    return {"x": 0, "y": y, "width": page.evaluate("innerWidth"), "height": bottom["y"] + bottom["height"] + MARGIN - y}


if __name__ == "__main__":
    main()
