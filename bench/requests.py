"""What is sent to measure each endpoint; and the same once by hand before, to see that the answers are right."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor

import httpx

from bench.api import BOARDS, CONTENT, PASSWORD, READERS, REFRESHER
from bench.contestants import Contestant, Unfit
from bench.load import Load

# Fewer than one user may have. Nobody refreshes one a thousand times a second: it would be refused after sixty.
SESSIONS = 32


def load(contestant: Contestant, endpoint: str) -> Load:
    """With tokens of this moment: none must expire, and a load retires those that it presented."""
    if endpoint in BOARDS:
        return board(contestant, endpoint)
    return {"refresh": refresh, "refresh_rotating": refresh_rotating, "sign_in": sign_in, "sign_up": sign_up}[endpoint](
        contestant
    )


def board(contestant: Contestant, name: str, connections: int = 8) -> Load:
    reader = READERS.get(name)
    headers = contestant.authorization(contestant.sign_in(reader).access) if reader else {}
    return Load(contestant.board(name), headers=headers, connections=connections)


def refresh(contestant: Contestant) -> Load:
    """As many published clients do: each always with the token of its sign-in."""
    with ThreadPoolExecutor(4) as threads:
        tokens = list(threads.map(contestant.sign_in, [REFRESHER] * SESSIONS))
    name = contestant.program.api.refresh_token
    return Load(contestant.path("refresh"), arguments=tuple(json.dumps({name: each.refresh}) for each in tokens))


def refresh_rotating(contestant: Contestant) -> Load:
    """With the successor that came with the last answer."""
    tokens = [contestant.sign_in(REFRESHER).refresh for _ in range(4)]
    arguments = (contestant.program.api.refresh_token, *tokens)
    return Load(contestant.path("refresh"), "refresh", arguments, threads=4, connections=4)


def sign_in(contestant: Contestant, connections: int = 8) -> Load:
    arguments = (str(contestant.people), PASSWORD)
    return Load(contestant.path("sign_in"), "sign_in", arguments, threads=min(2, connections), connections=connections)


def sign_up(contestant: Contestant) -> Load:
    return Load(contestant.path("sign_up"), "sign_up", (f"new-{secrets.token_hex(4)}", PASSWORD))


def inspect(contestant: Contestant) -> None:
    """Raises Unfit unless every board says what it should to who may see it, and refuses who may not; and if what
    should be an empty view is this server after all."""
    boards = [name for name in BOARDS if name in contestant.program.endpoints]
    for name in boards:
        headers = board(contestant, name).headers
        answer = _expect(contestant, name, headers, 200, f"{CONTENT[name]} Content.")
        if "x-request-id" in answer.headers and not contestant.name.startswith("ours"):
            raise Unfit(f"{contestant.name} is this server")
        if name in READERS:
            _expect(contestant, name, contestant.authorization("x.y.z"), 401)
    for name in {"mod", "admin"}.intersection(boards):
        _expect(contestant, name, board(contestant, "user").headers, 403)


def _expect(contestant: Contestant, name: str, headers: dict[str, str], status: int, text: str = "") -> httpx.Response:
    answer = httpx.get(contestant.board(name), headers=headers, timeout=30)
    if answer.status_code != status or text not in answer.text:
        raise Unfit(f"{contestant.name}: {name}: {answer.status_code} {answer.text}, where {status} {text} was due")
    return answer
