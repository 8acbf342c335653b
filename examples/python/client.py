"""A client of the API, for programs and for the command line: `python client.py --help`."""

import argparse
import getpass
import sys
import time

import httpx
from session import ApiError, Session, checked

BOARDS = ("all", "user", "mod", "admin")
# The longest Retry-After, in seconds, that is waited for; and how often a request is sent at most.
PATIENCE = 10
TRIES = 3


class Patient(httpx.BaseTransport):
    """Sends again what the server asks to be sent a little later (429 and 503 with Retry-After)."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(TRIES - 1):
            response = self._inner.handle_request(request)
            wait = retry_after(response)
            if not 0 < wait <= PATIENCE:
                return response
            response.close()
            time.sleep(wait)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def retry_after(response: httpx.Response) -> int:
    """Seconds; 0 if the server asks for no patience."""
    is_busy = response.status_code in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}
    return int(response.headers.get("Retry-After", 0)) if is_busy else 0


def connect(api: str, auth: Session | None = None) -> httpx.Client:
    """A client that waits when it is told to; with `auth`, one that is signed in."""
    return httpx.Client(base_url=api, auth=auth, transport=Patient(httpx.HTTPTransport()), timeout=30)


def sign_up(client: httpx.Client, username: str, email: str, password: str) -> str:
    """What the server says to it."""
    body = {"username": username, "email": email, "password": password}
    return checked(client.post("/api/auth/signup", json=body)).json()["message"]


def sign_out(client: httpx.Client, session: Session) -> str:
    """What the server says to it; from then on neither token is good."""
    said = checked(client.post("/api/auth/signout")).json()["message"]
    session.forget()
    return said


def board(client: httpx.Client, name: str) -> str:
    """The board's text, or why it stays shut: the server decides by the roles of this moment."""
    answer = client.get(f"/api/test/{name}")
    return answer.json()["message"] if answer.status_code == httpx.codes.FORBIDDEN else checked(answer).text


# --- the command line


def show_boards(api: str, username: str) -> None:
    session = Session(api, username, ask_password())
    with connect(api, session) as client:
        account = checked(client.get("/api/auth/me")).json()
        print(account["username"], "holds", ", ".join(account["roles"]))
        for name in BOARDS:
            print(f"{name:6}{board(client, name)}")
        print(sign_out(client, session))


def show_sign_up(api: str, username: str, email: str) -> None:
    with connect(api) as client:
        print(sign_up(client, username, email, ask_password()))


def ask_password() -> str:
    """Never an argument: those stand in the list of processes."""
    return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Signs up, or signs in and prints the boards.")
    parser.add_argument("--api", default="http://localhost:8080", metavar="URL", help="where the server is")
    commands = parser.add_subparsers(required=True)
    signup = commands.add_parser("signup", help="a new account; the password is asked for")
    signup.set_defaults(run=lambda given: show_sign_up(given.api, given.username, given.email))
    signup.add_argument("username")
    signup.add_argument("email")
    boards = commands.add_parser("boards", help="what each board answers; the password is asked for")
    boards.set_defaults(run=lambda given: show_boards(given.api, given.username))
    boards.add_argument("username")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    try:
        given.run(given)
    except ApiError as error:
        sys.exit(f"client: {error}")
    except httpx.TransportError as error:
        sys.exit(f"client: {given.api} cannot be reached: {error}")


if __name__ == "__main__":
    main()
