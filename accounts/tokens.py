"""Access and refresh tokens: the only module that imports simplejwt's token classes."""

import hmac
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any
from uuid import UUID

import jwt
from jwt.utils import base64url_encode
from rest_framework_simplejwt.exceptions import TokenBackendError
from rest_framework_simplejwt.tokens import Token

from accounts import keys
from accounts.conf import conf
from accounts.errors import ExpiredToken, InvalidToken
from accounts.keys import CLOCK_LEEWAY, Key, KeyRing

# Ours have under 1,200; reading a longer one would be work done for a stranger.
MAX_LENGTH = 4096
# How many tokens of each process's last ones are remembered as genuine: about a kilobyte each.
REMEMBERED = 4096
# What the columns hold: a BigAutoField and a PositiveIntegerField.
MAX_USER_ID, MAX_GENERATION = 2**63 - 1, 2**31 - 1
# What reading a claim that is none of ours may raise; an OSError comes out of a time some billions of years away.
_MISSHAPEN = (KeyError, TypeError, ValueError, OverflowError, OSError)


@dataclass(frozen=True)
class Claims:
    """What a genuine token says. `generation` is a refresh token's, and 0 in an access token."""

    session_id: UUID
    user_id: int
    generation: int
    issued_at: datetime
    expires_at: datetime


# No two are the same, and that is all: whoever could guess one could sign nothing with it. Asking the system for
# randomness would hand the interpreter to another thread.
_jti = Random()  # noqa: S311
os.register_at_fork(after_in_child=_jti.seed)

_json = json.JSONEncoder(separators=(",", ":")).encode


def _segment(raw: bytes) -> str:
    return base64url_encode(raw).decode()


def _signature(key: Key, said: bytes) -> bytes:
    if isinstance(key.private, bytes):
        # HS256 (RFC 7518 section 3.2), in one call.
        return hmac.digest(key.private, said, "sha256")
    return jwt.get_algorithm_by_name(key.algorithm).sign(said, key.private)


