"""A client in TypeScript, with types made from /openapi.json: it compiles and signs in, and they mean something."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.live import ROOT, Server

NODE = ROOT / "tests" / "node"
SOURCES = ("package.json", "tsconfig.json", "client.ts", "misuse.ts")


def why_there_is_no_compiler() -> str:
    if not shutil.which("node"):
        return "node is not installed"
    return "" if (NODE / "node_modules" / "typescript").is_dir() else "run `npm ci` in tests/node first"


pytestmark = [
    pytest.mark.no_database,
    pytest.mark.skipif(bool(why_there_is_no_compiler()), reason=why_there_is_no_compiler()),
]


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Server]) -> Server:
    return start_server(WORKERS="1")


def node(folder: Path, *arguments: str) -> str:
    """What it printed. Fails with what it complained of."""
    done = subprocess.run(["node", *arguments], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def client(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """The compiled program; gives what it found out. That it compiles says that misuse.ts is misuse, too."""
    folder = tmp_path_factory.mktemp("client")
    for name in SOURCES:
        shutil.copy(NODE / name, folder)
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    node(folder, "node_modules/openapi-typescript/bin/cli.js", f"{server.url}/openapi.json", "-o", "authproject.d.ts")
    node(folder, "node_modules/typescript/bin/tsc")
    return lambda *arguments: json.loads(node(folder, "build/client.js", server.url, *arguments))


def test_it_signs_up_in_and_out_and_sees_what_is_guarded(client: Callable[..., dict[str, Any]]) -> None:
    assert client("ada", PASSWORD) == {
        "said": ["User registered successfully!", "You've been signed out!"],
        "roles": ["ROLE_USER"],
        "seen": ["User Content.", "User Content."],
        "afterwards": {"status": 401, "message": "Unauthorized!"},
    }
