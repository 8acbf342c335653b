"""The folder of signing keys: PEM files, each named by the moment (UTC) from which its key signs."""

import os
import re
import stat
import tempfile
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from accounts.keys.ring import Key, asymmetric_key

# Four times what an RSA key of 4096 bits takes.
MAX_BYTES = 13_000
FORMAT = "%Y%m%dT%H%M%SZ.pem"
# strptime alone would take fewer digits too.
NAME = re.compile(r"2\d{7}T\d{6}Z\.pem", re.ASCII)

Stamp = tuple[int, ...]


class SigningKeyError(Exception):
    """A sentence about the folder or a file in it; never what is in the file."""


def read(folder: Path) -> list[Key]:
    """The keys in `folder`, oldest first. A file that has been read is read again only after it was changed.

    Raises SigningKeyError for a folder that cannot be read, and for any *.pem file in it that is not as it should be.
    """
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".pem"))
        keys = [_read_file(folder / name, _stamp(folder / name)) for name in names]
    except OSError as error:
        raise SigningKeyError(f"SIGNING_KEY_DIR cannot be read: {error}.") from None
    if len({key.kid for key in keys}) < len(keys):
        raise SigningKeyError(f"SIGNING_KEY_DIR is {folder}, where two files hold the same key.")
    return keys


def readable_by_everyone(folder: Path) -> list[Path]:
    """The key files that any account of the machine may read; none where the folder cannot be read."""
    try:
        return [path for path in sorted(folder.glob("*.pem")) if path.stat().st_mode & stat.S_IROTH]
    except OSError:
        return []


def write(folder: Path, key: Key) -> Path:
    """Keeps an asymmetric key in a file that only its owner may read. Whoever looks sees all of it or none, and no
    other file is replaced. Raises SigningKeyError."""
    path = folder / key.signs_from.strftime(FORMAT)
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[union-attr]
    try:
        descriptor, draft = tempfile.mkstemp(dir=folder, prefix=".draft-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(descriptor)
            os.link(draft, path)
        finally:
            os.unlink(draft)
    except OSError as error:
        raise SigningKeyError(f"The key could not be kept in SIGNING_KEY_DIR: {error}.") from None
    return path


def _stamp(path: Path) -> Stamp:
    """Changes when the file does, or the symbolic link that leads to it, as in a folder that Kubernetes mounts."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
        raise SigningKeyError(f"{path} is no key: not a file, or too long for one.")
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


# Reading an RSA key takes a tenth of a second, because it is checked.
@lru_cache(maxsize=64)
def _read_file(path: Path, stamp: Stamp) -> Key:
    signs_from = _moment(path)
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    # A TypeError means that it is encrypted.
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningKeyError(f"{path} holds no private key in PEM that can be read without a password.") from None
    try:
        return asymmetric_key(private, signs_from)
    except ValueError as error:
        raise SigningKeyError(f"{path} holds {error}.") from None


def _moment(path: Path) -> datetime:
    try:
        if NAME.fullmatch(path.name):
            return datetime.strptime(path.name, FORMAT).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise SigningKeyError(f"{path} must be named by the moment from which it signs, such as 20261123T190000Z.pem.")
