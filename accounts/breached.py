"""Whether a password is known from a data breach. Asks another service, so it is loaded only where that is wanted."""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from django.contrib.auth.password_validation import get_default_password_validators, validate_password
from django.core.exceptions import ValidationError
from pwned_passwords_django.api import PwnedPasswords
from pwned_passwords_django.exceptions import PwnedPasswordsError

from accounts.conf import conf

logger = logging.getLogger(__name__)

# Seconds until the other rules decide alone.
TIMEOUT = 1.5


class BreachedPasswordValidator:
    """Refuses what the service knows, and lets pass what it cannot be asked about.

    By k-anonymity: of the SHA-1 of the password the first five hexadecimal digits are sent, and the answer, padded
    so that its length tells nothing, lists all that begin so.
    """

    def validate(self, password: str, user: Any = None) -> None:
        if _refused_already(password, user, by_other_than=self):
            return
        lookup = _lookups().submit(_client(conf.breached_passwords_url).check_password, password)
        try:
            known = lookup.result(TIMEOUT)
        except (PwnedPasswordsError, TimeoutError) as error:
            lookup.cancel()
            reason = error.code.value if isinstance(error, PwnedPasswordsError) else "no answer in time"
            logger.warning("A password could not be looked up among the breached ones: %s", reason)
            return
        if known:
            raise ValidationError(
                "This password has appeared in a data breach and must not be used.", code="password_breached"
            )

    def get_help_text(self) -> str:
        return "It must not have appeared in a data breach."


def _refused_already(password: str, user: Any, *, by_other_than: BreachedPasswordValidator) -> bool:
    """Django asks all validators; what another refuses need not be looked up."""
    others = [validator for validator in get_default_password_validators() if validator is not by_other_than]
    try:
        validate_password(password, user, others)
    except ValidationError:
        return True
    return False


@cache
def _client(url: str) -> PwnedPasswords:
    client = PwnedPasswords()
    client.api_endpoint = url
    return client


@cache
def _lookups() -> ThreadPoolExecutor:
    """The client's own timeouts bound each step, not their sum, and not the resolving of the service's name: so a
    lookup runs beside the request, which waits no longer than TIMEOUT."""
    return ThreadPoolExecutor(conf.threads, "breached-passwords")
