"""What every answer says of itself: who may keep, frame and load what; and what it says of cookies and of tokens."""

import re
from collections.abc import Callable
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any, NoReturn

import httpx
import pytest
import time_machine
from csp.constants import NONCE, SELF
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

import content.views
from accounts.models import User
from authproject.headers import HeadersMiddleware
from tests import live
from tests.asking import PRODUCTION, settings_of
from tests.conftest import PASSWORD

pytestmark = pytest.mark.no_database

Answer = Any  # django-stubs has no public name for what its test client gives
MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]

PREFLIGHT = {"origin": "http://localhost:8081", "access-control-request-method": "POST"}
REQUESTS: dict[str, tuple[int, dict[str, Any]]] = {
    "the front door": (200, {"path": "/"}),
    "the documentation": (200, {"path": "/docs"}),
    "no token": (403, {"path": "/api/test/user"}),
    "a bad token": (401, {"path": "/api/test/user", "headers": {"x-access-token": "x"}}),
    "a wrong method": (405, {"path": "/api/auth/signin"}),
    "a wrong media type": (415, {"method": "POST", "path": "/api/auth/signin", "data": "x", "content_type": "text/x"}),
    "a body too large": (
        413,
        {"method": "POST", "path": "/api/auth/signin", "data": "1" * 200_000, "content_type": "application/json"},
    ),
    "an unknown route": (404, {"path": "/nothing"}),
    "a foreign host": (400, {"path": "/", "headers": {"host": "evil.example"}}),
    "a foreign host of the API": (400, {"path": "/api/test/all", "headers": {"host": "evil.example"}}),
    "a preflight": (200, {"method": "OPTIONS", "path": "/api/auth/signin", "headers": PREFLIGHT}),
    "an unforeseen error": (500, {"path": "/api/test/all"}),
    "the way to the admin": (302, {"path": "/admin"}),
    "a page of the admin": (200, {"path": "/admin/login/"}),
    "a page that the admin guards": (302, {"path": "/admin/accounts/user/"}),
    "a form of the admin's from elsewhere": (403, {"method": "POST", "path": "/admin/login/"}),
    "a static file": (200, {"path": "/static/admin/css/base.css"}),
}
MAY_BE_KEPT = {"the documentation": "max-age=300", "a static file": "max-age=60, public"}


@pytest.fixture
def ask(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Answer]:
    """The answer to one of REQUESTS."""

    def fail(*args: Any) -> NoReturn:
        raise RuntimeError

    def ask(what: str) -> Answer:
        status, request = REQUESTS[what]
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        answer = client.generic(**{"method": "GET", "secure": False, **request})
        answer.close()
        assert answer.status_code == status
        return answer

    monkeypatch.setattr(content.views, "_text", fail)
    return ask


on_every_answer = pytest.mark.parametrize("what", REQUESTS)


# --- what every answer says


@on_every_answer
def test_an_answer_loads_nothing_but_files_from_here_and_is_framed_by_nobody(
    ask: Callable[[str], Answer], what: str
) -> None:
    assert set(ask(what)["Content-Security-Policy"].split("; ")) == {
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("form-action 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"),
    }


@on_every_answer
def test_an_answer_is_not_framed_guessed_at_or_reached_from_other_sites(
    ask: Callable[[str], Answer], what: str
) -> None:
    expected = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    answer = ask(what)
    assert {name: answer.get(name) for name in expected} == expected


@on_every_answer
def test_no_cache_may_keep_an_answer_that_does_not_say_so(ask: Callable[[str], Answer], what: str) -> None:
    said = ask(what)["Cache-Control"]
    assert said == MAY_BE_KEPT.get(what) or "no-store" in said.split(", ")


@pytest.mark.parametrize("what", MAY_BE_KEPT)
def test_an_answer_that_says_itself_how_long_it_may_be_kept_is_left_alone(
    ask: Callable[[str], Answer], what: str
) -> None:
    assert ask(what)["Cache-Control"] == MAY_BE_KEPT[what]


@pytest.mark.parametrize("path", ["/api/auth/me", "/api/users", "/api/roles", "/api/audit", "/api/test/admin"])
def test_no_cache_may_keep_what_is_told_to_who_is_signed_in(signed_in_as: Callable[..., APIClient], path: str) -> None:
    answer = signed_in_as("admin").get(path)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")


def test_a_page_may_have_a_nonce_of_its_own_as_django_csp_gives_it() -> None:
    """Nothing here needs one; who puts pages into `content` may."""

    @csp_update({"script-src": [NONCE]})
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"<script nonce={request.csp_nonce}></script>")  # type: ignore[attr-defined]

    answer: Answer = HeadersMiddleware(page)(RequestFactory().get("/"))
    nonce = re.findall(r"nonce=([^>]+)", answer.content.decode())[0]
    assert f"script-src {SELF} 'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


# --- the real server, in production


@pytest.fixture(scope="module")
def production(start_server: Callable[..., live.Server]) -> live.Server:
    return start_server(ENVIRONMENT="production", ALLOWED_HOSTS="localhost", TRUSTED_PROXY_COUNT="1")


def over(scheme: str, server: live.Server) -> httpx.Client:
    """A client, as a proxy that is called over this scheme passes its requests on."""
    return server.client(headers={"x-forwarded-proto": scheme})


@pytest.mark.parametrize("path", ["/", "/docs", "/api/test/user", "/nothing", "/admin/login/"])
def test_in_production_browsers_are_told_to_come_over_https_only(production: live.Server, path: str) -> None:
    with over("https", production) as client:
        assert client.get(path).headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_over_http_browsers_are_told_nothing_of_https(production: live.Server) -> None:
    """RFC 6797 section 7.2."""
    with over("http", production) as client:
        assert "strict-transport-security" not in client.get("/").headers


