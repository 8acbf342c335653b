"""How passwords are hashed, and how the hashes are read that were brought over from the reference's database."""

import re
from typing import Any

import bcrypt
from django.contrib.auth.hashers import Argon2PasswordHasher, BasePasswordHasher, mask_hash
from django.utils.crypto import constant_time_compare

from accounts.metrics import hashing
from accounts.turns import turn

# Each step doubles the work of every sign-in while such a hash is in the database (accounts/services/checking.py);
# 14 is about a second, 31 would be days.
BCRYPT_COSTS = range(4, 15)

# Django's spelling of a bcrypt hash. The salt's last character holds two bits, so only four of them are one.
_BCRYPT = re.compile(r"bcrypt\$(\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31})")


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id at OWASP's minimum, 19 MiB, 2 passes, 1 lane; docs/security.md says why no other of its equals.

    A hash that cannot be read is one that no password fits.
    """

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    @turn()
    @hashing()
    def encode(self, password: str, salt: str) -> str:
        return super().encode(password, salt)

    @turn()
    @hashing()
    def verify(self, password: str, encoded: str) -> bool:
        try:
            return super().verify(password, encoded)
        except ValueError:
            self.encode(password, self.salt())  # the same work
            return False

    def must_update(self, encoded: str) -> bool:
        try:
            return super().must_update(encoded)
        except ValueError:
            return False

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        try:
            return super().safe_summary(encoded)
        except ValueError:
            return _UNREADABLE


class BcryptHasher(BasePasswordHasher):
    """Checks hashes brought over from the reference's database, and makes none."""

    algorithm = "bcrypt"

    @turn()
    @hashing()
    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password fits; False for a hash that cannot be read or costs too much."""
        found = _readable(encoded)
        return found is not None and constant_time_compare(_bcrypt(password, found[1]), found[1])

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        found = _readable(encoded)
        return {"algorithm": "bcrypt", "cost": found[2], "hash": mask_hash(found[1][29:])} if found else _UNREADABLE


_UNREADABLE: dict[Any, Any] = {"algorithm": "unknown: the hash cannot be read, so no password fits it"}


def is_bcrypt(encoded: str) -> bool:
    return encoded.startswith("bcrypt$")


def bcrypt_cost(encoded: str) -> int | None:
    """Whatever it is, also beyond BCRYPT_COSTS; None for what is no bcrypt hash in Django's spelling."""
    found = _BCRYPT.fullmatch(encoded)
    return int(found[2]) if found else None


def level_bcrypt(password: str, encoded: str, cost: int) -> None:
    """After a check against `encoded`, does what is missing to the work of one bcrypt hash of that cost: 2^cost is
    2^c for the hash that was checked, and 2^c + … + 2^(cost - 1)."""
    found = _readable(encoded)
    for missing in range(int(found[2]), cost) if found else [cost]:
        _bcrypt(password, f"$2b${missing:02}${'.' * 22}")


def _readable(encoded: str) -> re.Match[str] | None:
    found = _BCRYPT.fullmatch(encoded)
    return found if found and int(found[2]) in BCRYPT_COSTS else None


def _bcrypt(password: str, salt: str) -> str:
    """bcrypt reads 72 bytes. The reference dropped the rest silently; the library here would refuse."""
    return bcrypt.hashpw(password.encode()[:72], salt.encode()).decode()
