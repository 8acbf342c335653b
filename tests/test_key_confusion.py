"""No header makes a token of what is none, whichever of the three algorithms this server signs with (RFC 8725)."""

import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings as django_settings

from accounts import keys
from accounts.keys import EDDSA, HS256, RS256, Key, files
from accounts.keys.ring import asymmetric_key
from accounts.tokens import AccessToken, RefreshToken, SessionToken
from tests.signing import is_taken, kid_of, parts, put_key, signed, token

pytestmark = pytest.mark.no_database

Json = dict[str, Any]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@cache
def made_once(algorithm: str) -> Key:
    """Finding the primes of an RSA key takes a quarter of a second."""
    return keys.new_key(algorithm, NOON - HOUR)


@pytest.fixture(params=[HS256, EDDSA, RS256])
def key(request: pytest.FixtureRequest) -> Key:
    """What this server signs with: one of each algorithm in turn."""
    if request.param != HS256:
        files.write(request.getfixturevalue("key_folder"), made_once(request.param))
    return keys.ring().signing(NOON)


@pytest.fixture
def genuine(key: Key) -> str:
    """An access token of that key."""
    return token()


def test_what_is_put_together_as_ours_is_ours(genuine: str, key: Key) -> None:
    """The forger of these tests can forge: what is refused below is refused for its own sake."""
    assert is_taken(signed(*parts(genuine), key))


@pytest.mark.parametrize("claimed", ["none", "None", "", "HS512", "RS512", "PS256", "ES256", "Ed25519", "eddsa"])
def test_no_other_algorithm_is_taken(genuine: str, key: Key, claimed: str) -> None:
    header, payload = parts(genuine)
    forged = signed({**header, "alg": claimed}, payload, key)
    assert not is_taken(forged)
    assert not is_taken(forged.rpartition(".")[0] + ".")


@pytest.mark.parametrize("claimed", [HS256, EDDSA, RS256])
def test_a_key_is_good_for_its_own_algorithm_only(genuine: str, key: Key, claimed: str) -> None:
    header, payload = parts(genuine)
    assert is_taken(signed({**header, "alg": claimed}, payload, key)) == (claimed == key.algorithm)


HEADERS: list[Json] = [
    {"jku": "http://127.0.0.1/jwks.json"},
    {"x5u": "http://127.0.0.1/cert.pem"},
    {"x5c": ["MII"]},
    {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}},
    {"crit": ["exp"]},
    {"b64": False, "crit": ["b64"]},
    {"b64": True},
    {"kid": "another"},
    {"kid": ""},
    {"typ": "JWT"},
    {"typ": "refresh+jwt"},
]


@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_nothing_else_may_stand_in_the_header(genuine: str, key: Key, header: Json) -> None:
    old, payload = parts(genuine)
    assert not is_taken(signed({**old, **header}, payload, key))


@pytest.mark.parametrize("named", ["ours", "own"])
def test_a_key_that_comes_along_in_the_header_is_not_asked(genuine: str, key: Key, named: str) -> None:
    own = keys.new_key(EDDSA, NOON)
    header, payload = parts(genuine)
    kid = own.kid if named == "own" else key.kid
    assert not is_taken(signed({**header, "alg": EDDSA, "kid": kid, "jwk": own.jwk}, payload, own))


def test_a_signature_has_one_spelling(genuine: str) -> None:
    letters = string.ascii_letters + string.digits + "-_"
    others = [genuine[:-1] + letter for letter in letters if letter != genuine[-1]]
    assert not any(is_taken(other) for other in (*others, genuine + "=", genuine + "=="))


# --- the two kinds


@pytest.mark.parametrize(("kind", "other"), [(AccessToken, RefreshToken), (RefreshToken, AccessToken)])
@pytest.mark.usefixtures("key")
def test_a_token_of_one_kind_is_not_one_of_the_other(kind: type[SessionToken], other: type[SessionToken]) -> None:
    assert is_taken(token(kind), kind)
    assert not is_taken(token(kind), other)


@pytest.mark.parametrize("left", ["typ", "aud", "token_type"])
def test_a_refresh_token_that_says_access_but_in_one_place_is_none(key: Key, genuine: str, left: str) -> None:
    (header, payload), (refresh_header, refresh_payload) = parts(genuine), parts(token(RefreshToken))
    header = refresh_header if left == "typ" else header
    payload = payload if left == "typ" else {**payload, left: refresh_payload[left]}
    assert not is_taken(signed(header, payload, key))


# --- one key for another


@pytest.mark.parametrize("algorithm", [EDDSA, RS256])
def test_a_published_key_is_no_secret_to_sign_with(key_folder: Path, algorithm: str) -> None:
    """The classic: the public key as the secret of HS256 (RFC 8725 section 2.1)."""
    key = put_key(key_folder, NOON - HOUR, algorithm)
    pem = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[union-attr]
    header, payload = parts(token())
    of_secret = next(each for each in keys.ring() if each.algorithm == HS256)
    for secret in (pem, pem.strip(), str(key.jwk).encode(), b""):
        for kid in (key.kid, of_secret.kid):
            assert not is_taken(signed({**header, "alg": HS256, "kid": kid}, payload, secret))


def test_the_kid_of_another_key_does_not_fit(key_folder: Path) -> None:
    put_key(key_folder, NOON - HOUR)
    put_key(key_folder, NOON + HOUR)
    put_key(key_folder, NOON + 2 * HOUR, RS256)
    header, payload = parts(token())
    for signer in keys.ring():
        for named in keys.ring():
            forged = signed({**header, "alg": named.algorithm, "kid": named.kid}, payload, signer)
            assert is_taken(forged) == (signer is named)


def test_a_kid_gives_nothing_away_of_the_secret_key() -> None:
    kid = kid_of(token())
    assert kid not in django_settings.SECRET_KEY
    assert len(kid) == 16


def test_no_key_shows_what_it_signs_with(key_folder: Path) -> None:
    put_key(key_folder, NOON)
    secret, _ = keys.ring()
    assert repr(secret) == f"Key(kid='{secret.kid}', algorithm='HS256', signs_from={secret.signs_from!r}, jwk=None)"


def test_the_longest_token_fits_into_a_cookie(key_folder: Path, settings: Any) -> None:
    longest = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    files.write(key_folder, asymmetric_key(longest, NOON))
    settings.TOKEN_ISSUER = f"https://{'a' * 200}.example.com"
    assert is_taken(token(RefreshToken), RefreshToken)
    assert len(token(RefreshToken)) < 2000
