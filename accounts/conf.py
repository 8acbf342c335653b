"""The one place where accounts reads its settings; read at each use, so that a test's override takes effect."""

from datetime import timedelta
from hmac import digest

from django.conf import settings


class Conf:
    @property
    def access_token_lifetime(self) -> timedelta:
        return timedelta(seconds=settings.ACCESS_TOKEN_LIFETIME)

    @property
    def refresh_token_lifetime(self) -> timedelta:
        return timedelta(seconds=settings.REFRESH_TOKEN_LIFETIME)

    @property
    def session_lifetime(self) -> timedelta:
        """A session ends then, however often it is refreshed."""
        return timedelta(seconds=settings.SESSION_LIFETIME)

    @property
    def refresh_token_grace(self) -> timedelta:
        """How long a refresh token that was replaced may still arrive without being called stolen."""
        return timedelta(seconds=settings.REFRESH_TOKEN_GRACE)

    @property
    def secret_key(self) -> str:
        return settings.SECRET_KEY

    @property
    def sessions_per_user(self) -> int:
        """How many sessions of one user may be live at once; the oldest ends."""
        return settings.SESSIONS_PER_USER

    @property
    def audit_key(self) -> bytes:
        """What the audit trail is authenticated with: a key of its own, or one derived from the secret key."""
        return digest((settings.AUDIT_KEY or settings.SECRET_KEY).encode(), b"accounts.audit", "sha256")

    @property
    def token_issuer(self) -> str:
        return settings.TOKEN_ISSUER

    @property
    def token_audience(self) -> str:
        return settings.TOKEN_AUDIENCE

    @property
    def delivers_in_body(self) -> bool:
        return settings.TOKEN_DELIVERY in {"body", "both"}

    @property
    def delivers_in_cookies(self) -> bool:
        return settings.TOKEN_DELIVERY in {"cookie", "both"}

    @property
    def cookie_secure(self) -> bool:
        return settings.COOKIE_SECURE

    @property
    def cookie_samesite(self) -> str:
        return settings.COOKIE_SAMESITE

    # The prefixes make browsers insist on Secure; __Host- also on Path=/, which the refresh cookie has not.
    @property
    def access_cookie(self) -> str:
        return "__Host-access_token" if self.cookie_secure else "access_token"

    @property
    def refresh_cookie(self) -> str:
        return "__Secure-refresh_token" if self.cookie_secure else "refresh_token"

    @property
    def self_assignable_roles(self) -> frozenset[str]:
        return frozenset(settings.SELF_ASSIGNABLE_ROLES)

    @property
    def reveal_unknown_username(self) -> bool:
        return settings.REVEAL_UNKNOWN_USERNAME

    @property
    def password_words(self) -> list[str]:
        """Words that make a password easy to guess here."""
        return settings.PASSWORD_WORDS

    @property
    def breached_passwords_url(self) -> str:
        """What the first digits of a hash are appended to."""
        return f"{settings.BREACHED_PASSWORDS_URL.rstrip('/')}/"

    @property
    def threads(self) -> int:
        """How many requests this process works on at once."""
        return settings.THREADS

    @property
    def listed_origins(self) -> frozenset[str]:
        return frozenset(settings.CORS_ALLOWED_ORIGINS)


conf = Conf()
