"""One sign-in, as an `auth` of httpx: presents the access token, and refreshes it unseen."""

import threading
from collections.abc import AsyncGenerator, Generator
from typing import NamedTuple

import httpx

Flow = Generator[httpx.Request, httpx.Response, None]


class ApiError(Exception):
    """What the server says is wrong, for people."""


class SignedOut(ApiError):
    """The session is over; only the password helps."""


class Tokens(NamedTuple):
    access: str
    refresh: str


class Session(httpx.Auth):
    """One sign-in, made with the first request; `auth` of an httpx.Client, which any number of threads may share. An
    access token that has run out is refreshed by the first of them that is told so; the others find it done.

    A request raises SignedOut when the session is over, and ApiError when it cannot be opened or refreshed."""

    requires_response_body = True

    def __init__(self, api: str, username: str, password: str) -> None:
        self._api = api
        self.tokens: Tokens | None = None
        # Dropped once it was used: from then on the tokens are all that there is to lose.
        self._credentials: dict[str, str] | None = {"username": username, "password": password}
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> Flow:
        with self._lock:
            if self._credentials:
                yield from self._sign_in(self._credentials)
        used = self.tokens
        response = yield self._bearing(request)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        with self._lock:
            if used and self.tokens is used:
                yield from self._refresh(used)
        yield self._bearing(request)

    def forget(self) -> None:
        self.tokens = self._credentials = None

    def _sign_in(self, credentials: dict[str, str]) -> Flow:
        answer = yield httpx.Request("POST", f"{self._api}/api/auth/signin", json=credentials)
        self._keep(answer)
        self._credentials = None

    def _refresh(self, tokens: Tokens) -> Flow:
        body = {"refreshToken": tokens.refresh}
        answer = yield httpx.Request("POST", f"{self._api}/api/auth/refreshtoken", json=body)
        # 403 says that the session is over. Anything else, such as a 429 or a 503, says nothing about it.
        if answer.status_code == httpx.codes.FORBIDDEN:
            self.forget()
        else:
            self._keep(answer)

    def _keep(self, answer: httpx.Response) -> None:
        """The refresh token of each answer is the successor of the one before, which it retires when it is used."""
        body = checked(answer).json()
        self.tokens = Tokens(body["accessToken"], body["refreshToken"])

    def _bearing(self, request: httpx.Request) -> httpx.Request:
        if not self.tokens:
            raise SignedOut("The session has ended. Please sign in again.")
        request.headers["Authorization"] = f"Bearer {self.tokens.access}"
        return request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        raise RuntimeError("A lock of threads would stop the event loop: use httpx.Client.")
        yield request


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a success; else raises ApiError with its `message`."""
    if answer.is_success:
        return answer
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    raise ApiError(answer.json()["message"] if is_json else f"The server answered {answer.status_code}.")
