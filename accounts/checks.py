"""Settings that would make the server unsafe or useless are found at its start."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from accounts import keys
from accounts.conf import conf
from accounts.keys import SigningKeyError
from accounts.routes import routes

DAY = 86_400
TEN_YEARS = 3650 * DAY
KEY_HINT = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))' prints a good one."
SIGNING_KEY_HINT = "docs/keys.md says what belongs there, and how the first key is made."


@register()
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    if _is_strong(settings.SECRET_KEY):
        return []
    return [Error("SECRET_KEY must be a random text of at least 43 characters.", hint=KEY_HINT, id="accounts.E001")]


def _is_strong(key: str) -> bool:
    """256 bits in base64 are 43 characters."""
    return len(key) >= 43 and len(set(key)) >= 10 and "insecure" not in key


@register()
def check_secret_key_fallbacks(**kwargs: Any) -> list[CheckMessage]:
    if all(map(_is_strong, settings.SECRET_KEY_FALLBACKS)):
        return []
    sentence = "SECRET_KEY_FALLBACKS must be random texts of at least 43 characters each, with commas between."
    return [Error(sentence, hint=KEY_HINT, id="accounts.E016")]


@register()
def check_signing_keys(**kwargs: Any) -> list[CheckMessage]:
    """Reads them too: later a folder that cannot be read is only logged."""
    try:
        keys.read_again()
    except SigningKeyError as error:
        return [Error(str(error), hint=SIGNING_KEY_HINT, id="accounts.E017")]
    return []


@register()
def check_audiences(**kwargs: Any) -> list[CheckMessage]:
    if conf.token_audience == conf.refresh_audience:
        return [Error("TOKEN_AUDIENCE must not be that of refresh tokens, TOKEN_ISSUER/refresh.", id="accounts.E018")]
    return []


@register()
def check_production(**kwargs: Any) -> list[CheckMessage]:
    if settings.PRODUCTION and settings.DEBUG:
        return [Error("DEBUG must be off with ENVIRONMENT=production: it shows the inside.", id="accounts.E002")]
    return []


@register()
def check_lifetimes(**kwargs: Any) -> list[CheckMessage]:
    return list(_lifetime_errors())


def _lifetime_errors() -> Iterator[Error]:
    if not 1 <= settings.SESSION_LIFETIME <= TEN_YEARS:
        yield Error(f"SESSION_LIFETIME must be from 1 to {TEN_YEARS} seconds (ten years).", id="accounts.E003")
    for name in ("ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME"):
        if not 1 <= getattr(settings, name) <= settings.SESSION_LIFETIME:
            yield Error(f"{name} must be 1 second or more, and no longer than SESSION_LIFETIME.", id="accounts.E003")
    if not 0 <= settings.REFRESH_TOKEN_GRACE <= DAY:
        yield Error(f"REFRESH_TOKEN_GRACE must be from 0 to {DAY} seconds (a day).", id="accounts.E004")


@register()
def check_cookies(**kwargs: Any) -> list[CheckMessage]:
    if settings.COOKIE_SAMESITE == "None" and not settings.COOKIE_SECURE:
        return [Error("COOKIE_SAMESITE=None needs COOKIE_SECURE=on: browsers drop it otherwise.", id="accounts.E005")]
    return []


@register()
def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    if settings.TRUSTED_PROXY_COUNT < 0:
        return [Error("TRUSTED_PROXY_COUNT must be 0 or more.", id="accounts.E008")]
    return []


@register()
def check_audit(**kwargs: Any) -> list[CheckMessage]:
    return list(_audit_errors())


def _audit_errors() -> Iterator[Error]:
    if settings.AUDIT_KEY and not _is_strong(settings.AUDIT_KEY):
        yield Error("AUDIT_KEY must be a random text of at least 43 characters.", hint=KEY_HINT, id="accounts.E009")
    if not 0 <= settings.AUDIT_SEAL_INTERVAL <= DAY:
        yield Error(f"AUDIT_SEAL_INTERVAL must be from 0 to {DAY} seconds (a day).", id="accounts.E010")


@register()
def check_metrics(**kwargs: Any) -> list[CheckMessage]:
    if not settings.METRICS_TOKEN or _is_strong(settings.METRICS_TOKEN):
        return []
    return [Error("METRICS_TOKEN must be a random text of at least 43 characters.", hint=KEY_HINT, id="accounts.E022")]


@register()
def check_numbers(**kwargs: Any) -> list[CheckMessage]:
    if settings.SESSIONS_PER_USER < 1:
        return [Error("SESSIONS_PER_USER must be 1 or more.", id="accounts.E011")]
    return []


@register()
def check_turns(**kwargs: Any) -> list[CheckMessage]:
    if 1 <= settings.PASSWORDS_AT_ONCE <= max(settings.THREADS, 1):
        return []
    return [Error("PASSWORDS_AT_ONCE must be 1 or more, and no more than THREADS.", id="accounts.E019")]


@register()
def check_database(**kwargs: Any) -> list[CheckMessage]:
    bounds = (("DATABASE_CONNECTIONS", 1, 1000), ("DATABASE_TIMEOUT", 1, 3600))
    return [
        Error(f"{name} must be from {least} to {most}.", id="accounts.E021")
        for name, least, most in bounds
        if not least <= getattr(settings, name) <= most
    ]


@register()
def check_passwords(**kwargs: Any) -> list[CheckMessage]:
    return list(_password_errors())


def _password_errors() -> Iterator[Error]:
    if not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", settings.BREACHED_PASSWORDS_URL):
        yield Error("BREACHED_PASSWORDS_URL must be an address like https://HOST/range/.", id="accounts.E013")
    for word in settings.PASSWORD_WORDS:
        if not any(map(str.isalpha, word)):
            yield Error(f"PASSWORD_WORDS must hold words, but {word!r} has no letter.", id="accounts.E014")


@register()
def check_origins(**kwargs: Any) -> list[CheckMessage]:
    if "null" in settings.CORS_ALLOWED_ORIGINS:
        return [Error("CORS_ALLOWED_ORIGINS must not list null: every sandboxed page has it.", id="accounts.E012")]
    return []


@register(Tags.urls)
def check_routes(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{route.view}, at {route.path}, does not say who may call it: "
            "give it permission_classes, with AllowAny if everyone may.",
            id="accounts.E007",
        )
        for route in routes()
        if not route.declared
    ]


@register(Tags.database)
def check_charset(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Names may hold any letter, so a MySQL database must be able to store any."""
    return [
        Error(
            f"The database stores {charset}, and so cannot hold every name. "
            "ALTER DATABASE … CHARACTER SET utf8mb4 before the first migrate.",
            id="accounts.E006",
        )
        for alias in databases or []
        if connections[alias].vendor == "mysql" and (charset := _charset(alias)) != "utf8mb4"
    ]


def _charset(alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT @@character_set_database")
        return cursor.fetchone()[0]
