"""What one does on the page at /, step by step, and who does it."""

from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import live
from tests.conftest import PASSWORD

# A page may have to wait for a password to be worked on, on a machine that does so for other tests too.
expect.set_options(timeout=15_000)


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
    sign_in(page, name)


def sign_in(page: Page, name: str) -> None:
    fill(page.locator("#sign-in"), username=name, password=PASSWORD)
    expect(page.get_by_role("heading", name=f"Signed in as {name}")).to_be_focused()


def answers(page: Page) -> Locator:
    return page.locator(".board .badge")
