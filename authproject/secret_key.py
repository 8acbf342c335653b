"""The key of a development installation: random, made once, kept in a file that git ignores."""

import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def read_or_create(path: Path) -> str:
    """The key in `path`; where there is none yet, a new one of 384 bits.

    The link either makes the whole file or fails because another process was first,
    so no reader ever sees a half-written key and all of them see the same one.
    """
    try:
        if not path.exists():
            _create(path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"SECRET_KEY is not set, and none can be kept in a file: {error}") from None


def _create(path: Path) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
