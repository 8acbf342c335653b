"""docs/your-own-api.md tells the truth: its app is put into a copy of this project, its commands and tests are run."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests import live

pytestmark = pytest.mark.no_database

DOCS = (live.ROOT / "docs" / "your-own-api.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)
COMMANDS = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
# What a block's first line says: `# FILE`, or `# FILE, below LINE`, or `# FILE, in place of LINE`.
WHERE = re.compile(r"(?:# |<!-- )(?P<file>[\w/.]+)(?:, (?P<how>below|in place of) (?P<line>.*?))?(?: -->)?\n")
# Calls at once what Celery would put into a queue.
NO_QUEUE = """\
def shared_task(function):
    function.delay = function
    return function
"""
DESCRIBED = """\
from authproject import schema


def test_the_description_says_what_it_can() -> None:
    paths = schema.generate()["paths"]
    assert paths["/api/reports/{id}/publish"]["post"]["x-required-roles"] == ["moderator"]
    assert "202" in paths["/api/moderation/publish-all"]["post"]["responses"]
"""


# Those of the project's own tests that look at all operations, an app's of yours too; without those that are sent.
LOOK_AT_ALL = "tests/test_schema_examples.py tests/test_request_files.py -k not(can_be_sent)"


@dataclass
class Project:
    """A copy of this project, into which the blocks are put."""

    folder: Path
    environment: dict[str, str]

    def put(self, block: str) -> None:
        found = WHERE.match(block)
        assert found, block
        file, line, text = self.folder / found["file"], found["line"], block[found.end() :]
        if line:
            old, kept = file.read_text(), f"{line}\n" if found["how"] == "below" else ""
            assert old.count(f"{line}\n") == 1, block
            text = old.replace(f"{line}\n", kept + text)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, command: str) -> str:
        command = command.replace(".venv/bin/python", sys.executable)
        done = subprocess.run(command.split(), cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("project")
    for name in ("authproject", "accounts", "content", "docs", "tests"):
        shutil.copytree(live.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("manage.py", "conftest.py", "pytest.ini", "pyproject.toml"):
        shutil.copy(live.ROOT / name, folder)
    database = live.database_of_its_own(folder)
    project = Project(folder, {**os.environ, "DATABASE_URL": database, "PYTHONPATH": str(folder / "stand_in")})
    for language, block in BLOCKS:
        if language not in {"sh", "console"}:
            project.put(block)
    project.put(f"# stand_in/celery.py\n{NO_QUEUE}")
    project.put(f"# reports/test_description.py\n{DESCRIBED}")
    yield project
    live.drop(database)


def test_its_commands_run_and_its_tests_pass(project: Project) -> None:
    said = {command: project.run(command) for command in COMMANDS}
    [routes] = [output for command, output in said.items() if command.endswith("routes")]
    [shown] = [block for language, block in BLOCKS if language == "console"]
    assert {" ".join(line.split()) for line in shown.splitlines()} <= {
        " ".join(line.split()) for line in routes.splitlines()
    }


@pytest.mark.no_database
def test_the_projects_own_tests_pass_with_it(project: Project) -> None:
    # What script/collections does.
    project.run(".venv/bin/python -m authproject.request_files")
    project.run(f".venv/bin/python -m pytest {LOOK_AT_ALL}")


def test_its_code_is_as_the_checks_want_it(project: Project) -> None:
    project.run(".venv/bin/python -m ruff check reports authproject")
    project.run(".venv/bin/python -m ruff format --check reports authproject")


# --- the service that asks for the roles


@pytest.fixture
def roles_of(live_server: LiveServer) -> Callable[[str], list[str]]:
    """The function of the example."""
    [block] = [block for _, block in BLOCKS if block.startswith("# elsewhere.py")]
    namespace: dict[str, Any] = {}
    exec(block.replace("https://id.example.com", live_server.url), namespace)
    return namespace["roles_of"]


def test_another_service_asks_for_the_roles(
    make_user: Callable[..., User], sign_in: Callable[..., dict[str, Any]], roles_of: Callable[[str], list[str]]
) -> None:
    make_user("alice", "user", "moderator")
    assert roles_of(sign_in()["accessToken"]) == ["ROLE_USER", "ROLE_MODERATOR"]


def test_another_service_is_told_that_a_token_is_not_good(roles_of: Callable[[str], list[str]]) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        roles_of("a.b.c")
