"""The keys of this server: one from SECRET_KEY, and those in SIGNING_KEY_DIR, which may change while it runs."""

import logging
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from threading import Lock
from time import monotonic

from accounts.conf import conf
from accounts.keys import files
from accounts.keys.files import SigningKeyError
from accounts.keys.ring import EDDSA, HS256, RS256, Jwk, Key, KeyRing, derived_key, new_key

__all__ = [
    "CLOCK_LEEWAY",
    "EDDSA",
    "HS256",
    "JWKS_MAX_AGE",
    "RELOAD_AFTER",
    "RS256",
    "Jwk",
    "Key",
    "KeyRing",
    "SigningKeyError",
    "assemble",
    "new_key",
    "read_again",
    "ring",
]

log = logging.getLogger(__name__)

# Seconds after which the folder is looked at again.
RELOAD_AFTER = 60
# Seconds for which others may keep what is published.
JWKS_MAX_AGE = 300
# The clocks of several servers differ.
CLOCK_LEEWAY = timedelta(seconds=10)
# What a key is needed for beyond the life of its tokens: a server that has not seen its successor yet signs with it.
_OVERLAP = timedelta(seconds=RELOAD_AFTER) + CLOCK_LEEWAY


def ring() -> KeyRing:
    """The keys of this moment. A folder that has become unusable is logged, and the keys read before stay."""
    return _source().ring()


def read_again() -> None:
    """Reads the folder now. Raises SigningKeyError if it cannot be used."""
    _source().read()


def assemble(in_files: list[Key]) -> KeyRing:
    """These keys and those derived from the secrets: SECRET_KEY's is the one before the first file's."""
    return KeyRing(
        [derived_key(conf.secret_key), *in_files],
        fallbacks=[derived_key(secret) for secret in conf.secret_key_fallbacks],
        overlap=conf.longest_token_lifetime + _OVERLAP,
    )


class _Source:
    """Where the ring comes from: made once for each combination of settings, of which a process has one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = Lock()
        self._in_files: list[Key] | None = None
        self.read()

    def ring(self) -> KeyRing:
        if self._folder and monotonic() - self._read_at >= RELOAD_AFTER:
            self._read_if_nobody_does()
        return self._ring

    def _read_if_nobody_does(self) -> None:
        if not self._lock.acquire(blocking=False):
            return
        try:
            self.read()
        # A request waits for its answer: whatever is wrong with the folder must not become its failure.
        except Exception:
            log.exception("The signing keys could not be read again; those read before stay.")
        finally:
            self._lock.release()

    def read(self) -> None:
        self._read_at = monotonic()
        in_files = files.read(self._folder) if self._folder else []
        if self._folder and not in_files:
            raise SigningKeyError(f"SIGNING_KEY_DIR is {self._folder}, which holds no key yet.")
        # The same ring as long as nothing has changed, so that what is made from it can be kept.
        if in_files != self._in_files:
            self._in_files, self._ring = in_files, assemble(in_files)


def _source() -> _Source:
    return _source_of(conf.signing_key_dir, conf.secret_key, conf.secret_key_fallbacks, conf.longest_token_lifetime)


@lru_cache(maxsize=4)
def _source_of(folder: Path | None, *settings: object) -> _Source:
    return _Source(folder)