def test_subdomains_can_be_left_out() -> None:
    flag = "SECURE_HSTS_INCLUDE_SUBDOMAINS"
    assert settings_of(flag, **PRODUCTION) == [True]
    assert settings_of(flag, **PRODUCTION, HSTS_INCLUDE_SUBDOMAINS="off") == [False]


def test_the_server_does_not_tell_its_version(production: live.Server) -> None:
    with production.client() as client:
        assert client.get("/").headers["server"] == "granian"


# --- the cookies of the admin


def enter_admin(server: live.Server, scheme: str) -> tuple[SimpleCookie, int]:
    """Signs in as a browser does; the cookies that were set, and the status of the page behind the sign-in."""
    origin = server.url.replace("http", scheme)
    with over(scheme, server) as client:
        form = client.get("/admin/login/")
        cookies = _cookies_of(form)
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)[0]
        body = {"username": "chief", "password": PASSWORD, "csrfmiddlewaretoken": token}
        headers = {"origin": origin, "cookie": _as_header(cookies)}
        cookies |= _cookies_of(client.post("/admin/login/?next=/admin/", data=body, headers=headers))
        return cookies, client.get("/admin/", headers={"cookie": _as_header(cookies)}).status_code


def _cookies_of(response: httpx.Response) -> SimpleCookie:
    """By hand, for httpx does not send Secure cookies to this server."""
    return SimpleCookie("; ".join(response.headers.get_list("set-cookie")))


def _as_header(cookies: SimpleCookie) -> str:
    return "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())


def told(cookie: "Morsel[str]") -> tuple[Any, ...]:
    return cookie["path"], cookie["domain"], cookie["httponly"], cookie["samesite"], cookie["secure"]


@pytest.mark.parametrize(
    ("scheme", "prefix", "secure"), [("http", "", ""), ("https", "__Host-", True)], ids=["development", "production"]
)
def test_the_cookies_of_the_admin_are_for_this_host_and_no_script(
    request: pytest.FixtureRequest, scheme: str, prefix: str, secure: object
) -> None:
    server = request.getfixturevalue("production" if secure else "server")
    server.manage("create_user", "chief", "chief@example.com", "--role", "admin", stdin=PASSWORD)
    cookies, status = enter_admin(server, scheme)
    expected = ("/", "", True, "Lax", secure)
    assert {name: told(cookie) for name, cookie in cookies.items()} == {
        f"{prefix}csrftoken": expected,
        f"{prefix}sessionid": expected,
    }
    assert status == 200


@pytest.fixture
def admin(make_user: MakeUser) -> Client:
    """A browser that is signed in to the admin."""
    make_user("root", "admin")
    browser = Client()
    browser.post("/admin/login/", {"username": "root", "password": PASSWORD})
    return browser


@pytest.mark.parametrize(("hours", "status"), [(7.9, 200), (8.1, 302)])
def test_a_sign_in_to_the_admin_ends_after_eight_hours(admin: Client, hours: float, status: int) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        assert admin.get("/admin/").status_code == status


def test_a_sign_in_to_the_admin_ends_however_busy_it_is(admin: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=7)):
        # Leaves a message in the session.
        admin.post("/admin/accounts/role/add/", {"name": "editor"})
    with time_machine.travel(timezone.now() + timedelta(hours=8.1)):
        assert admin.get("/admin/").status_code == 302


# --- what a refused token is told (RFC 6750 section 3)


def test_without_a_token_one_is_asked_for(api: APIClient) -> None:
    assert api.get("/api/test/user")["WWW-Authenticate"] == "Bearer"


def test_a_bad_token_is_called_invalid(api: APIClient) -> None:
    answer = api.get("/api/test/user", headers={"x-access-token": "nonsense"})
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_an_expired_token_is_called_expired(api: APIClient, make_user: MakeUser, sign_in: SignIn) -> None:
    make_user()
    token = sign_in()["accessToken"]
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        answer = api.get("/api/test/user", headers={"x-access-token": token})
    said = 'Bearer error="invalid_token", error_description="The access token expired"'
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, said)


@pytest.mark.parametrize("path", ["/api/test/mod", "/api/users", "/api/audit"])
def test_a_good_token_of_who_lacks_the_role_is_called_insufficient(
    signed_in_as: Callable[..., APIClient], path: str
) -> None:
    answer = signed_in_as("user").get(path)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (403, 'Bearer error="insufficient_scope"')


def test_scripts_of_a_listed_origin_can_still_read_the_refusal(signed_in_as: Callable[..., APIClient]) -> None:
    answer = signed_in_as("user").get("/api/test/mod", headers={"origin": "http://localhost:8081"})
    assert answer["Access-Control-Allow-Origin"] == "http://localhost:8081"


@pytest.mark.django_db
def test_a_wrong_password_is_told_the_scheme_alone(api: APIClient) -> None:
    """Every 401 names one (RFC 9110 section 15.5.2), and no token was looked at."""
    answer = api.post("/api/auth/signin", {"username": "alice", "password": PASSWORD})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.django_db
def test_a_refusal_that_a_better_token_would_not_change_asks_for_none(api: APIClient) -> None:
    body = {"username": "eve", "email": "eve@example.com", "password": PASSWORD, "roles": ["admin"]}
    answer = api.post("/api/auth/signup", body)
    assert (answer.status_code, "WWW-Authenticate" in answer) == (403, False)
