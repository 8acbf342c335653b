"""What stands around the code names what is there: make's scripts, hooks' tools, CI's Pythons, dependabot's folders."""

import json
import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.live import ROOT

pytestmark = pytest.mark.no_database

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
CI = (ROOT / ".github/workflows/ci.yml").read_text()
PYTHONS = yaml.safe_load(CI)["jobs"]["test"]["strategy"]["matrix"]["python"]
DEPENDABOT = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
LEAST = "3.11"


def read(path: str) -> str:
    return (ROOT / path).read_text()


def named(path: str) -> list[str]:
    """The distributions that a requirements file pins."""
    return re.findall(r"^([\w.-]+)==", read(path), re.MULTILINE)


# --- make


@pytest.mark.parametrize("script", sorted(set(re.findall(r"script/[a-z-]+", MAKEFILE))))
def test_make_calls_a_script_that_can_be_run(script: str) -> None:
    assert (ROOT / script).stat().st_mode & 0o111


def test_make_has_a_name_for_every_script_but_the_one_that_they_call() -> None:
    scripts = {path.name for path in (ROOT / "script").iterdir()} - {"bootstrap"}
    assert set(re.findall(r"script/([a-z-]+)", MAKEFILE)) == scripts


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_alone_lists_all_there_is() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)


# --- hooks


def test_no_hook_is_fetched_from_elsewhere() -> None:
    assert {repo["repo"] for repo in HOOKS} == {"local"}


@pytest.mark.parametrize("tool", sorted(set(re.findall(r"\.venv/bin/([\w-]+)", json.dumps(HOOKS))) - {"python"}))
def test_a_hook_calls_what_the_tests_pin_and_run(tool: str) -> None:
    assert {"lint-imports": "import-linter"}.get(tool, tool) in named("requirements/dev.txt")
    assert f".venv/bin/{tool}" in read("script/lint")


@pytest.mark.parametrize("name", ["base", "mysql", "dev", "bench", "tools", "compile"])
def test_what_is_asked_for_is_locked(name: str) -> None:
    asked = {
        re.sub(r"\[.*\]", "", line) for line in re.findall(r"^[\w.\-\[\]]+==\S+", read(f"requirements/{name}.in"), re.M)
    }
    locked = re.findall(r"^([\w.-]+==[^\s;]+)", read(f"requirements/{name}.txt"), re.MULTILINE)
    assert {line.lower().replace("_", "-") for line in asked} <= {line.lower() for line in locked}


# --- CI


def test_ci_does_what_everybody_can_do_here() -> None:
    assert yaml.safe_load(CI)["jobs"]["test"]["steps"][-1]["run"] == ".ci/run"
    assert "script/test" in read(".ci/run")


def test_ci_may_do_nothing_to_the_repository() -> None:
    assert yaml.safe_load(CI)["permissions"] == {"contents": "read"}


def test_the_least_python_is_the_same_everywhere() -> None:
    assert PYTHONS[0] == LEAST
    assert PYPROJECT["project"]["requires-python"] == f">={LEAST}"
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{LEAST.replace('.', '')}"
    assert PYPROJECT["tool"]["mypy"]["python_version"] == LEAST
    assert f"`python3` ({LEAST} or newer)" in read("README.md")
    assert f"sys.version_info < ({LEAST.replace('.', ', ')})" in read("script/bootstrap")
    assert f"--python-version {LEAST} " in read("script/lock")


@pytest.mark.parametrize("page", ["README.md", "docs/releasing.md"])
def test_a_page_names_the_pythons_that_ci_tries(page: str) -> None:
    assert f"Python {', '.join(PYTHONS[:-1])} and {PYTHONS[-1]}" in read(page)


# --- dependabot, the dev container, the release


def folders(ecosystem: str) -> list[str]:
    entries = [entry for entry in DEPENDABOT if entry["package-ecosystem"] == ecosystem]
    return [folder for entry in entries for folder in entry.get("directories", [entry.get("directory")])]


# In tests/node, and as deep as that.
PACKAGES = [path for path in sorted(ROOT.glob("*/*/package.json")) if "node_modules" not in path.parts]


@pytest.mark.parametrize("folder", [f"/{path.parent.relative_to(ROOT)}" for path in PACKAGES])
def test_dependabot_looks_at_every_package_of_npm(folder: str) -> None:
    assert any(fnmatch(folder, looked_at) for looked_at in folders("npm"))


def test_dependabot_looks_at_the_requirements() -> None:
    assert folders("pip") == ["/requirements", "/examples/python"]


def test_the_dev_container_is_set_up_by_bootstrap_with_files_that_are_there() -> None:
    command = json.loads(read(".devcontainer/devcontainer.json"))["postCreateCommand"].split()
    assert command[0] == "script/bootstrap"
    assert all((ROOT / path).exists() for path in command)


# Of what CI installs: compiler and headers, which the image has, and what the benchmarks and the cluster need.
NOT_FOR_TESTS = {"gcc", "libc6-dev", "python3-dev", "wrk", "rsync", "galera-4"}


def test_the_dev_container_has_what_ci_installs_for_the_tests() -> None:
    installed = " ".join(re.findall(r"missing\+=\(([^)]*)\)", read(".ci/run"))).split()
    command = json.loads(read(".devcontainer/devcontainer.json"))["onCreateCommand"].split()
    assert set(installed) - NOT_FOR_TESTS <= set(command)


def test_the_description_of_the_api_bears_the_version() -> None:
    version = PYPROJECT["project"]["version"]
    spectacular: dict[str, Any] = settings.SPECTACULAR_SETTINGS
    assert spectacular["VERSION"] == ("unreleased" if version == "0.0.0" else version)
