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
PASSWORD = "correct horse battery"
PEOPLE = {"ada": ["admin", "user"], "grace": ["moderator", "user"], "linus": ["user"], "margaret": ["user"]}
PICTURES: dict[str, dict[str, Any]] = {
    "page-light": {"color_scheme": "light", "viewport": {"width": 1080, "height": 800}},
    "page-dark": {"color_scheme": "dark", "viewport": {"width": 1080, "height": 800}},
    "page-phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server.start(Path(folder), {"ENV_FILE": os.devnull, "SECRET_KEY": get_random_secret_key()})
        try:
            fill(server)
            chromium = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-lcd-text"])
            for name, options in PICTURES.items():
                take(chromium, server.url, name, options)
            chromium.close()
        finally:
            server.stop()


def fill(server: Server) -> None:
    for name, roles in PEOPLE.items():
        chosen = [word for role in roles for word in ("--role", role)]
        server.manage("create_user", name, f"{name}@example.com", *chosen, stdin=PASSWORD)


def take(chromium: Browser, url: str, name: str, options: dict[str, Any]) -> None:
    with new_page(chromium, **options) as page:
        page.goto(url)
        if "phone" not in name:
            enter(page)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


def enter(page: Page) -> None:
    form = page.locator("#sign-in")
    form.get_by_label("Username").fill("ada")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button").click()
    page.get_by_text("margaret@example.com").wait_for()


if __name__ == "__main__":
    main()
