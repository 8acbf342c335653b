"""Argon2 compiled for newer processors is what the workers hash with, where the processor can run it and it works."""

import os
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
from bench import compiled_hash
from tests.live import ROOT, Server

pytestmark = pytest.mark.no_database

MADE = compiled_hash.VENV / processor.LEVEL
SCRIPT = str(ROOT / "script" / "compile-hash")
compiled_here = pytest.mark.skipif(not MADE.exists(), reason="run `python -m bench.compiled_hash` first")
runs_here = pytest.mark.skipif(not processor.is_new_enough(), reason="this processor is older than x86-64-v3")


def copy_of_the_wheel(folder: Path, number: str) -> Path:
    """What can be loaded on any processor, of a version as Python tells it."""
    packages = Path(sysconfig.get_path("platlib"))
    shutil.copytree(packages / "_argon2_cffi_bindings", folder / "_argon2_cffi_bindings")
    about = folder / "argon2_cffi_bindings.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: argon2-cffi-bindings\nVersion: {number}\n")
    return folder


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What lies beside the wheel in a virtual environment, on a processor that knows all that it may be asked for."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    knows(monkeypatch, tmp_path, processor.ASKED)
    return copy_of_the_wheel(tmp_path / "x86-64-v3", version("argon2-cffi-bindings"))


def knows(monkeypatch: pytest.MonkeyPatch, folder: Path, flags: set[str]) -> None:
    cpu = folder / "cpuinfo"
    said = f"flags\t\t: fpu {' '.join(flags)} syscall\n"
    cpu.write_text(f"processor\t: 0\n{said}bugs\t\t: {' '.join(processor.ASKED)}\n\nprocessor\t: 1\n{said}")
    monkeypatch.setattr(processor, "_CPU", cpu)


# --- which one is taken


def test_it_is_taken_where_the_processor_knows_the_instructions(beside: Path) -> None:
    assert processor.compiled_for_it() == [str(beside)]


@pytest.mark.parametrize("missing", sorted(processor.ASKED))
def test_it_is_left_where_the_processor_lacks_any_of_them(
    beside: Path, missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    knows(monkeypatch, tmp_path, processor.ASKED - {missing})
    assert processor.compiled_for_it() == []


def test_it_is_left_on_another_architecture(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert processor.compiled_for_it() == []


def test_it_is_left_where_the_system_does_not_say(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_CPU", beside)  # which is no file
    assert processor.compiled_for_it() == []


def test_a_processor_whose_name_is_no_text_is_no_error(beside: Path) -> None:
    cpu = processor._CPU
    cpu.write_bytes(b"model name\t: \xff\n" + cpu.read_bytes())
    assert processor.compiled_for_it() == [str(beside)]


def test_it_is_left_once_another_version_is_installed(beside: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(beside)
    copy_of_the_wheel(beside, "21.2.0")
    assert processor.compiled_for_it() == []
    assert "another version" in caplog.text


@pytest.mark.parametrize(
    "code",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGILL)",  # as of an instruction that it does not know
        "raise ImportError",
        "from _argon2_cffi_bindings_elsewhere import ffi",
    ],
)
def test_it_is_left_where_it_cannot_be_loaded(beside: Path, code: str, caplog: pytest.LogCaptureFixture) -> None:
    (beside / "_argon2_cffi_bindings" / "__init__.py").write_text(code)
    assert processor.compiled_for_it() == []
    assert "does not work here" in caplog.text


def test_it_is_left_where_it_makes_other_hashes(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_sample", lambda: ("", "00"))
    assert processor.compiled_for_it() == []


def test_it_is_left_where_the_wheel_is_loaded_all_the_same(beside: Path) -> None:
    shutil.rmtree(beside / "_argon2_cffi_bindings")
    assert processor.compiled_for_it() == []


def test_nothing_is_taken_where_nothing_was_compiled(beside: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(beside)
    assert processor.compiled_for_it() == []
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("before", "after"), [(None, "/first"), ("", "/first"), ("/a:/b", "/first:/a:/b")], ids=["unset", "empty", "set"]
)
def test_what_python_is_told_to_look_into_stays(
    before: str | None, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONPATH", before)
    assert processor.python_path("/first") == after


# --- what the script compiles


@compiled_here
def test_it_uses_the_instructions_of_that_level() -> None:
    code = run("objdump", "--disassemble", str(MADE / "_argon2_cffi_bindings" / "_ffi.abi3.so"))
    assert "%ymm" in code


@compiled_here
@runs_here
def test_workers_hash_with_it(start_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(compiled_hash.PYTHON))
    server = start_server(WORKERS="1", PYTHONPATH="/elsewhere")
    account = {"username": "alice", "email": "alice@example.com", "password": "correct horse battery"}
    with server.client() as client:
        assert client.post("/api/auth/signup", json=account).status_code == 200
        assert client.post("/api/auth/signin", json=account).status_code == 200
    [worker] = server.children()
    mapped = {line.split()[-1] for line in Path(f"/proc/{worker}/maps").read_text().splitlines()}
    assert [path for path in mapped if "_argon2_cffi_bindings" in path] == [
        str(MADE / "_argon2_cffi_bindings" / "_ffi.abi3.so")
    ]
    assert f"\0PYTHONPATH={MADE}:/elsewhere\0" in Path(f"/proc/{worker}/environ").read_text()


@compiled_here
def test_another_user_may_read_it_though_new_files_are_private() -> None:
    assert [path for path in [MADE, *MADE.rglob("*")] if not path.stat().st_mode & 0o004] == []


@compiled_here
def test_what_is_compiled_already_stays() -> None:
    before = MADE.stat().st_ino
    run(SCRIPT, str(compiled_hash.VENV))
    assert MADE.stat().st_ino == before


def test_the_script_refuses_what_is_no_virtual_environment_and_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "x86-64-v3").mkdir()
    done = subprocess.run([SCRIPT, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"authproject: {tmp_path} is no virtual environment.\n")
    assert (tmp_path / "x86-64-v3").is_dir()


def test_the_script_does_nothing_on_other_systems(tmp_path: Path) -> None:
    (tmp_path / "uname").write_text("#!/bin/sh\necho Linux aarch64\n")
    (tmp_path / "uname").chmod(0o755)
    (tmp_path / "pyvenv.cfg").touch()
    run(SCRIPT, str(tmp_path), PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert {path.name for path in tmp_path.iterdir()} == {"uname", "pyvenv.cfg"}


def run(*command: str, **variables: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
