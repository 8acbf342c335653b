"""Another service, in another language and with another library, verifies our tokens from the published keys alone."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from accounts.keys import EDDSA, RS256, Key
from tests import live
from tests.conftest import PASSWORD
from tests.signing import kid_of, parts, put_key, signed

pytestmark = pytest.mark.no_database

Json = dict[str, Any]
NODE = live.ROOT / "tests" / "node"
DOCS = (live.ROOT / "docs" / "keys.md").read_text()
ACCOUNT = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}
HOUR = timedelta(hours=1)


@dataclass
class Issuer:
    """A real server that signs with `key`, and looks for new ones in `folder` each second."""

    server: live.Server
    folder: Path
    key: Key

    def sign_in(self) -> Json:
        with self.server.client() as client:
            return signed_in(client)


def signed_in(client: httpx.Client) -> Json:
    return client.post("/api/auth/signin", json=ACCOUNT).json()


@pytest.fixture(scope="module", params=[EDDSA, RS256])
def issuer(
    request: pytest.FixtureRequest,
    start_server: Callable[..., live.Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Issuer:
    folder = tmp_path_factory.mktemp("keys")
    key = put_key(folder, datetime.now(UTC) - HOUR, request.param)
    server = start_server(program=live.WITH_QUICK_RELOAD, SIGNING_KEY_DIR=str(folder))
    with server.client() as client:
        assert client.post("/api/auth/signup", json=ACCOUNT).status_code == 200
    return Issuer(server, folder, key)


# --- Node's jose


def why_node_cannot_be_asked() -> str:
    if not shutil.which("node"):
        return "node is not installed"
    return "" if (NODE / "node_modules" / "jose").is_dir() else "run `npm ci` in tests/node first"


@pytest.fixture
def ask_node(issuer: Issuer) -> Iterator[Callable[[str], Json]]:
    """What tests/node/verify.mjs says of a token; one process, as a service is, that keeps the keys it fetched."""
    if reason := why_node_cannot_be_asked():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    command = ["node", "verify.mjs", issuer.server.url, "authproject", "authproject"]
    with subprocess.Popen(command, cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout

        def ask(token: str) -> Json:
            print(token, file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())  # type: ignore[union-attr]

        yield ask
        process.stdin.close()


Ask = Callable[[str], Json]


def test_node_verifies_an_access_token(issuer: Issuer, ask_node: Ask) -> None:
    tokens = issuer.sign_in()
    assert ask_node(tokens["accessToken"]) == parts(tokens["accessToken"])[1]


def test_node_refuses_a_refresh_token(issuer: Issuer, ask_node: Ask) -> None:
    assert ask_node(issuer.sign_in()["refreshToken"]) == {"code": "ERR_JWT_CLAIM_VALIDATION_FAILED", "claim": "typ"}


def test_node_refuses_what_was_altered(issuer: Issuer, ask_node: Ask) -> None:
    token = issuer.sign_in()["accessToken"]
    header, payload = parts(token)
    body = signed(header, {**payload, "sub": "7"}, b"").rpartition(".")[0]
    signature = token.rpartition(".")[2]
    assert ask_node(f"{body}.{signature}") == {"code": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}


def test_node_refuses_what_the_secret_key_signed(server: live.Server, ask_node: Ask) -> None:
    """Which this server itself still takes, after the move to key files."""
    with server.client() as client:
        client.post("/api/auth/signup", json=ACCOUNT)
        token = signed_in(client)["accessToken"]
    assert parts(token)[0]["alg"] == "HS256"
    assert ask_node(token) == {"code": "ERR_JOSE_ALG_NOT_ALLOWED"}


def test_node_goes_on_across_a_rotation_with_the_keys_that_it_fetched_before(issuer: Issuer, ask_node: Ask) -> None:
    """jose fetches no second time within 30 seconds: it verifies the new key's tokens because that was published."""
    new = put_key(issuer.folder, datetime.now(UTC) + timedelta(seconds=8), issuer.key.algorithm)
    issuer.server.wait_for_all_workers(lambda client: new.kid in client.get("/.well-known/jwks.json").text)
    old_token = issuer.sign_in()["accessToken"]
    assert ask_node(old_token)["sub"] == "1"
    issuer.server.wait_for_all_workers(lambda client: kid_of(signed_in(client)["accessToken"]) == new.kid)
    new_token = issuer.sign_in()["accessToken"]
    assert kid_of(new_token) == new.kid
    assert ask_node(new_token)["sub"] == "1"
    assert ask_node(old_token)["sub"] == "1"


def test_the_example_for_node_is_what_runs_here() -> None:
    assert example("js") == (NODE / "verify.mjs").read_text()


def test_the_lock_file_says_nothing_of_where_packages_come_from() -> None:
    packages = json.loads((NODE / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []


# --- PyJWT


def example(language: str) -> str:
    [block] = re.findall(rf"^```{language}\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)
    return block


@pytest.fixture
def user_id_of(issuer: Issuer) -> Callable[[str], int]:
    """The function of the example."""
    namespace: Json = {}
    exec(example("python").replace("https://id.example.com", issuer.server.url), namespace)
    return namespace["user_id_of"]


def test_the_example_for_python_verifies_an_access_token(issuer: Issuer, user_id_of: Callable[[str], int]) -> None:
    assert user_id_of(issuer.sign_in()["accessToken"]) == 1


def test_the_example_for_python_refuses_a_refresh_token(issuer: Issuer, user_id_of: Callable[[str], int]) -> None:
    """By its audience alone, before `typ` is looked at: so do services that forget about `typ`."""
    with pytest.raises(jwt.InvalidAudienceError):
        user_id_of(issuer.sign_in()["refreshToken"])


def test_the_example_for_python_refuses_an_audience_that_is_right_and_a_typ_that_is_not(
    issuer: Issuer, user_id_of: Callable[[str], int]
) -> None:
    header, payload = parts(issuer.sign_in()["accessToken"])
    with pytest.raises(jwt.InvalidTokenError, match="This is no access token"):
        user_id_of(signed({**header, "kid": issuer.key.kid, "typ": "refresh+jwt"}, payload, issuer.key))
