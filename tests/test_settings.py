"""What the environment configures: the defaults of both modes, and that a wrong value is refused at the start."""

import json
import os
import runpy
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings
from redis import Redis

from authproject import env, secret_key
from tests.live import ROOT, free_port

pytestmark = pytest.mark.no_database

GOOD_KEY = "Tj0R1ZlYk3nqg5vWJ8wD2cXh7mB4sLfP9uQeAoIyNtKrVxGiTj0R1ZlYk3nqg5vW"
PRODUCTION = {"ENVIRONMENT": "production", "SECRET_KEY": GOOD_KEY, "ALLOWED_HOSTS": "api.example.com"}


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A Python with just these variables in its environment, and no .env."""
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


def serve(**variables: str) -> tuple[int, str]:
    """Exit code and standard error of a server that does not come up."""
    done = run("-m", "authproject.serve", **variables)
    assert done.stdout == ""
    return done.returncode, done.stderr


def read_anew(**variables: str) -> dict[str, Any]:
    """What settings.py says with just these variables in the environment, and no .env."""
    environment = patch.dict(os.environ, {"ENV_FILE": os.devnull, **variables}, clear=True)
    # It sets up logging by the way, and the tests' own stays as it is.
    with environment, patch("authproject.logs.config"):
        return runpy.run_path(str(ROOT / "authproject" / "settings.py"))


def settings_of(*names: str, **variables: str) -> list[Any]:
    settings = read_anew(**variables)
    return [settings[name] for name in names]


def refusal(**variables: str) -> str:
    """The traceback of a program that reads settings.py."""
    with pytest.raises(ImproperlyConfigured) as refused:
        read_anew(**variables)
    return "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(("arguments", "tables"), [((), 0), (("--migrate",), 1)], ids=["as it is", "--migrate"])
def test_the_server_migrates_its_database_if_it_is_told_to(
    tmp_path: Path, arguments: tuple[str, ...], tables: int
) -> None:
    # It cannot listen there, and ends after that.
    elsewhere = {"HOST": "203.0.113.1", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    assert "cannot listen" in run("-m", "authproject.serve", *arguments, **elsewhere).stderr
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        [found] = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'accounts_user'").fetchone()
    assert found == tables


# --- what production needs


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("command", [("-m", "authproject.serve"), ("manage.py", "check")])
def test_production_does_not_start_without_what_it_needs_and_names_it(command: tuple[str, ...], name: str) -> None:
    done = run(*command, **{**PRODUCTION, name: ""})
    program = "manage.py" if "manage.py" in command else "authproject"
    assert done.returncode == 1
    assert done.stderr.startswith(f"{program}: {name} is not set. With ENVIRONMENT=production, set it to ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "(accounts.E001) SECRET_KEY must be a random text of at least 43 characters."),
        ({"DEBUG": "on"}, "(accounts.E002) DEBUG must be off with ENVIRONMENT=production: it shows the inside."),
    ],
)
def test_production_does_not_start_unsafely(wrong: dict[str, str], sentence: str) -> None:
    code, error = serve(**PRODUCTION | wrong)
    assert (code, sentence in error, "Traceback" in error) == (1, True, False)


@pytest.mark.parametrize("key", [GOOD_KEY[:42], "x" * 100, "abcabcabc" * 10, f"django-insecure-{GOOD_KEY}"])
def test_a_weak_secret_key_is_an_error(settings: Settings, key: str) -> None:
    settings.SECRET_KEY = key
    assert errors() == ["accounts.E001"]


def errors() -> list[str | None]:
    """The ids of what the checks at the start complain about."""
    return [message.id for message in run_checks() if not message.is_silenced()]


# --- values that are none

RATES = ["GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT"]
RATES += ["SIGN_UP_RATE", "REFRESH_RATE", "PASSWORD_CHECK_RATE"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ENVIRONMENT", "prod", "development or production"),
        ("TOKEN_DELIVERY", "cookies", "body or cookie or both"),
        ("COOKIE_SAMESITE", "Laxx", "Strict or Lax or None"),
        ("DEBUG", "maybe", "on or off"),
        ("COOKIE_SECURE", "ture", "on or off"),
        ("REVEAL_UNKNOWN_USERNAME", "2", "on or off"),
        ("BREACHED_PASSWORDS", "yess", "on or off"),
        ("PORT", "80a", "a whole number"),
        ("ACCESS_TOKEN_LIFETIME", "1.5", "a whole number"),
        ("SESSION_LIFETIME", "1d", "a whole number"),
        *((name, "ten", "off, or a number per s, m, h or d such as 10/h") for name in RATES),
    ],
)
def test_a_misspelt_value_is_refused_in_one_sentence(name: str, value: str, expected: str) -> None:
    """Through the settings module alone: that the programs print the sentence is tested above."""
    sentence = f"django.core.exceptions.ImproperlyConfigured: {name} must be {expected}, but is {value!r}."
    assert refusal(**{name: value}).splitlines()[-1] == sentence


@pytest.mark.parametrize("word", ["1", "true", "YES", " On "])
def test_these_words_turn_a_flag_on(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("A_FLAG", word)
    assert env.flag("A_FLAG", default=False) is True


@pytest.mark.parametrize("word", ["0", "false", "NO", " Off "])
def test_these_words_turn_a_flag_off(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("A_FLAG", word)
    assert env.flag("A_FLAG", default=True) is False


@pytest.mark.parametrize(
    ("raw", "rate"),
    [
        ("1/s", (1, 1)),
        ("60/m", (60, 60)),
        (" 10 / H ", (10, 3600)),
        ("1000000/d", (1_000_000, 86_400)),
        ("off", None),
        ("OFF", None),
        ("", (10, 3600)),
    ],
)
def test_a_rate_is_a_number_per_unit_or_off(
    monkeypatch: pytest.MonkeyPatch, raw: str, rate: tuple[int, int] | None
) -> None:
    monkeypatch.setenv("A_RATE", raw)
    assert env.rate("A_RATE", "10/h") == rate


@pytest.mark.parametrize(
    "raw", ["0/h", "-1/h", "1000001/d", "10", "10/", "/h", "h", "10/hour", "10/h/h", "1.5/h", "10 h", "no", "9" * 5000]
)
def test_a_rate_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("A_RATE", raw)
    with pytest.raises(ImproperlyConfigured, match=r"^A_RATE must be off, or a number per s, m, h or d such as 10/h"):
        env.rate("A_RATE", "10/h")


@pytest.mark.parametrize(
    "url",
    [
        *("redis://cache", "redis://cache:6379", "redis://cache:6379/0", "redis://[::1]:6379/15", "rediss://cache/"),
        *("redis://:secret@cache:6379/0", "redis://user:p%40ss@127.0.0.1:6379/0", "unix:///run/redis.sock", ""),
    ],
)
def test_a_url_of_a_redis_is_taken_as_it_is_and_redis_understands_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("A_CACHE", url)
    assert env.redis("A_CACHE") == url
    if url:
        Redis.from_url(url).connection_pool.make_connection()


@pytest.mark.parametrize(
    "url",
    [
        *("cache", "cache:6379", "http://:hunter2@cache", "REDIS://:hunter2@cache", "redis://", "redis://:hunter2@/0"),
        *("redis://:hunter2@cache:abc/0", "redis://:hunter2@cache:0/0", "redis://:hunter2@cache:65536/0"),
        *("redis://:hunter2@cache/abc", "redis://:hunter2@cache/-1", "redis://:hunter2@cache/0/1"),
        *("redis://:hunter2@cache/0?ssl=1", "redis://:hunter#2@cache/0", "redis://:hunter/2@cache/0"),
        *("redis://:hunter2@[::1/0", "redis://:hunter2@a..b/0", f"redis://:hunter2@{'a' * 64}/0", "unix://:hunter2@"),
    ],
)
def test_a_url_of_no_redis_is_refused_without_showing_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("A_CACHE", url)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.redis("A_CACHE")
    assert str(refused.value).startswith("A_CACHE must be redis://[USER:PASSWORD@]HOST:PORT/NUMBER")
    assert "hunter" not in str(refused.value)


def test_the_server_does_not_start_with_a_cache_that_is_none_and_does_not_show_its_password() -> None:
    code, error = serve(CACHE_URL="redis://:hunter2@cache:abc/0")
    assert (code, error.startswith("authproject: CACHE_URL must be redis://"), "hunter2" in error) == (1, True, False)
    assert error.count("\n") == 1


def test_a_list_is_separated_by_commas_and_may_have_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_LIST", " a.example.com, b.example.com,, ")
    assert env.names("A_LIST", []) == ["a.example.com", "b.example.com"]


@pytest.mark.parametrize(
    "line", ["ENVIRONMENT = production", "SECRET_KEY: hunter2", "hunter2", "DEBUG=off # hunter2", "PORT='80"]
)
def test_a_line_that_is_not_understood_is_refused_and_not_shown(env_file: Callable[[str], str], line: str) -> None:
    said = refusal(ENV_FILE=env_file(f"# a comment\n\n{line}\n"))
    assert "line 3: must be NAME=VALUE" in said
    assert "hunter2" not in said


def test_a_file_may_begin_with_a_byte_order_mark_and_quote_its_values(env_file: Callable[[str], str]) -> None:
    path = env_file("\ufeffPORT=9999\nexport TOKEN_ISSUER='a # b'\nTOKEN_AUDIENCE=\n")
    assert settings_of("PORT", "TOKEN_ISSUER", "TOKEN_AUDIENCE", ENV_FILE=path) == [9999, "a # b", "authproject"]


def test_the_default_database_is_the_file_in_the_project_whatever_the_folder_is_called() -> None:
    assert settings_of("DATABASES")[0]["default"]["NAME"] == str(ROOT / "db.sqlite3")


def test_an_empty_variable_does_not_hide_what_the_file_says(env_file: Callable[[str], str]) -> None:
    assert settings_of("PORT", ENV_FILE=env_file("PORT=9999"), PORT="") == [9999]


@pytest.mark.parametrize("url", ["nonsense", "postgres://u:p@h/n", "mysql://user:secret@host:port/name"])
def test_a_database_that_is_none_is_refused_without_showing_its_password(url: str) -> None:
    said = refusal(DATABASE_URL=url)
    assert "DATABASE_URL must be sqlite:///FILE or mysql://" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("TRUSTED_PROXY_COUNT", -1, "accounts.E008"),
        ("AUDIT_KEY", "short", "accounts.E009"),
        ("AUDIT_SEAL_INTERVAL", -1, "accounts.E010"),
        ("AUDIT_SEAL_INTERVAL", 10**12, "accounts.E010"),
        ("SESSIONS_PER_USER", 0, "accounts.E011"),
        ("SECRET_KEY_FALLBACKS", [GOOD_KEY, "short"], "accounts.E016"),
        ("TOKEN_AUDIENCE", "authproject/refresh", "accounts.E018"),
        ("CORS_ALLOWED_ORIGINS", ["null"], "accounts.E012"),
        ("BREACHED_PASSWORDS_URL", "api.pwnedpasswords.com/range/", "accounts.E013"),
        ("BREACHED_PASSWORDS_URL", "file:///etc/passwd", "accounts.E013"),
        ("BREACHED_PASSWORDS_URL", "https:///range/", "accounts.E013"),
        ("BREACHED_PASSWORDS_URL", "https://mirror.example.com/range?prefix=", "accounts.E013"),
        ("PASSWORD_WORDS", ["acme", "2024"], "accounts.E014"),
    ],
)
def test_a_value_that_makes_no_sense_is_an_error(settings: Settings, name: str, value: object, error: str) -> None:
    setattr(settings, name, value)
    assert errors() == [error]


# --- values that do not go together


@pytest.mark.parametrize(
    ("name", "seconds", "error"),
    [
        ("ACCESS_TOKEN_LIFETIME", 0, "accounts.E003"),
        ("REFRESH_TOKEN_LIFETIME", -1, "accounts.E003"),
        ("ACCESS_TOKEN_LIFETIME", 2_592_001, "accounts.E003"),
        ("REFRESH_TOKEN_LIFETIME", 2_592_001, "accounts.E003"),
        ("SESSION_LIFETIME", 10**12, "accounts.E003"),
        ("REFRESH_TOKEN_GRACE", -1, "accounts.E004"),
        ("REFRESH_TOKEN_GRACE", 10**12, "accounts.E004"),
    ],
)
def test_a_senseless_lifetime_is_an_error(settings: Settings, name: str, seconds: int, error: str) -> None:
    setattr(settings, name, seconds)
    assert errors() == [error]


def test_a_session_shorter_than_its_tokens_is_an_error_for_each_of_them(settings: Settings) -> None:
    settings.SESSION_LIFETIME = 1
    messages = [message.msg for message in run_checks() if message.id == "accounts.E003"]
    assert [message.partition(" ")[0] for message in messages] == ["ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME"]


def test_a_grace_of_zero_is_no_error(settings: Settings) -> None:
    settings.REFRESH_TOKEN_GRACE = 0
    assert errors() == []


def test_cookies_for_other_sites_must_be_secure(settings: Settings) -> None:
    settings.COOKIE_SAMESITE = "None"
    assert errors() == ["accounts.E005"]


@pytest.mark.parametrize(
    ("name", "value", "warning"),
    [
        ("TOKEN_DELIVERY", "both", "accounts.W001"),
        ("COOKIE_SECURE", False, "accounts.W002"),
        ("SELF_ASSIGNABLE_ROLES", ["user", "admin"], "accounts.W003"),
        ("REVEAL_UNKNOWN_USERNAME", True, "accounts.W014"),
        ("GUESS_RATE", None, "accounts.W015"),
        ("SIGN_UP_RATE", None, "accounts.W015"),
        ("TRUSTED_PROXY_COUNT", 0, "accounts.W016"),
        ("SECRET_KEY_FALLBACKS", [GOOD_KEY], "accounts.W007"),
    ],
)
def test_the_deployment_check_warns_of_what_is_allowed_but_unwise(
    settings: Settings, name: str, value: object, warning: str
) -> None:
    settings.COOKIE_SECURE, settings.TRUSTED_PROXY_COUNT = True, 1
    setattr(settings, name, value)
    found = [str(message.id) for message in run_checks(include_deployment_checks=True)]
    assert [ident for ident in found if ident.startswith("accounts.")] == [warning]


def test_the_deployment_check_warns_of_lookups_of_passwords_in_clear(settings: Settings) -> None:
    settings.COOKIE_SECURE = settings.BREACHED_PASSWORDS = True
    settings.TRUSTED_PROXY_COUNT = 1
    settings.BREACHED_PASSWORDS_URL = "http://mirror.example.com/range/"
    found = [str(message.id) for message in run_checks(include_deployment_checks=True)]
    assert [ident for ident in found if ident.startswith("accounts.")] == ["accounts.W004"]


def test_the_deployment_check_has_nothing_against_the_defaults_of_production() -> None:
    done = run("manage.py", "check", "--deploy", "--fail-level=WARNING", TRUSTED_PROXY_COUNT="1", **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")


# --- where values come from


@pytest.fixture
def env_file(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "env"
        path.write_text(text)
        return str(path)

    return write


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


@pytest.mark.parametrize(
    ("host", "mode", "warned"),
    [
        ("db.example.com", "", True),
        ("db.example.com", "REQUIRED", True),
        ("db.example.com", "VERIFY_CA", False),
        ("db.example.com", "VERIFY_IDENTITY", False),
        ("127.0.0.1", "", False),
        ("/run/mysqld/mysqld.sock", "", False),
    ],
)
def test_the_deployment_check_warns_of_a_database_elsewhere_whose_identity_nobody_checks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, host: str, mode: str, warned: bool
) -> None:
    database = {"ENGINE": "django.db.backends.mysql", "HOST": host, "OPTIONS": {"ssl_mode": mode}}
    monkeypatch.setitem(settings.DATABASES, "elsewhere", database)
    found = {message.id for message in run_checks(include_deployment_checks=True)}
    assert ("accounts.W017" in found) is warned


# --- the defaults


def defaults(**variables: str) -> dict[str, Any]:
    script = """
