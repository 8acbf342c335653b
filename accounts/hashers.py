"""How passwords are hashed, and how long they may be."""

from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id at OWASP's first choice: 19 MiB, 2 passes, 1 lane; Django's default asks for 100 MiB and 8 threads."""

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1


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
