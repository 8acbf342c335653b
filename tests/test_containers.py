"""Dockerfile, compose.yaml and deploy/compose fit the server, give nothing away, and ask for no more than is needed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live import ROOT, Server, free_port

pytestmark = pytest.mark.no_database

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
FOLDER = ROOT / "deploy" / "compose"
SETTINGS = (ROOT / "authproject" / "settings.py").read_text()
READ = re.findall(r"env\.\w+\(\s*\"(\w+)\"", SETTINGS)
SECRET = [*re.findall(r"env\.(?:secret|redis|database)\(\"(\w+)\"", SETTINGS)]


def of_the_server(name: str) -> bool:
    return SERVICES[name].get("image") == "authproject"


def run(*command: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make-secrets makes, elsewhere."""
    folder = tmp_path_factory.mktemp("compose")
    shutil.copy(FOLDER / "make-secrets", folder)
    assert run(str(folder / "make-secrets")).returncode == 0
    return folder / "secrets"


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = run(str(Path(sys.executable).with_name("hadolint")), str(ROOT / "Dockerfile"))
    assert (done.returncode, done.stdout) == (0, "")


def test_a_build_sees_what_the_dockerfile_copies_and_nothing_else() -> None:
    everything, *lines = re.findall(r"^(?!#).+", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert everything == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(" ".join(copied).split())


def test_the_server_in_the_image_is_nobody_special() -> None:
    final = DOCKERFILE.split("FROM ")[-1]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", final, re.MULTILINE)
    assert not re.search(r"\b(gcc|python3-dev|libmariadb-dev|python3-pip)\b", final)


def test_the_health_check_succeeds_while_the_server_is_alive(start_server: Callable[..., Server]) -> None:
    server = start_server(ALLOWED_HOSTS=".example.com,api.example.org")
    check = (sys.executable, "-m", "authproject.healthcheck")
    assert run(*check, cwd=ROOT, env=server.environment).returncode == 0
    nobody_there = {**server.environment, "PORT": str(free_port())}
    assert run(*check, cwd=ROOT, env=nobody_there).returncode == 1


@pytest.mark.parametrize("name", [name for name in SERVICES if of_the_server(name)])
def test_what_a_server_is_told_is_what_it_reads(name: str) -> None:
    told = set(SERVICES[name]["environment"])
    assert told <= {*READ, *(f"{secret}_FILE" for secret in SECRET)}
    assert {f"{secret}_FILE" for secret in SECRET if secret != "METRICS_TOKEN"} <= told


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_of_a_named_version_or_built_here(name: str) -> None:
    assert "build" in SERVICES[name] or re.search(r":\d+\.\d+$", SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_who_says_when_it_is_well_is_asked(name: str) -> None:
    once = SERVICES[name].get("command") == ["manage.py", "migrate"]
    assert once or of_the_server(name) or "test" in SERVICES[name]["healthcheck"]


@pytest.mark.parametrize("name", SERVICES)
def test_databases_are_not_reached_from_outside(name: str) -> None:
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")
        assert port.endswith(":8080")


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_in_files(name: str) -> None:
    files = {value for value in SERVICES[name].get("environment", {}).values() if str(value).startswith("/run/")}
    assert {Path(file).name for file in files} <= set(SERVICES[name].get("secrets", []))
    for variable in SERVICES[name].get("environment", {}):
        assert variable.endswith("_FILE") or not re.search("PASSWORD|SECRET|KEY|URL", variable)


def test_make_secrets_makes_each_secret_that_is_handed_out(secrets: Path) -> None:
    named = {name: Path(secret["file"]) for name, secret in COMPOSE["secrets"].items()}
    assert {path.parent for path in named.values()} == {Path("deploy/compose/secrets")}
    assert {path.name for path in named.values()} == {path.name for path in secrets.iterdir()}
    assert secrets.stat().st_mode & 0o777 == 0o700


def test_make_secrets_changes_none_that_is_there(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    assert run(str(secrets.parent / "make-secrets")).returncode == 0
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before


def test_the_server_takes_the_secrets(secrets: Path) -> None:
    files = {f"{name.upper()}_FILE": str(secrets / name) for name in ("secret_key", "audit_key", "cache_url")}
    environment = {name: value for name, value in os.environ.items() if name not in READ}
    told = {"ENVIRONMENT": "production", "ALLOWED_HOSTS": "api.example.com", **files}
    done = run(sys.executable, "manage.py", "check", cwd=ROOT, env={**environment, **told})
    assert (done.returncode, done.stderr) == (0, "")


def test_git_keeps_the_secrets_out() -> None:
    assert "deploy/compose/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_haproxy_understands_its_configuration() -> None:
    haproxy = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not haproxy:
        pytest.skip("haproxy was not found (Debian: apt-get install haproxy)")
    done = run(haproxy, "-c", "-f", str(FOLDER / "haproxy.cfg"))
    assert done.returncode == 0, done.stderr


def test_the_proxy_asks_a_node_as_the_account_that_the_database_has() -> None:
    sent = [bytes.fromhex(packet) for packet in re.findall(r"send-binary (\w+)", (FOLDER / "haproxy.cfg").read_text())]
    for packet in sent:
        assert int.from_bytes(packet[:3], "little") == len(packet) - 4
    assert b"proxy_check\0" in sent[0]
    assert sent[1].endswith(b"SHOW STATUS LIKE 'wsrep_ready'")
    assert "CREATE USER proxy_check@'%';" in (FOLDER / "proxy-check.sql").read_text()
