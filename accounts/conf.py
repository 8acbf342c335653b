"""The one place where accounts reads its settings: each when it is first asked for, and anew once a test overrides
any."""

from datetime import timedelta
from functools import cached_property
from hmac import digest
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

from accounts.rates import Rate


class Conf:
    @cached_property
    def access_token_lifetime(self) -> timedelta:
        return timedelta(seconds=settings.ACCESS_TOKEN_LIFETIME)

    @cached_property
    def refresh_token_lifetime(self) -> timedelta:
        return timedelta(seconds=settings.REFRESH_TOKEN_LIFETIME)

    @cached_property
    def session_lifetime(self) -> timedelta:
        """A session ends then, however often it is refreshed."""
        return timedelta(seconds=settings.SESSION_LIFETIME)

    @cached_property
    def admin_session_lifetime(self) -> timedelta:
        """How long a sign-in to the Django admin lasts."""
        return timedelta(seconds=settings.SESSION_COOKIE_AGE)

    @cached_property
    def refresh_token_grace(self) -> timedelta:
        """How long a refresh token that was replaced may still arrive without being called stolen."""
        return timedelta(seconds=settings.REFRESH_TOKEN_GRACE)

    @cached_property
    def longest_token_lifetime(self) -> timedelta:
        return timedelta(seconds=max(settings.ACCESS_TOKEN_LIFETIME, settings.REFRESH_TOKEN_LIFETIME))

    @cached_property
    def debug(self) -> bool:
        return settings.DEBUG

    @cached_property
    def secret_key(self) -> str:
        return settings.SECRET_KEY

    @cached_property
    def secret_key_fallbacks(self) -> tuple[str, ...]:
        """Older secrets, or the next one: what they signed is still good."""
        return tuple(settings.SECRET_KEY_FALLBACKS)

    @cached_property
    def signing_key_dir(self) -> Path | None:
        return settings.SIGNING_KEY_DIR

    @cached_property
    def sessions_per_user(self) -> int:
        """How many sessions of one user may be live at once; the oldest ends."""
        return settings.SESSIONS_PER_USER

    @cached_property
    def audit_key(self) -> bytes:
        """What the audit trail is authenticated with: a key of its own, or one derived from the secret key."""
        return digest((settings.AUDIT_KEY or settings.SECRET_KEY).encode(), b"accounts.audit", "sha256")

    @cached_property
    def token_issuer(self) -> str:
        return settings.TOKEN_ISSUER

    @cached_property
    def token_audience(self) -> str:
        return settings.TOKEN_AUDIENCE

    @cached_property
    def refresh_audience(self) -> str:
        """This server alone, so that whoever else verifies our tokens refuses those (RFC 8725 section 3.12)."""
        return f"{settings.TOKEN_ISSUER}/refresh"

    @cached_property
    def delivers_in_body(self) -> bool:
        return settings.TOKEN_DELIVERY in {"body", "both"}

    @cached_property
    def delivers_in_cookies(self) -> bool:
        return settings.TOKEN_DELIVERY in {"cookie", "both"}

    @cached_property
    def cookie_secure(self) -> bool:
        return settings.COOKIE_SECURE

    @cached_property
    def cookie_samesite(self) -> str:
        return settings.COOKIE_SAMESITE

    # The prefixes make browsers insist on Secure; __Host- also on Path=/, which the refresh cookie has not.
    @cached_property
    def access_cookie(self) -> str:
        return "__Host-access_token" if self.cookie_secure else "access_token"

    @cached_property
    def refresh_cookie(self) -> str:
        return "__Secure-refresh_token" if self.cookie_secure else "refresh_token"

    @cached_property
    def self_assignable_roles(self) -> frozenset[str]:
        return frozenset(settings.SELF_ASSIGNABLE_ROLES)

    @cached_property
    def reveal_unknown_username(self) -> bool:
        return settings.REVEAL_UNKNOWN_USERNAME

    @cached_property
    def guess_rate(self) -> Rate | None:
        """Wrong passwords for one account from one address; None where there is no limit, as with those below."""
        return _rate(settings.GUESS_RATE)

    @cached_property
    def guess_rate_address(self) -> Rate | None:
        """Wrong passwords from one address, over all accounts that have not signed in from it lately."""
        return _rate(settings.GUESS_RATE_ADDRESS)

    @cached_property
    def guess_rate_account(self) -> Rate | None:
        """Wrong passwords for one account, over all addresses from which it has not signed in lately."""
        return _rate(settings.GUESS_RATE_ACCOUNT)

    @cached_property
    def sign_up_rate(self) -> Rate | None:
        """Per address."""
        return _rate(settings.SIGN_UP_RATE)

    @cached_property
    def refresh_rate(self) -> Rate | None:
        """Per session."""
        return _rate(settings.REFRESH_RATE)

    @cached_property
    def password_check_rate(self) -> Rate | None:
        """Checks of the current password by who is signed in, per account and address."""
        return _rate(settings.PASSWORD_CHECK_RATE)

    @cached_property
    def cache_url(self) -> str:
        """The Redis that counts; '' where the database does."""
        return settings.CACHE_URL

    @cached_property
    def password_words(self) -> list[str]:
        """Words that make a password easy to guess here."""
        return settings.PASSWORD_WORDS

    @cached_property
    def breached_passwords_url(self) -> str:
        """What the first digits of a hash are appended to."""
        return f"{settings.BREACHED_PASSWORDS_URL.rstrip('/')}/"

    @cached_property
    def threads(self) -> int:
        """How many requests this process works on at once."""
        return settings.THREADS

    @cached_property
    def passwords_at_once(self) -> int:
        """How many passwords this process works on at once."""
        return settings.PASSWORDS_AT_ONCE

    @cached_property
    def database_connections(self) -> int:
        """How many database connections the requests of this process have at most."""
        return settings.DATABASE_CONNECTIONS

    @cached_property
    def database_timeout(self) -> int:
        """For how many seconds a request waits for each answer of the database."""
        return settings.DATABASE_TIMEOUT

    @cached_property
    def listed_origins(self) -> frozenset[str]:
        return frozenset(settings.CORS_ALLOWED_ORIGINS)


def _rate(setting: tuple[int, int] | None) -> Rate | None:
    return Rate(setting[0], timedelta(seconds=setting[1])) if setting else None


conf = Conf()


def _forget(**_: Any) -> None:
    conf.__dict__.clear()


setting_changed.connect(_forget)
