"""What is allowed, and unwise in production: `manage.py check --deploy` warns of it."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from accounts.conf import conf
from accounts.keys import files
from accounts.models import ADMIN

ON_THIS_MACHINE = {"", "localhost", "127.0.0.1", "::1"}


@register(deploy=True)
def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    return [*_told_to_strangers(), *_open_to_guessing(), *_keys(), *_networks()]


def _told_to_strangers() -> Iterator[Warning]:
    if settings.TOKEN_DELIVERY == "both":
        yield Warning(
            "TOKEN_DELIVERY=both: scripts can read in the body what the HttpOnly cookie hides.", id="accounts.W001"
        )
    if ADMIN in settings.SELF_ASSIGNABLE_ROLES:
        yield Warning("SELF_ASSIGNABLE_ROLES holds admin: anyone can sign up as one.", id="accounts.W003")
    if settings.REVEAL_UNKNOWN_USERNAME:
        yield Warning("REVEAL_UNKNOWN_USERNAME is on: anyone can find out who has an account.", id="accounts.W014")


def _open_to_guessing() -> Iterator[Warning]:
    for name in ("GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT", "SIGN_UP_RATE", "PASSWORD_CHECK_RATE"):
        if getattr(settings, name) is None:
            yield Warning(f"{name} is off: nothing slows down who tries out passwords or names.", id="accounts.W015")
    if settings.TRUSTED_PROXY_COUNT == 0:
        yield Warning(
            "TRUSTED_PROXY_COUNT is 0: behind a proxy, all clients would count as one, and no HSTS be sent.",
            id="accounts.W016",
        )


def _keys() -> Iterator[Warning]:
    for path in files.readable_by_everyone(conf.signing_key_dir) if conf.signing_key_dir else []:
        yield Warning(f"{path} can be read by everyone on this machine.", hint="chmod 600", id="accounts.W006")
    if settings.SECRET_KEY_FALLBACKS and not settings.AUDIT_KEY:
        yield Warning(
            "SECRET_KEY_FALLBACKS is set and AUDIT_KEY is not: the key of the audit trail changes with SECRET_KEY.",
            hint="Set AUDIT_KEY to the SECRET_KEY that the trail was begun with.",
            id="accounts.W007",
        )


def _networks() -> Iterator[Warning]:
    if not settings.COOKIE_SECURE:
        yield Warning("COOKIE_SECURE is off: tokens in cookies would cross the network in clear.", id="accounts.W002")
    if settings.BREACHED_PASSWORDS and not settings.BREACHED_PASSWORDS_URL.startswith("https:"):
        yield Warning("BREACHED_PASSWORDS_URL is not https: whoever listens learns of passwords.", id="accounts.W004")
    for database in settings.DATABASES.values():
        mode = str(database.get("OPTIONS", {}).get("ssl_mode", ""))
        if _is_elsewhere(database) and not mode.startswith("VERIFY_"):
            yield Warning(
                "DATABASE_URL names another machine without ssl_mode=VERIFY_IDENTITY or VERIFY_CA: "
                "what is kept there crosses the network in clear, or to whoever answers.",
                id="accounts.W017",
            )


def _is_elsewhere(database: dict[str, Any]) -> bool:
    host = database.get("HOST", "")
    return "mysql" in database["ENGINE"] and host not in ON_THIS_MACHINE and not host.startswith("/")