import django, json
django.setup()
from django.conf import settings
from accounts.conf import conf
print(json.dumps({
    "allowed_hosts": settings.ALLOWED_HOSTS,
    "cookies": [conf.access_cookie, conf.refresh_cookie],
    "origins": settings.CORS_ALLOWED_ORIGINS,
    "debug": settings.DEBUG,
    "secure": [conf.cookie_secure, settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE],
    "hsts": [settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS],
}))
"""
    done = run("-c", script, DJANGO_SETTINGS_MODULE="authproject.settings", **variables)
    return json.loads(done.stdout)


def test_the_defaults_of_development_are_for_one_machine() -> None:
    assert defaults() == {
        "allowed_hosts": ["localhost", "127.0.0.1", "[::1]", "127.0.0.1"],
        "cookies": ["access_token", "refresh_token"],
        "origins": ["http://localhost:8081", "http://localhost:4200", "http://localhost:3000"],
        "debug": False,
        "secure": [False, False, False],
        "hsts": [0, False],
    }


def test_the_defaults_of_production_are_for_the_internet() -> None:
    assert defaults(**PRODUCTION) == {
        "allowed_hosts": ["api.example.com"],
        "cookies": ["__Host-access_token", "__Secure-refresh_token"],
        "origins": [],
        "debug": False,
        "secure": [True, True, True],
        "hsts": [31_536_000, True],
    }


# --- the key of a development installation


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


# --- the server


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_taken_port_is_refused_in_one_sentence(host: str) -> None:
    with socket.create_server((host, 0)) as other:
        port = other.getsockname()[1]
        code, error = serve(HOST=host, PORT=str(port))
    sentence = f"authproject: cannot listen on HOST={host}, PORT={port}: [Errno 98] Address already in use\n"
    assert (code, error) == (1, sentence)


@pytest.mark.parametrize("value", ["0", "-1", "9"])
def test_passwords_at_once_must_leave_something_and_fit_the_threads(value: str) -> None:
    assert "accounts.E019" in serve(THREADS="8", PASSWORDS_AT_ONCE=value)[1]


@pytest.mark.parametrize(("name", "value"), [("PORT", "65536"), ("PORT", "0"), ("WORKERS", "0"), ("THREADS", "-1")])
def test_a_number_out_of_range_is_refused_in_one_sentence(name: str, value: str) -> None:
    largest = 65_535 if name == "PORT" else 1000
    variables = {"PORT": str(free_port()), name: value}
    assert serve(**variables) == (1, f"authproject: {name} must be from 1 to {largest}, but is {value}.\n")


def test_a_host_that_is_no_address_of_this_machine_is_refused_in_one_sentence() -> None:
    code, error = serve(HOST="192.0.2.1", PORT=str(free_port()))
    assert (code, error.startswith("authproject: cannot listen on HOST=192.0.2.1, PORT=")) == (1, True)


def test_the_server_may_be_told_its_host_by_name(start_server: Callable[..., Any]) -> None:
    server = start_server(HOST="localhost", WORKERS="1")
    with server.client() as client:
        assert client.get("/").status_code == 200


def test_the_server_stops_soon_though_a_client_never_finishes_its_request(start_server: Callable[..., Any]) -> None:
    server = start_server(WORKERS="1")
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port)) as client:
        client.sendall(b"POST /api/auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n")
        client.sendall(b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 100")  # it waits for the body
        server.process.terminate()
        assert server.process.wait(timeout=20) == 0


def test_a_worker_that_dies_comes_back_and_takes_nobody_with_it(start_server: Callable[..., Any]) -> None:
    server = start_server()
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    before = set(children.read_text().split())
    os.kill(int(min(before)), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while not set(children.read_text().split()) - before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(children.read_text().split()) == len(before)
    server.wait()
    assert server.process.poll() is None


def test_a_worker_that_is_not_ready_yet_can_be_stopped() -> None:
    """The handler that it inherits from granian's parent process does nothing in it."""
    script = (
        "import os, signal; signal.signal(signal.SIGTERM, lambda *_: None);"
        "import authproject.worker; os.kill(os.getpid(), signal.SIGTERM)"
    )
    assert run("-c", script).returncode == -signal.SIGTERM
