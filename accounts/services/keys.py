"""A new signing key, and until when the older ones are needed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from accounts import keys
from accounts.conf import conf
from accounts.keys import Key, SigningKeyError, files
from accounts.models import Action, Actor, AuditEntry

# From then on every copy of the server signs with the new key, and who verifies has had time to fetch it.
SOONEST = timedelta(seconds=keys.JWKS_MAX_AGE + keys.RELOAD_AFTER)


@dataclass(frozen=True)
class Rotation:
    """The new key, the file it is in, and each older key with the moment from which nothing needs it."""

    key: Key
    path: Path
    older: list[tuple[Key, datetime]]


def rotate_signing_key(*, algorithm: str | None, after: timedelta, by: Actor) -> Rotation:
    """Puts a new key into SIGNING_KEY_DIR that signs `after` from now: published first, used later.

    The algorithm is that of the newest key, EdDSA if there is none, unless it is given. Raises SigningKeyError.
    """
    folder = conf.signing_key_dir
    if folder is None:
        raise SigningKeyError("SIGNING_KEY_DIR is not set. It names the folder that signing keys are kept in.")
    there = files.read(folder)
    signs_from = (timezone.now() + after).replace(microsecond=0)
    key = keys.new_key(algorithm or (there[-1].algorithm if there else keys.EDDSA), signs_from)
    with transaction.atomic():
        AuditEntry.objects.record(Action.SIGNING_KEY_ROTATED, by=by, kid=key.kid, algorithm=key.algorithm)
        # Last: where the entry is refused, there is no key.
        path = files.write(folder, key)
    ring = keys.assemble([*there, key])
    retiring = ((older, ring.retires_at(older)) for older in ring)
    return Rotation(key, path, [(older, at) for older, at in retiring if at and older is not key])
