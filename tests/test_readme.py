"""README.md tells the truth: its tour is run, its example guards, its table names every variable."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.models import User
from tests.live import ROOT, Server

pytestmark = pytest.mark.no_database

README = (ROOT / "README.md").read_text()
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def steps() -> list[tuple[str, str]]:
    """The commands of the tour, each with the output that the README shows."""
    parts = re.split(r"^\$ ", "".join(blocks("console")), flags=re.MULTILINE)[1:]
    found = [re.match(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", part, re.DOTALL) for part in parts]
    return [(match[1], match[2]) for match in found if match]


def test_the_tour_shows_what_a_fresh_server_answers(start_server: Callable[..., Server], tmp_path: Path) -> None:
    server = start_server()
    script = "".join(f"{command}echo; echo ----\n" for command, _ in steps())
    script = script.replace("localhost:8080", server.url.removeprefix("http://"))
    script = script.replace("tokens.json", str(tmp_path / "tokens.json"))
    script = script.replace(".venv/bin/python", sys.executable)
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=server.environment, capture_output=True, text=True)
    answers = TOKEN.sub("eyJ…", done.stdout).split("----\n")[:-1]
    assert [answer.strip() for answer in answers] == [shown.strip() for _, shown in steps()]


def test_the_example_guards(make_user: Callable[..., User]) -> None:
    namespace: dict[str, Any] = {}
    exec(next(block for block in blocks("python") if "ReportViewSet" in block), namespace)
    view = namespace["ReportViewSet"].as_view({"get": "list"})
    request = APIRequestFactory().get("/")
    force_authenticate(request, make_user("alice", "moderator"))
    assert view(request).data == {"written_for": "alice", "who_holds": ("moderator",)}
    force_authenticate(request, make_user("bob", "user"))
    assert view(request).status_code == 403


@pytest.mark.parametrize("variable", re.findall(r"env\.\w+\(\"(\w+)\"", (ROOT / "authproject/settings.py").read_text()))
def test_the_table_names_every_variable(variable: str) -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    assert any(f"`{variable}`" in row.split("|")[1] for row in rows)


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
