"""Values that are good by themselves, and do not go together."""

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from tests.asking import GOOD_KEY, PRODUCTION, errors, run

pytestmark = pytest.mark.no_database


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
