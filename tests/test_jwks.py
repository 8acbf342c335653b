"""/.well-known/jwks.json: the public keys, and nothing else."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.keys import EDDSA, RS256
from tests.signing import put_key, token

pytestmark = pytest.mark.no_database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OVERLAP = timedelta(seconds=86_400 + 70)
PATH = "/.well-known/jwks.json"
# RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, and RFC 8037 section 2.
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def published(api: APIClient) -> Callable[[], list[dict[str, str]]]:
    def published() -> list[dict[str, str]]:
        response = api.get(PATH)
        assert (response.status_code, list(response.json())) == (200, ["keys"])
        return response.json()["keys"]

    return published


Published = Callable[[], list[dict[str, str]]]


def test_a_symmetric_key_is_never_published(published: Published, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = ["another secret, as long and as random as the first one is"]
    assert published() == []


def test_an_ed25519_key_is_published_as_rfc_8037_says(key_folder: Path, published: Published) -> None:
    key = put_key(key_folder, NOON, EDDSA)
    [jwk] = published()
    assert {name: jwk[name] for name in jwk if name != "x"} == {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": key.kid,
        "alg": "EdDSA",
        "use": "sig",
    }
    assert jwt.PyJWK(jwk).key == key.public


def test_an_rsa_key_is_published_as_rfc_7518_says(key_folder: Path, published: Published) -> None:
    key = put_key(key_folder, NOON, RS256)
    [jwk] = published()
    assert {name: jwk[name] for name in jwk if name != "n"} == {
        "kty": "RSA",
        "e": "AQAB",
        "kid": key.kid,
        "alg": "RS256",
        "use": "sig",
    }
    assert jwt.PyJWK(jwk).key == key.public


@pytest.mark.parametrize("algorithm", [EDDSA, RS256])
def test_nothing_private_is_published(key_folder: Path, published: Published, algorithm: str) -> None:
    put_key(key_folder, NOON, algorithm)
    [jwk] = published()
    assert not PRIVATE_MEMBERS & set(jwk)


@pytest.mark.parametrize("algorithm", [EDDSA, RS256])
def test_the_published_key_verifies_a_token(key_folder: Path, published: Published, algorithm: str) -> None:
    put_key(key_folder, NOON, algorithm)
    [jwk] = published()
    assert jwt.decode(token(), jwt.PyJWK(jwk), [algorithm], audience="authproject", issuer="authproject")["sub"] == "1"


def test_a_key_is_published_before_it_signs_and_until_it_retires(
    key_folder: Path, published: Published, clock: Any
) -> None:
    old, new = put_key(key_folder, NOON - HOUR), put_key(key_folder, NOON + HOUR)
    assert [jwk["kid"] for jwk in published()] == [old.kid, new.kid]
    clock.move_to(NOON + HOUR + OVERLAP - timedelta(seconds=1))
    assert [jwk["kid"] for jwk in published()] == [old.kid, new.kid]
    clock.shift(timedelta(seconds=1))
    assert [jwk["kid"] for jwk in published()] == [new.kid]


def test_caches_may_keep_the_set_for_five_minutes(api: APIClient) -> None:
    response = api.get(PATH)
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Content-Type"] == "application/jwk-set+json"


@pytest.mark.parametrize("headers", [{"x-access-token": "no token"}, {"Authorization": "Bearer x"}, {"Accept": "x"}])
def test_the_set_is_open_to_everyone_whatever_they_send(api: APIClient, headers: dict[str, str]) -> None:
    assert api.get(PATH, headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_set_can_only_be_read(api: APIClient, method: str) -> None:
    response = getattr(api, method)(PATH)
    assert (response.status_code, list(json.loads(response.content))) == (405, ["message"])


def test_the_set_asks_nothing_of_the_database(api: APIClient) -> None:
    """pytest-django lets no test without the mark `django_db` near it."""
    assert api.get(PATH).status_code == 200
