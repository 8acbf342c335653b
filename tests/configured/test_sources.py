"""Where values come from: the environment, a file of variables, files of secrets."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.asking import GOOD_KEY, refusal, serve, settings_of
from tests.live import ROOT

pytestmark = pytest.mark.no_database


def test_a_file_of_variables_is_read(env_file: Callable[[str], str]) -> None:
    path = env_file("# a comment\nPORT=9999\nTOKEN_ISSUER='an issuer'\n")
    assert settings_of("PORT", "TOKEN_ISSUER", ENV_FILE=path) == [9999, "an issuer"]


def test_the_environment_beats_the_file(env_file: Callable[[str], str]) -> None:
    assert settings_of("PORT", "WORKERS", ENV_FILE=env_file("PORT=9999\nWORKERS=7"), PORT="1111") == [1111, 7]


def test_the_folder_of_keys_is_seen_from_the_project_if_it_is_relative() -> None:
    found = [settings_of("SIGNING_KEY_DIR", SIGNING_KEY_DIR=folder) for folder in ("keys", "/etc/keys", "")]
    assert found == [[ROOT / "keys"], [Path("/etc/keys")], [None]]


def test_an_empty_variable_counts_as_unset() -> None:
    names = ("ENVIRONMENT", "PORT", "DEBUG", "TOKEN_DELIVERY", "SELF_ASSIGNABLE_ROLES", "TOKEN_ISSUER")
    empty = dict.fromkeys((*names, "SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS"), " ")
    assert settings_of(*names, **empty) == ["development", 8080, False, "body", ["user"], "authproject"]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{GOOD_KEY}\n")
    (tmp_path / "database").write_text("mysql://app:pass%20word@db.example.com:3306/app")
    files = {"SECRET_KEY_FILE": f"{tmp_path}/key", "DATABASE_URL_FILE": f"{tmp_path}/database"}
    key, databases = settings_of("SECRET_KEY", "DATABASES", **files)
    assert (key, databases["default"]["PASSWORD"]) == (GOOD_KEY, "pass word")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"AUDIT_KEY": GOOD_KEY, "AUDIT_KEY_FILE": os.devnull}, "AUDIT_KEY and AUDIT_KEY_FILE are both set"),
        ({"CACHE_URL_FILE": "/no/such/file"}, "CACHE_URL_FILE cannot be read: "),
    ],
    ids=["both", "unreadable"],
)
def test_a_file_that_leaves_doubt_about_a_secret_is_refused(variables: dict[str, str], sentence: str) -> None:
    code, said = serve(**variables)
    assert (code, sentence in said, said.count("\n")) == (1, True, 1)


def test_the_file_of_sqlite_is_for_its_owner_alone(tmp_path: Path) -> None:
    settings_of("DATABASES", DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")
    assert oct((tmp_path / "new.sqlite3").stat().st_mode & 0o777) == "0o600"


def test_a_file_of_sqlite_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    path.write_bytes(b"content")
    path.chmod(0o640)
    settings_of("DATABASES", DATABASE_URL=f"sqlite:///{path}")
    assert (path.read_bytes(), oct(path.stat().st_mode & 0o777)) == (b"content", "0o640")


def test_a_file_may_begin_with_a_byte_order_mark_and_quote_its_values(env_file: Callable[[str], str]) -> None:
    path = env_file("\ufeffPORT=9999\nexport TOKEN_ISSUER='a # b'\nTOKEN_AUDIENCE=\n")
    assert settings_of("PORT", "TOKEN_ISSUER", "TOKEN_AUDIENCE", ENV_FILE=path) == [9999, "a # b", "authproject"]


def test_the_default_database_is_the_file_in_the_project_whatever_the_folder_is_called() -> None:
    assert settings_of("DATABASES")[0]["default"]["NAME"] == str(ROOT / "db.sqlite3")


def test_an_empty_variable_does_not_hide_what_the_file_says(env_file: Callable[[str], str]) -> None:
    assert settings_of("PORT", ENV_FILE=env_file("PORT=9999"), PORT="") == [9999]


@pytest.mark.parametrize(
    "line", ["ENVIRONMENT = production", "SECRET_KEY: hunter2", "hunter2", "DEBUG=off # hunter2", "PORT='80"]
)
def test_a_line_that_is_not_understood_is_refused_and_not_shown(env_file: Callable[[str], str], line: str) -> None:
    said = refusal(ENV_FILE=env_file(f"# a comment\n\n{line}\n"))
    assert "line 3: must be NAME=VALUE" in said
    assert "hunter2" not in said
