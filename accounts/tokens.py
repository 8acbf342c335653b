"""Access and refresh tokens: the only module that imports simplejwt's token classes, and the signing key."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from typing import Any
from uuid import UUID

import jwt
from jwt.utils import base64url_encode
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenBackendError, TokenError
from rest_framework_simplejwt.exceptions import TokenBackendExpiredToken as BackendExpired
from rest_framework_simplejwt.tokens import Token

from accounts.conf import conf
from accounts.errors import ExpiredToken, InvalidToken

ALGORITHM = "HS256"
# The clocks of several servers differ; this much may a token seem to come from the future.
CLOCK_LEEWAY = timedelta(seconds=10)
# Ours have under 700; reading a longer one would be work done for a stranger.
MAX_LENGTH = 4096
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


class Backend(TokenBackend):
    """simplejwt's, with one key and one `typ` in the header (RFC 8725 section 3.11), both checked to the letter."""

    def __init__(self, *, typ: str, signing_key: bytes, issuer: str, audience: str) -> None:
        super().__init__(ALGORITHM, signing_key, issuer=issuer, audience=audience)  # type: ignore[arg-type]
        kid = sha256(b"kid" + signing_key).hexdigest()[:16]
        self.header = {"alg": ALGORITHM, "kid": kid, "typ": typ}

    def encode(self, payload: dict[str, Any]) -> str:
        named = {**payload, "iss": self.issuer, "aud": self.audience}
        return jwt.encode(named, self.prepared_signing_key, algorithm=ALGORITHM, headers=self.header)

    def decode(self, token: Any, verify: bool = True, *, expired_too: bool = False) -> dict[str, Any]:
        """The payload of a token that we signed.

        No other header than ours is taken (no `jku`, `x5u`, `crit` …), and no other spelling of the signature:
        the base64 of 32 bytes has bits to spare, and readers skip what is not base64.
        """
        if not isinstance(token, str) or len(token) > MAX_LENGTH or not token.isascii():
            raise TokenBackendError("Not a token")
        try:
            decoded = jwt.decode_complete(
                token,
                self.prepared_signing_key,
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                # iat is checked below: PyJWT's leeway would stretch exp too.
                options={"verify_exp": not expired_too, "verify_iat": False, "require": ["exp", "iat", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise BackendExpired("Token is expired") from error
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("Token is invalid") from error
        signature = base64url_encode(decoded["signature"]).decode()
        if decoded["header"] != self.header or token.rpartition(".")[2] != signature:
            raise TokenBackendError("Token is not spelt as we spell ours")
        return decoded["payload"]


class SessionToken(Token):
    """A token of a session; what it is good for is in `token_type` and in the header's `typ`."""

    # simplejwt asks for one; ours is given when the token is issued.
    lifetime = timedelta(0)
    typ: str

    def get_token_backend(self) -> Backend:
        return backend(self.typ)


class AccessToken(SessionToken):
    token_type = "access"
    typ = "access+jwt"


class RefreshToken(SessionToken):
    token_type = "refresh"
    typ = "refresh+jwt"


def backend(typ: str) -> Backend:
    return _backend(typ, conf.secret_key, conf.token_issuer, conf.token_audience)


@lru_cache(maxsize=16)
def _backend(typ: str, secret_key: str, issuer: str, audience: str) -> Backend:
    # A key of its own: nothing else that is signed with SECRET_KEY can ever pass for a token.
    signing_key = digest(secret_key.encode(), b"accounts.tokens HS256", "sha256")
    return Backend(typ=typ, signing_key=signing_key, issuer=issuer, audience=audience)


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
    token = kind()
    token["sub"] = str(user_id)
    token["id"] = user_id  # where the reference server's clients look for it
    token["sid"] = str(session_id)
    if generation is not None:
        token["gen"] = generation
    token.set_iat(at_time=now)
    token.set_exp(from_time=expires_at, lifetime=timedelta(0))
    return str(token)


def read(kind: type[SessionToken], raw: str) -> Claims:
    """What the token says. Raises ExpiredToken for a genuine one that has run out, InvalidToken for all else."""
    try:
        return _claims(kind, kind(raw).payload)  # type: ignore[arg-type]
    except ExpiredTokenError:
        raise ExpiredToken() from None
    except (TokenError, *_MISSHAPEN):
        raise InvalidToken() from None


def read_even_expired(kind: type[SessionToken], raw: str) -> Claims:
    """As `read`, but a genuine token is taken after its expiry too: only to end its session. Raises InvalidToken."""
    try:
        return _claims(kind, backend(kind.typ).decode(raw, expired_too=True))
    except (TokenBackendError, *_MISSHAPEN):
        raise InvalidToken() from None


def _claims(kind: type[SessionToken], payload: dict[str, Any]) -> Claims:
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
