"""The front-ends of examples/ for tests: each built, served on a port of its own, and shown in a real browser."""

import contextlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Cookie, Page

from tests.live import ROOT

EXAMPLES = ROOT / "examples"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Into no test's output."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The origin at which any static server would serve the folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


class FrontEnd(Protocol):
    def why_not(self) -> str:
        """What keeps it from being built here, if anything does."""

    def build(self, folder: Path, api: str) -> None:
        """Puts it into the folder, for the API at that address."""

    def access_token(self, page: Page) -> str: ...

    def put_access_token(self, page: Page, token: str) -> None: ...


class Fetch:
    """Lives on cookies. There is nothing to build."""

    def why_not(self) -> str:
        return ""

    def build(self, folder: Path, api: str) -> None:
        shutil.copytree(EXAMPLES / "fetch", folder, dirs_exist_ok=True)
        page = folder / "index.html"
        page.write_text(page.read_text().replace("http://localhost:8080", api))

    def access_token(self, page: Page) -> str:
        return self._cookie(page)["value"]

    def put_access_token(self, page: Page, token: str) -> None:
        page.context.add_cookies([{**self._cookie(page), "value": token}])  # type: ignore[typeddict-item]

    def _cookie(self, page: Page) -> Cookie:
        [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == "access_token"]
        return cookie


class React:
    """Keeps its tokens in localStorage."""

    def why_not(self) -> str:
        if not shutil.which("npm"):
            return "npm is not installed"
        return "" if (EXAMPLES / "react/node_modules/vite").is_dir() else "run `npm ci` in examples/react first"

    def build(self, folder: Path, api: str) -> None:
        command = ["npm", "run", "build", "--", "--outDir", str(folder), "--emptyOutDir"]
        environment = {**os.environ, "VITE_API_URL": api}
        done = subprocess.run(command, cwd=EXAMPLES / "react", env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def access_token(self, page: Page) -> str:
        return self._tokens(page)["accessToken"]

    def put_access_token(self, page: Page, token: str) -> None:
        tokens = {**self._tokens(page), "accessToken": token}
        page.evaluate("tokens => localStorage.setItem('tokens', tokens)", json.dumps(tokens))

    def _tokens(self, page: Page) -> dict[str, str]:
        return json.loads(page.evaluate("localStorage.getItem('tokens')"))


FRONT_ENDS: dict[str, FrontEnd] = {"fetch": Fetch(), "react": React()}
