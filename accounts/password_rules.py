"""What a password must not be, besides what Django's own validators refuse."""

from typing import Any
from unicodedata import normalize

from django.core.exceptions import ValidationError

from accounts.conf import conf
from accounts.models import BUILT_IN_ROLES


class TextValidator:
    """No NUL and no lone surrogates: request bodies with those are refused, so such a password could never be sent."""

    def validate(self, password: str, user: Any = None) -> None:
        if "\x00" in password or any("\ud800" <= character <= "\udfff" for character in password):
            raise ValidationError(f"This password is no text. {self.get_help_text()}", code="password_no_text")

    def get_help_text(self) -> str:
        return "It must hold neither NUL nor halves of characters."


class MaximumLengthValidator:
    """Bounds what a hash may cost; every character up to the limit counts."""

    def __init__(self, max_length: int) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) > self.max_length:
            raise ValidationError(f"This password is too long. {self.get_help_text()}", code="password_too_long")

    def get_help_text(self) -> str:
        return f"It must contain at most {self.max_length} characters."


class WordsValidator:
    """Refuses this installation's own words, dressed up with digits, punctuation and letter case (ASVS 6.2.11)."""

    def validate(self, password: str, user: Any = None) -> None:
        words = {letters_of(word) for word in (conf.token_issuer, *BUILT_IN_ROLES, *conf.password_words)}
        if letters_of(password) in words - {""}:
            raise ValidationError(f"This password is easy to guess. {self.get_help_text()}", code="password_word")

    def get_help_text(self) -> str:
        return "It must be more than a word that belongs to this service, with digits or punctuation."


def letters_of(text: str) -> str:
    """'Acme-2024!' is 'acme'."""
    return "".join(filter(str.isalpha, normalize("NFKC", text).casefold()))
