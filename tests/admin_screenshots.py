"""`python -m tests.admin_screenshots` takes the pictures of docs/screenshots/ anew, of a server with made-up people."""

import os
import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password
from playwright.sync_api import Browser, Page, sync_playwright

from tests import browser, live

PASSWORD = "correct horse battery"
FOLDER = live.ROOT / "docs" / "screenshots"
NAMES = ("ada", "grace", "alan", "edsger", "barbara", "donald", "katherine", "linus", "margaret", "tim", "radia", "ken")
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
# The pictures in the documentation, and of what part of the page.
SHOWN = {
    "admin-dashboard": "#container",
    "admin-dashboard-dark": "#container",
    "admin-user": "#content",
    "admin-confirmation": "#container",
}
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36",
)


# --- in the server's own process, by `manage.py shell`


def fill() -> None:
    """A dozen people, the last thirty days of a middling site, and Ada, who has some of everything."""
    from accounts import services
    from accounts.models import Actor, User

    root = User.objects.create_superuser("root", "root@example.com", PASSWORD)
    hashed = make_password(PASSWORD)
    for name in NAMES:
        user = User(username=name, email=f"{name}@example.com", password=hashed)
        User.objects.keep(user, roles=[])
    at_work = Actor(user_id=root.pk, via="admin", address="198.51.100.7")
    for name, role in (("ada", "user"), ("ada", "moderator"), ("grace", "admin"), ("alan", "user"), ("tim", "user")):
        person = User.objects.get(username=name)
        until = datetime.now(UTC) + timedelta(days=30) if role == "moderator" else None
        reason = "Covers for Grace" if until else ""
        services.grant_role(user=person, role_name=role, by=at_work, reason=reason, expires_at=until)
    services.set_active(user=User.objects.get(username="linus"), active=False, by=at_work)
    _fill_trail(datetime.now(UTC), [user.pk for user in User.objects.all()])
    for number, agent in enumerate(AGENTS):
        phone = Actor(via="api", address=f"192.0.2.{number + 10}", user_agent=agent)
        services.sign_in(username="ada", password=PASSWORD, by=phone)


def _fill_trail(now: datetime, ids: list[int]) -> None:
    from accounts.models import AuditEntry, new_id

    chance, entries = random.Random(7), list[AuditEntry]()
    for at, action in _events(now, chance):
        who = chance.choice(ids)
        actor = None if action == "sign_in_failed" else who
        entry = AuditEntry(id=new_id(), at=at, action=action, actor_id=actor, subject_id=who, via="api")
        entry.mac = entry.expected_mac()
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries, batch_size=500)


def _events(now: datetime, chance: random.Random) -> Iterator[tuple[datetime, str]]:
    """More on working days, and one day on which somebody guessed passwords."""
    for age in range(29, -1, -1):
        day = (now - timedelta(days=age)).replace(hour=0, minute=0, second=0, microsecond=0)
        busy = (0.45 if day.weekday() > 4 else 1.0) * (1 + (29 - age) / 60)
        share = (now - day) / timedelta(days=1) if age == 0 else 1.0
        failures = 240 if age == 11 else chance.randint(12, 40) * busy
        numbers = {"signed_in": chance.randint(300, 380) * busy, "sign_in_failed": failures}
        numbers["signed_up"] = chance.randint(6, 22) * busy
        for action, number in numbers.items():
            for _ in range(int(number * share)):
                yield day + timedelta(days=chance.random() * share), action


# --- outside


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authproject.settings")
    with tempfile.TemporaryDirectory() as folder:
        server = live.Server.start(Path(folder), {"DATABASE_URL": f"sqlite:///{folder}/shown.sqlite3"})
        try:
            server.manage("shell", "-c", "from tests.admin_screenshots import fill; fill()")
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=browser.find_chromium(), args=["--no-sandbox"])
                _take_all(chromium, server.url)
                chromium.close()
        finally:
            server.stop()


def _take_all(chromium: Browser, url: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    for scheme in ("light", "dark"):
        for size, options in (("", DESKTOP), ("-phone", PHONE)):
            with browser.new_page(chromium, color_scheme=scheme, **options) as page:
                for name in _pages(page, url):
                    _take(page, f"admin-{name}{size}{'' if scheme == 'light' else '-dark'}")


def _pages(page: Page, url: str) -> Iterator[str]:
    """The names of the pages, each while it is open."""
    page.goto(f"{url}/admin/")
    yield "sign-in"
    page.fill("#id_username", "root")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url(f"{url}/admin/", wait_until="networkidle")
    yield "dashboard"
    page.goto(f"{url}/admin/accounts/user/?q=ada")
    page.click("th.field-username a")
    page.wait_for_load_state("networkidle")
    yield "user"
    page.goto(f"{url}/admin/accounts/user/")
    yield "people"
    for name in ("alan", "grace", "linus"):
        page.check(f"tr:has(a:text-is('{name}')) input.action-select")
    page.select_option("select[name=action]", "deactivate")
    page.click("button[name=index]")
    page.wait_for_load_state("networkidle")
    yield "confirmation"


def _take(page: Page, name: str) -> None:
    """Those that the documentation shows; all of them where a folder for them is named."""
    if len(sys.argv) > 1:
        page.screenshot(path=Path(sys.argv[1]) / f"{name}.png", full_page=True)
    elif name in SHOWN:
        page.locator(SHOWN[name]).screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
