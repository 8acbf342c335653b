"""Argon2 compiled for newer processors is what the workers hash with, where processor and version allow it."""

import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from authproject import processor
from tests.live import ROOT, Server

pytestmark = pytest.mark.no_database

CAN_COMPILE = shutil.which("gcc") and Path(sysconfig.get_path("include"), "Python.h").exists()
FLAGS = "abm avx avx2 bmi1 bmi2 f16c fma movbe"


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What script/compile-hash leaves in a virtual environment, as far as Python says of a package what it is; on a
    processor that knows all that it may ask for."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    knows(monkeypatch, tmp_path, f"fpu {FLAGS} sse2")
    return of_version(tmp_path / "x86-64-v3", version("argon2-cffi-bindings"))


def knows(monkeypatch: pytest.MonkeyPatch, folder: Path, flags: str) -> None:
    cpu = folder / "cpuinfo"
    cpu.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: avx2\n\nprocessor\t: 1\nflags\t\t: {flags}\n")
    monkeypatch.setattr(processor, "_CPU", cpu)


def of_version(folder: Path, number: str) -> Path:
    about = folder / "argon2_cffi_bindings.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: argon2-cffi-bindings\nVersion: {number}\n")
    return folder


def test_it_is_taken_where_the_processor_knows_the_instructions(compiled: Path) -> None:
    assert processor.compiled_for_it() == [str(compiled)]


@pytest.mark.parametrize("missing", FLAGS.split())
def test_it_is_left_where_the_processor_lacks_any_of_them(
    compiled: Path, missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    knows(monkeypatch, tmp_path, " ".join(set(FLAGS.split()) - {missing}))
    assert processor.compiled_for_it() == []


def test_it_is_left_on_another_architecture(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert processor.compiled_for_it() == []


def test_it_is_left_where_the_system_does_not_say(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_CPU", compiled / "nothing")
    assert processor.compiled_for_it() == []


def test_it_is_left_once_another_version_is_installed(compiled: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(compiled)
    of_version(compiled, "21.2.0")
    assert processor.compiled_for_it() == []
    assert "script/compile-hash" in caplog.text


def test_nothing_is_taken_where_nothing_was_compiled(compiled: Path) -> None:
    shutil.rmtree(compiled)
    assert processor.compiled_for_it() == []


@pytest.mark.skipif(not processor.is_new_enough(), reason="this processor is older than x86-64-v3")
@pytest.mark.skipif(not CAN_COMPILE, reason="gcc or Python's headers are not installed")
def test_workers_hash_with_what_the_script_compiled(
    start_server: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where the benchmark has it too, so that it is compiled once.
    made = Path(sys.prefix) / "argon2-compiled"
    run(str(ROOT / "script" / "compile-hash"), str(made))
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", str(venv))
    [packages] = venv.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text(sysconfig.get_path("platlib"))
    shutil.copytree(made, venv / "x86-64-v3")
    monkeypatch.setattr(sys, "executable", str(venv / "bin" / "python"))

    server = start_server(WORKERS="1")
    account = {"username": "alice", "email": "alice@example.com", "password": "correct horse battery"}
    with server.client() as client:
        assert client.post("/api/auth/signup", json=account).status_code == 200
        assert client.post("/api/auth/signin", json=account).status_code == 200
    [worker] = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    mapped = {line.split()[-1] for line in Path(f"/proc/{worker}/maps").read_text().splitlines()}
    assert [path for path in mapped if "_argon2_cffi_bindings" in path] == [
        str(venv / "x86-64-v3" / "_argon2_cffi_bindings" / "_ffi.abi3.so")
    ]


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
