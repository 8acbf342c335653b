"""Production needs to be told some things, and is refused what is unsafe; the defaults of both modes."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from tests.asking import GOOD_KEY, PRODUCTION, errors, run, serve

pytestmark = pytest.mark.no_database


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