class Backend:
    """What simplejwt's tokens of one kind ask to sign and to verify them; header and signature have one spelling."""

    def __init__(self, *, typ: str, ring: KeyRing, issuer: str, audience: str) -> None:
        self.typ, self.ring, self.issuer, self.audience = typ, ring, issuer, audience
        self._header_of_kid = {key.kid: self.header(key) for key in ring}
        self._kid_of_header = {header: kid for kid, header in self._header_of_kid.items()}

    def header(self, key: Key) -> str:
        """The first segment of that key's tokens; `typ` is RFC 8725's, section 3.11. PyJWT writes the same."""
        return _segment(_json({"alg": key.algorithm, "kid": key.kid, "typ": self.typ}).encode())

    def key_of(self, token: Any) -> Key | None:
        """The key that the token names, if that verifies tokens now; None for what cannot be a token."""
        if not isinstance(token, str) or len(token) > MAX_LENGTH or not token.isascii():
            return None
        kid = self._kid_of_header.get(token.partition(".")[0])
        return self.ring.verifying(kid, datetime.now(UTC)) if kid else None

    def get_leeway(self) -> timedelta:
        """What simplejwt's own check of `exp` asks, where somebody makes a token of a text without `read`."""
        return timedelta(0)

    def encode(self, payload: dict[str, Any]) -> str:
        """As jwt.encode, letter by letter (RFC 7515 section 3.1), which would look each time whether the secret is a
        public key in disguise, and write the header anew."""
        key = self.ring.signing(datetime.now(UTC))
        named = {**payload, "iss": self.issuer, "aud": self.audience}
        said = f"{self._header_of_kid[key.kid]}.{_segment(_json(named).encode())}"
        return f"{said}.{_segment(_signature(key, said.encode()))}"

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """The payload of a token that we signed, even if it has expired.

        A header is one of ours, letter by letter, or it is not read: what else it may say (another `alg`, `jku`,
        `x5u`, `crit` …) has no effect. The base64 of a signature has bits to spare, which must be as we leave them.
        """
        key = self.key_of(token)
        if not key:
            raise TokenBackendError("Not a token of a key of ours")
        try:
            decoded = jwt.decode_complete(
                token,
                key.public,
                algorithms=[key.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                # Both are checked below.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("Token is invalid") from error
        if token.rpartition(".")[2] != _segment(decoded["signature"]):
            raise TokenBackendError("Token is not spelt as we spell ours")
        return decoded["payload"]


class SessionToken(Token):
    """A token of a session; what it is good for is in `token_type`, in the header's `typ`, and in `aud`."""

    # simplejwt asks for one; ours is given when the token is issued.
    lifetime = timedelta(0)
    typ: str

    @staticmethod
    def audience() -> str:
        raise NotImplementedError

    def get_token_backend(self) -> Backend:  # type: ignore[override]
        return backend(type(self))


class AccessToken(SessionToken):
    token_type = "access"
    typ = "access+jwt"

    @staticmethod
    def audience() -> str:
        return conf.token_audience


class RefreshToken(SessionToken):
    token_type = "refresh"
    typ = "refresh+jwt"

    @staticmethod
    def audience() -> str:
        return conf.refresh_audience


_KINDS: dict[str, type[SessionToken]] = {kind.typ: kind for kind in (AccessToken, RefreshToken)}


def backend(kind: type[SessionToken]) -> Backend:
    return _backend(kind.typ, keys.ring(), conf.token_issuer, kind.audience())


@lru_cache(maxsize=16)
def _backend(typ: str, ring: KeyRing, issuer: str, audience: str) -> Backend:
    return Backend(typ=typ, ring=ring, issuer=issuer, audience=audience)


def issue(
    kind: type[SessionToken],
    *,
    session_id: UUID,
    user_id: int,
    now: datetime,
    expires_at: datetime,
    generation: int | None = None,
) -> str:
    """A signed token of that kind. It carries no roles: those are asked of the database at each request."""
    # As `str(kind())` with these set, which has set some of them already.
    payload: dict[str, Any] = {
        "token_type": kind.token_type,
        "exp": int(expires_at.timestamp()),
        "iat": int(now.timestamp()),
        "jti": f"{_jti.getrandbits(128):032x}",
        "sub": str(user_id),
        "id": user_id,  # where the reference server's clients look for it
        "sid": str(session_id),
    }
    if generation is not None:
        payload["gen"] = generation
    return backend(kind).encode(payload)


def read(kind: type[SessionToken], raw: str) -> Claims:
    """What the token says. Raises ExpiredToken for a genuine one that has run out, InvalidToken for all else."""
    claims = read_even_expired(kind, raw)
    if claims.expires_at <= datetime.now(UTC):
        raise ExpiredToken()
    return claims


def read_even_expired(kind: type[SessionToken], raw: str) -> Claims:
    """As `read`, but a genuine token is taken after its expiry too: only to end its session. Raises InvalidToken."""
    found = backend(kind)
    if not found.key_of(raw):
        raise InvalidToken()
    try:
        return _verified(found, raw)
    except (TokenBackendError, *_MISSHAPEN):
        raise InvalidToken() from None


# What does not depend on the moment is found out once for each token: the same one comes with every request of its
# session. Only a token that is the same letter by letter is found again, and only with the same ring of keys.
@lru_cache(maxsize=REMEMBERED)
def _verified(found: Backend, raw: str) -> Claims:
    return _claims(_KINDS[found.typ], found.decode(raw))


def _claims(kind: type[SessionToken], payload: dict[str, Any]) -> Claims:
    if payload["token_type"] != kind.token_type or "jti" not in payload:
        raise ValueError("not one of ours")
    issued_at = datetime.fromtimestamp(payload["iat"], UTC)
    if issued_at > datetime.now(UTC) + CLOCK_LEEWAY:
        raise ValueError("issued in the future")
    return Claims(
        session_id=UUID(str(payload["sid"])),
        user_id=_number(int(payload["sub"]), MAX_USER_ID),
        generation=_number(payload["gen"], MAX_GENERATION) if kind is RefreshToken else 0,
        issued_at=issued_at,
        expires_at=datetime.fromtimestamp(payload["exp"], UTC),
    )


def _number(value: Any, largest: int) -> int:
    """A number that its column can hold; True is none."""
    if type(value) is not int or not 0 <= value <= largest:
        raise ValueError(value)
    return value
