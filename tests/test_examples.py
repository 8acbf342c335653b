"""The front-ends of examples/, plain fetch and React: what people do with them, in a real browser."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.conftest import PASSWORD
from tests.frontends import EXAMPLES, FRONT_ENDS, FrontEnd, served
from tests.live import Server
from tests.signing import expired

pytestmark = pytest.mark.no_database
REFRESH = ("POST", "/api/auth/refreshtoken")
ENDED = "Your session has ended. Please sign in again."
numbers = count()


@dataclass
class Visit:
    """Somebody with an account, at a front-end in a browser; `heard` is what the API answered there."""

    front_end: FrontEnd
    server: Server
    page: Page
    username: str
    heard: list[Response] = field(default_factory=list)

    def answers(self, method: str, path: str) -> list[Response]:
        return [a for a in self.heard if (a.request.method, urlsplit(a.url).path) == (method, path)]

    def count(self, status: int) -> int:
        return sum(answer.status == status for answer in self.heard)

    def sign_in(self, password: str = PASSWORD, page: Page | None = None) -> None:
        form = (page or self.page).locator("form:visible")
        form.get_by_label("Username").fill(self.username)
        form.get_by_label("Password").fill(password)
        form.get_by_role("button", name="Sign in").click()

    def ask_again(self) -> None:
        self.page.get_by_role("button", name="Ask again").click()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text, exact=True)).to_be_visible()

    def let_the_access_token_run_out(self) -> None:
        self.front_end.put_access_token(self.page, expired(self.front_end.access_token(self.page)))
        self.heard.clear()

    @contextmanager
    def elsewhere(self) -> Iterator[httpx.Client]:
        """The same person, signed in with what shows as `other device` among their sessions."""
        credentials = {"username": self.username, "password": PASSWORD}
        with self.server.client(headers={"user-agent": "other device"}) as client:
            assert client.post("/api/auth/signin", json=credentials).status_code == 200
            yield client


@pytest.fixture(scope="module")
def sites(
    start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, dict[str, str]]]:
    """One server, and the origins of both front-ends, which it lists."""
    folders = {name: tmp_path_factory.mktemp(name) for name in FRONT_ENDS}
    with ExitStack() as stack:
        origins = {name: stack.enter_context(served(folder)) for name, folder in folders.items()}
        # `both` serves the one that lives on cookies and the one that does not.
        server = start_server(TOKEN_DELIVERY="both", CORS_ALLOWED_ORIGINS=",".join(origins.values()))
        for name, folder in folders.items():
            if not FRONT_ENDS[name].why_not():
                FRONT_ENDS[name].build(folder, server.url)
        yield server, origins


@pytest.fixture(params=sorted(FRONT_ENDS))
def visit(request: pytest.FixtureRequest, sites: tuple[Server, dict[str, str]], page: Page) -> Visit:
    if reason := FRONT_ENDS[request.param].why_not():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    server, origins = sites
    visit = Visit(FRONT_ENDS[request.param], server, page, f"person{next(numbers)}")
    page.context.on("response", lambda answer: visit.heard.append(answer) if server.url in answer.url else None)
    expect.set_options(timeout=10_000)
    page.goto(origins[request.param])
    return visit


@pytest.fixture
def signed_in(visit: Visit) -> Visit:
    account = {"username": visit.username, "email": f"{visit.username}@x.io", "password": PASSWORD}
    with visit.server.client() as client:
        assert client.post("/api/auth/signup", json=account).status_code == 200
    visit.sign_in()
    visit.sees(f"Hello, {visit.username}")
    return visit


def test_who_signs_up_is_signed_in_and_a_role_that_is_granted_opens_its_board(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Create an account").click()
    form = visit.page.locator("form:visible")
    form.get_by_label("Username").fill(visit.username)
    form.get_by_label("Email").fill(f"{visit.username}@x.io")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Sign up").click()
    for text in (f"Hello, {visit.username}", "Public Content.", "User Content.", "Require Moderator Role!"):
        visit.sees(text)
    visit.server.manage("grant_role", visit.username, "moderator")
    visit.ask_again()
    visit.sees("Moderator Content.")


def test_a_wrong_password_is_answered_with_the_server_s_words_and_refreshes_nothing(signed_in: Visit) -> None:
    signed_in.page.get_by_role("button", name="Sign out").click()
    signed_in.sees("You've been signed out!")
    signed_in.sign_in("not the password")
    signed_in.sees("Invalid Password!")
    assert signed_in.answers(*REFRESH) == []


def test_five_requests_that_meet_an_expired_token_at_once_refresh_once(signed_in: Visit) -> None:
    signed_in.let_the_access_token_run_out()
    with signed_in.elsewhere():
        signed_in.ask_again()
        signed_in.sees("other device")
    assert (signed_in.count(401), [answer.status for answer in signed_in.answers(*REFRESH)]) == (5, [200])


def test_two_tabs_whose_token_expired_both_go_on(signed_in: Visit) -> None:
    second = signed_in.page.context.new_page()
    second.goto(signed_in.page.url)
    expect(second.get_by_text(f"Hello, {signed_in.username}")).to_be_visible()
    signed_in.let_the_access_token_run_out()
    with signed_in.elsewhere():
        for page in (signed_in.page, second):
            page.get_by_role("button", name="Ask again").click()
        for page in (signed_in.page, second):
            expect(page.get_by_text("other device")).to_be_visible()
    # One, but for a tab that learns of the other's refresh a moment late, and refreshes too: the server takes both.
    assert [answer.status for answer in signed_in.answers(*REFRESH)] in ([200], [200, 200])


@pytest.mark.parametrize("visit", ["react"], indirect=True)
def test_the_next_refresh_presents_the_successor(signed_in: Visit) -> None:
    """Browsers see to that where tokens are in cookies."""
    first, second = [refresh_of(signed_in) for _ in range(2)]
    assert json.loads(second.request.post_data or "")["refreshToken"] == first.json()["refreshToken"]


def refresh_of(visit: Visit) -> Response:
    """What comes of it when the access token has run out."""
    visit.let_the_access_token_run_out()
    with visit.page.expect_response(lambda answer: answer.request.method == "POST") as refresh:
        visit.ask_again()
    return refresh.value


def test_a_session_that_was_ended_elsewhere_leads_back_to_the_form_and_says_why(signed_in: Visit) -> None:
    with signed_in.elsewhere() as client:
        client.post("/api/auth/signout", json={"everywhere": True})
    signed_in.heard.clear()
    signed_in.ask_again()
    signed_in.sees(ENDED)
    expect(signed_in.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert [answer.status for answer in signed_in.answers(*REFRESH)] == [403]


def test_after_signing_out_neither_page_nor_token_is_let_in(signed_in: Visit) -> None:
    token = signed_in.front_end.access_token(signed_in.page)
    signed_in.page.get_by_role("button", name="Sign out").click()
    signed_in.sees("You've been signed out!")
    with signed_in.server.client() as client:
        assert client.get("/api/test/user", headers={"x-access-token": token}).status_code == 401
    signed_in.page.reload()
    expect(signed_in.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_busy_server_is_asked_again_when_it_says(signed_in: Visit) -> None:
    asked = count()

    def busy_at_first(route: Route) -> None:
        if next(asked):
            route.continue_()
        else:
            answer = route.fetch()
            route.fulfill(response=answer, status=503, headers={**answer.headers, "retry-after": "1"})

    signed_in.page.route("**/api/test/user", busy_at_first)
    with signed_in.elsewhere():
        signed_in.ask_again()
        signed_in.sees("other device")
    assert [answer.status for answer in signed_in.answers("GET", "/api/test/user")][-2:] == [503, 200]


def test_the_lock_file_says_nothing_of_where_packages_come_from() -> None:
    packages = json.loads((EXAMPLES / "react/package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []


@pytest.mark.parametrize("page", ["README.md", "fetch/README.md", "react/README.md", "python/README.md"])
def test_every_file_that_a_readme_links_is_there(page: str) -> None:
    links = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", (EXAMPLES / page).read_text())
    assert [link for link in links if not (EXAMPLES / page).parent.joinpath(link).exists()] == []
