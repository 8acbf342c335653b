"""The published front-ends, group by group, as conversations over real HTTP with the headers they really send."""

from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.live import Server
from tests.signing import expired

pytestmark = pytest.mark.no_database

BROWSER = {
    "origin": "http://localhost:8081",
    "referer": "http://localhost:8081/",
    "accept": "application/json, text/plain, */*",
    "sec-fetch-site": "same-site",
    "sec-fetch-mode": "cors",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36",
}
EXPIRED = (401, {"message": "Unauthorized! Access Token was expired!"})
SIGNED_OUT = (200, {"message": "You've been signed out!"})
numbers = count()


@pytest.fixture(scope="module")
def cookie_mode(start_server: Callable[..., Server]) -> Server:
    return start_server(TOKEN_DELIVERY="cookie")


@pytest.fixture
def body_client(server: Server) -> Iterator[httpx.Client]:
    with server.client(headers=BROWSER) as client:
        yield client


@pytest.fixture
def cookie_client(cookie_mode: Server) -> Iterator[httpx.Client]:
    with cookie_mode.client(headers=BROWSER) as client:
        yield client


def sign_up(client: httpx.Client) -> dict[str, str]:
    username = f"person{next(numbers)}"
    form = {"username": username, "email": f"{username}@x.io", "password": PASSWORD}
    answer = client.post("/api/auth/signup", json=form)
    assert seen(answer) == (200, {"message": "User registered successfully!"})
    return {"username": username, "password": PASSWORD}


def seen(answer: httpx.Response) -> tuple[int, object]:
    """What a front-end sees; the browser shows it only what CORS permits."""
    assert answer.headers["access-control-allow-origin"] == BROWSER["origin"]
    assert answer.headers["access-control-allow-credentials"] == "true"
    is_json = answer.headers["content-type"].startswith("application/json")
    return answer.status_code, answer.json() if is_json else answer.text


def expire_cookie(http: httpx.Client) -> None:
    [cookie] = [cookie for cookie in http.cookies.jar if cookie.name == "access_token"]
    cookie.value = expired(cookie.value or "")


def test_group_a_sends_the_raw_header(body_client: httpx.Client) -> None:
    http = body_client
    user = http.post("/api/auth/signin", json=sign_up(http)).json()
    assert user["roles"] == ["ROLE_USER"]
    header = {"x-access-token": user["accessToken"]}
    assert seen(http.get("/api/test/all", headers=header)) == (200, "Public Content.")
    assert seen(http.get("/api/test/user", headers=header)) == (200, "User Content.")
    assert seen(http.get("/api/test/mod", headers=header)) == (403, {"message": "Require Moderator Role!"})
    assert seen(http.get("/api/test/admin", headers=header)) == (403, {"message": "Require Admin Role!"})
    header = {"x-access-token": expired(user["accessToken"])}
    assert seen(http.get("/api/test/user", headers=header)) == EXPIRED
    # It forgets the token and shows the public page.
    assert seen(http.get("/api/test/user")) == (403, {"message": "No token provided!"})
    assert seen(http.get("/api/test/all")) == (200, "Public Content.")


def test_group_b_sends_a_bearer_token_and_an_empty_header_when_signed_out(body_client: httpx.Client) -> None:
    http = body_client
    signed_out = {"authorization": ""}
    credentials = sign_up(http)
    assert seen(http.get("/api/test/all", headers=signed_out)) == (200, "Public Content.")
    answer = http.post("/api/auth/signin", json=credentials, headers=signed_out)
    token = answer.json()["accessToken"]
    header = {"authorization": f"Bearer {token}"}
    assert seen(http.get("/api/test/user", headers=header)) == (200, "User Content.")
    header = {"authorization": f"Bearer {expired(token)}"}
    assert seen(http.get("/api/test/user", headers=header)) == EXPIRED
    assert seen(http.get("/api/test/user", headers=signed_out)) == (403, {"message": "No token provided!"})


