"""The keys that sign and verify tokens, and the rule by which one follows another; no clock, no file, no settings."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from itertools import pairwise

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from jwt.utils import base64url_encode, to_base64url_uint

HS256, EDDSA, RS256 = "HS256", "EdDSA", "RS256"
RSA_BITS_OF_NEW = 3072
# A longer key would make each request slow, and the token too long for a cookie.
RSA_BITS = range(2048, 4097)
# Signs before any key of a file does.
ALWAYS = datetime.min.replace(tzinfo=UTC)

Jwk = dict[str, str]


@dataclass(frozen=True, eq=False)
class Key:
    """A key, and the one algorithm that it is good for (RFC 8725 section 3.1).

    `kid` tells it from the others and is public. `jwk` is what is published of it (RFC 7517), None for a secret.
    """

    kid: str
    algorithm: str
    signs_from: datetime
    private: bytes | Ed25519PrivateKey | RSAPrivateKey = field(repr=False)
    public: bytes | Ed25519PublicKey | RSAPublicKey = field(repr=False)
    jwk: Jwk | None = None


def derived_key(secret: str) -> Key:
    """A key of its own: nothing else that is signed with the secret can ever pass for a token."""
    own = digest(secret.encode(), b"accounts.tokens HS256", "sha256")
    kid = sha256(b"kid" + own).hexdigest()[:16]
    return Key(kid=kid, algorithm=HS256, signs_from=ALWAYS, private=own, public=own)


def asymmetric_key(private: object, signs_from: datetime) -> Key:
    """Raises ValueError for a key that is neither Ed25519 nor RSA, or an RSA key of too few or too many bits."""
    if isinstance(private, Ed25519PrivateKey):
        return _asymmetric_key(EDDSA, private, private.public_key(), signs_from)
    if isinstance(private, RSAPrivateKey) and private.key_size in RSA_BITS:
        return _asymmetric_key(RS256, private, private.public_key(), signs_from)
    raise ValueError(f"a key that is neither Ed25519 nor RSA of {RSA_BITS[0]} to {RSA_BITS[-1]} bits")


def new_key(algorithm: str, signs_from: datetime) -> Key:
    """A key that was not there before, for EdDSA or RS256."""
    if algorithm == EDDSA:
        return asymmetric_key(Ed25519PrivateKey.generate(), signs_from)
    return asymmetric_key(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS_OF_NEW), signs_from)


def _asymmetric_key(
    algorithm: str,
    private: Ed25519PrivateKey | RSAPrivateKey,
    public: Ed25519PublicKey | RSAPublicKey,
    signs_from: datetime,
) -> Key:
    members = _members(public)
    # RFC 7638: whoever has the key gets to the same name.
    kid = base64url_encode(sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())
    jwk = {**members, "kid": kid.decode(), "alg": algorithm, "use": "sig"}
    return Key(jwk["kid"], algorithm, signs_from, private, public, jwk)


def _members(public: Ed25519PublicKey | RSAPublicKey) -> Jwk:
    """The members that make the key (RFC 8037 section 2, RFC 7518 section 6.3.1)."""
    if isinstance(public, Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(public.public_bytes_raw()).decode()}
    numbers = public.public_numbers()
    n, e = (to_base64url_uint(number).decode() for number in (numbers.n, numbers.e))
    return {"kty": "RSA", "n": n, "e": e}


class KeyRing:
    """Which key does what at a moment.

    The newest of `signers` whose moment has come signs, and all verify, those to come too. A key retires `overlap`
    after its successor began to sign: by then no token of it is good any more. `fallbacks` verify as long as the
    first signer does.
    """

    def __init__(self, signers: Iterable[Key], *, fallbacks: Sequence[Key] = (), overlap: timedelta) -> None:
        self._signers: Sequence[Key] = sorted(signers, key=lambda key: key.signs_from)
        self._retire_at = {key.kid: successor.signs_from + overlap for key, successor in pairwise(self._signers)}
        self._by_kid = {key.kid: key for key in (*fallbacks, *self._signers)}
        if retires_at := self.retires_at(self._signers[0]):
            self._retire_at |= {key.kid: retires_at for key in fallbacks}

    def __iter__(self) -> Iterator[Key]:
        return iter(self._by_kid.values())

    def signing(self, now: datetime) -> Key:
        """The key that signs now."""
        return next(key for key in reversed(self._signers) if key.signs_from <= now)

    def verifying(self, kid: str, now: datetime) -> Key | None:
        """The key of that name, unless it has retired."""
        key = self._by_kid.get(kid)
        return None if key is None or self._has_retired(key, now) else key

    def published(self, now: datetime) -> list[Jwk]:
        """What others verify with: the public keys that have not retired, those to come too; never a secret."""
        return [key.jwk for key in self._signers if key.jwk and not self._has_retired(key, now)]

    def retires_at(self, key: Key) -> datetime | None:
        """None for the newest, which has no successor."""
        return self._retire_at.get(key.kid)

    def _has_retired(self, key: Key, now: datetime) -> bool:
        retires_at = self._retire_at.get(key.kid)
        return retires_at is not None and retires_at <= now
