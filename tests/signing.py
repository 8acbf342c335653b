"""Signing keys for tests: real ones in real folders, tokens signed with them, and what tokens say of themselves."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from accounts import tokens
from accounts.errors import InvalidToken
from accounts.keys import EDDSA, Key, files, new_key
from accounts.tokens import AccessToken, SessionToken

Json = dict[str, Any]


def put_key(folder: Path, signs_from: datetime, algorithm: str = EDDSA) -> Key:
    """A new key, in a file of `folder`."""
    key = new_key(algorithm, signs_from.replace(microsecond=0))
    files.write(folder, key)
    return key


def token(kind: type[SessionToken] = AccessToken) -> str:
    """Good for a year, signed now with the key of this moment."""
    now = datetime.now(UTC)
    a_year = timedelta(days=365)
    return tokens.issue(kind, session_id=uuid4(), user_id=1, now=now, expires_at=now + a_year, generation=1)


def expired(raw: str) -> str:
    """The access token as it would be an hour later."""
    claims = tokens.read(AccessToken, raw)
    ended = claims.issued_at - timedelta(seconds=1)
    return tokens.issue(AccessToken, session_id=claims.session_id, user_id=claims.user_id, now=ended, expires_at=ended)


def is_taken(raw: str, kind: type[SessionToken] = AccessToken) -> bool:
    try:
        tokens.read(kind, raw)
    except InvalidToken:
        return False
    return True


def header_of(raw: str) -> Json:
    return parts(raw)[0]


def kid_of(raw: str) -> str:
    return header_of(raw)["kid"]


def parts(raw: str) -> tuple[Json, Json]:
    """Header and payload."""
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in raw.split(".")[:2])
    return header, payload


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Json, payload: Json, key: Key | bytes) -> str:
    """By the key's algorithm, whatever the header says; bytes sign as HS256 does."""
    segments = (base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))
    body = ".".join(segments)
    return f"{body}.{base64url(_signature(key.private if isinstance(key, Key) else key, body.encode()))}"


def _signature(private: Any, body: bytes) -> bytes:
    if isinstance(private, Ed25519PrivateKey):
        return private.sign(body)
    if isinstance(private, RSAPrivateKey):
        return private.sign(body, PKCS1v15(), SHA256())
    return hmac.digest(private, body, "sha256")