def test_group_c_refreshes_in_the_body_and_never_stores_the_successor(body_client: httpx.Client) -> None:
    http = body_client
    stored = http.post("/api/auth/signin", json=sign_up(http)).json()
    for _ in range(3):
        # The interceptor adds the token to every request, expired or not.
        header = {"x-access-token": stored["accessToken"]}
        assert seen(http.get("/api/test/user", headers=header)) == (200, "User Content.")
        header = {"x-access-token": expired(stored["accessToken"])}
        assert seen(http.get("/api/test/user", headers=header)) == EXPIRED
        body = {"refreshToken": stored["refreshToken"]}
        refreshed = http.post("/api/auth/refreshtoken", json=body, headers=header)
        assert refreshed.status_code == 200
        stored["accessToken"] = refreshed.json()["accessToken"]


def test_group_c_signs_up_and_in_while_it_still_sends_an_expired_token(body_client: httpx.Client) -> None:
    http = body_client
    token = http.post("/api/auth/signin", json=sign_up(http)).json()["accessToken"]
    http.headers["x-access-token"] = expired(token)
    assert http.post("/api/auth/signin", json=sign_up(http)).status_code == 200
    assert seen(http.get("/api/test/all")) == (200, "Public Content.")


def test_group_c_is_sent_to_sign_in_when_its_session_is_gone(body_client: httpx.Client) -> None:
    http = body_client
    stored = http.post("/api/auth/signin", json=sign_up(http)).json()
    header = {"x-access-token": stored["accessToken"]}
    assert seen(http.post("/api/auth/signout", headers=header)) == SIGNED_OUT
    assert seen(http.get("/api/test/user", headers=header)) == (401, {"message": "Unauthorized!"})
    refused = http.post("/api/auth/refreshtoken", json={"refreshToken": stored["refreshToken"]}, headers=header)
    assert seen(refused) == (403, {"message": "Refresh token is not in database!"})


@pytest.mark.parametrize("body", [{"json": {}}, {}])
def test_group_d_lives_on_the_cookie(cookie_client: httpx.Client, body: dict[str, dict[str, str]]) -> None:
    http = cookie_client
    answer = http.post("/api/auth/signin", json=sign_up(http))
    assert set(answer.json()) == {"id", "username", "email", "roles"}
    assert seen(http.get("/api/test/user")) == (200, "User Content.")
    expire_cookie(http)
    assert seen(http.get("/api/test/user")) == EXPIRED
    assert seen(http.post("/api/auth/signout", **body)) == SIGNED_OUT  # type: ignore[arg-type]
    assert not http.cookies
    assert seen(http.get("/api/test/user")) == (403, {"message": "No token provided!"})


def test_group_e_refreshes_with_the_cookie(cookie_client: httpx.Client) -> None:
    http = cookie_client
    http.post("/api/auth/signin", json=sign_up(http))
    for _ in range(2):
        assert seen(http.get("/api/test/user")) == (200, "User Content.")
        expire_cookie(http)
        assert seen(http.get("/api/test/user")) == EXPIRED
        refreshed = http.post("/api/auth/refreshtoken", json={})
        assert seen(refreshed) == (200, {"message": "Token is refreshed successfully!"})
    assert seen(http.post("/api/auth/signout", json={})) == SIGNED_OUT
    assert seen(http.post("/api/auth/refreshtoken", json={})) == (403, {"message": "Refresh Token is required!"})


def test_group_e_is_sent_to_sign_in_when_its_session_is_gone(cookie_client: httpx.Client) -> None:
    http = cookie_client
    http.post("/api/auth/signin", json=sign_up(http))
    kept = dict(http.cookies)
    http.post("/api/auth/signout", json={})
    http.cookies.update(kept)
    assert seen(http.get("/api/test/user")) == (401, {"message": "Unauthorized!"})
    http.cookies.set("refresh_token", kept["refresh_token"], path="/api/auth")
    refused = http.post("/api/auth/refreshtoken", json={})
    assert seen(refused) == (403, {"message": "Refresh token is not in database!"})
