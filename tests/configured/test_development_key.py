"""The key of a development installation is made once, and kept."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from authproject import secret_key
from tests.asking import GOOD_KEY
from tests.live import ROOT

pytestmark = pytest.mark.no_database


def test_the_key_is_made_once(tmp_path: Path) -> None:
    key = secret_key.read_or_create(tmp_path / "key")
    assert len(key) == 64
    assert secret_key.read_or_create(tmp_path / "key") == key


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    assert secret_key.read_or_create(tmp_path / "one") != secret_key.read_or_create(tmp_path / "two")


def test_only_its_owner_may_read_the_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    secret_key.read_or_create(path)
    assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_a_key_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{GOOD_KEY}\n")
    assert secret_key.read_or_create(path) == GOOD_KEY


def test_processes_that_start_at_once_all_get_the_same_whole_keys(tmp_path: Path) -> None:
    """Each of them makes 300 keys, so that they do meet."""
    script = (
        "import sys; from pathlib import Path; from authproject.secret_key import read_or_create;"
        "print('ready', flush=True); sys.stdin.readline();"
        "print(*(read_or_create(Path(sys.argv[1], str(n))) for n in range(300)))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes: list[Any] = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(4)]
    assert {process.stdout.readline() for process in processes} == {"ready\n"}
    for process in processes:
        print("go", file=process.stdin, flush=True)
    keys = {process.communicate()[0] for process in processes}
    assert len(keys) == 1
    assert {len(key) for key in keys.pop().split()} == {64}


def test_nothing_but_the_key_is_left_behind(tmp_path: Path) -> None:
    secret_key.read_or_create(tmp_path / "key")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_place_where_no_key_can_be_kept_is_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"^SECRET_KEY is not set, and none can be kept in a file: .*missing"
    ):
        secret_key.read_or_create(tmp_path / "missing" / "key")
