"""Several keys at once: one signs, all verify, and a key is exchanged for the next without signing anyone out."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from rest_framework.test import APIClient

from accounts import keys
from accounts.keys import EDDSA, HS256, RS256
from accounts.keys.ring import asymmetric_key
from accounts.models import User
from accounts.tokens import AccessToken, RefreshToken, SessionToken
from tests.conftest import PASSWORD
from tests.signing import header_of, is_taken, kid_of, parts, put_key, token

pytestmark = pytest.mark.no_database

Clock = Any
SignIn = Callable[..., dict[str, Any]]
MakeUser = Callable[..., User]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
# How long a key is needed after its successor began to sign: the refresh token's lifetime, and 70 seconds.
OVERLAP = timedelta(seconds=86_400 + 70)
SECOND = timedelta(seconds=1)
OTHER_SECRET = "another secret, as long and as random as the first one is"


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Stands at noon until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


# --- one key


@pytest.mark.parametrize("algorithm", [EDDSA, RS256])
@pytest.mark.usefixtures("clock", "db")
def test_people_sign_in_work_refresh_and_sign_out_with_each_algorithm(
    key_folder: Path, api: APIClient, make_user: MakeUser, sign_in: SignIn, algorithm: str
) -> None:
    put_key(key_folder, NOON - HOUR, algorithm)
    make_user()
    first = sign_in()
    assert {header_of(first[name])["alg"] for name in ("accessToken", "refreshToken")} == {algorithm}
    second = api.post("/api/auth/refreshtoken", {"refreshToken": first["refreshToken"]}).json()
    signed_in = APIClient(headers={"x-access-token": second["accessToken"]})
    assert signed_in.get("/api/test/user").status_code == 200
    signed_in.post("/api/auth/signout")
    assert signed_in.get("/api/test/user").status_code == 401


@pytest.mark.parametrize("algorithm", [HS256, EDDSA, RS256])
@pytest.mark.parametrize("kind", [AccessToken, RefreshToken])
def test_a_token_is_letter_by_letter_what_pyjwt_makes_of_the_same_claims(
    key_folder: Path, settings: Any, kind: type[SessionToken], algorithm: str
) -> None:
    if algorithm == HS256:
        settings.SIGNING_KEY_DIR = None
    else:
        put_key(key_folder, NOON - HOUR, algorithm)
    raw = token(kind)
    key, header = keys.ring().signing(datetime.now(UTC)), header_of(raw)
    assert raw == jwt.encode(parts(raw)[1], key.private, algorithm, {"kid": key.kid, "typ": kind.typ})
    assert header == {"alg": algorithm, "kid": key.kid, "typ": kind.typ}


def test_the_name_of_an_asymmetric_key_is_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A.1 and A.3."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = asymmetric_key(Ed25519PrivateKey.from_private_bytes(secret), NOON)
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_no_key_shows_what_it_signs_with(key_folder: Path) -> None:
    put_key(key_folder, NOON)
    for key in keys.ring():
        assert "private" not in repr(key)
        assert "=b'" not in repr(key)


# --- from one key to the next


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "after"), [(EDDSA, EDDSA), (RS256, RS256), (RS256, EDDSA), (EDDSA, RS256)])
def test_nobody_is_signed_out_when_a_new_key_begins_to_sign(
    clock: Clock, key_folder: Path, api: APIClient, make_user: MakeUser, sign_in: SignIn, before: str, after: str
) -> None:
    put_key(key_folder, NOON - HOUR, before)
    make_user()
    old = sign_in()
    new_key = put_key(key_folder, NOON + HOUR / 2, after)
    clock.shift(HOUR / 2)
    assert api.get("/api/test/user", headers={"x-access-token": old["accessToken"]}).status_code == 200
    answer = api.post("/api/auth/refreshtoken", {"refreshToken": old["refreshToken"]})
    assert answer.status_code == 200
    assert kid_of(answer.json()["accessToken"]) == new_key.kid
    assert api.get("/api/test/user", headers={"x-access-token": answer.json()["accessToken"]}).status_code == 200


@pytest.mark.django_db
def test_nobody_is_signed_out_by_the_move_from_the_secret_key_to_files(
    clock: Clock, tmp_path: Path, settings: Any, api: APIClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    make_user()
    old = sign_in()
    put_key(tmp_path, NOON + HOUR / 2)
    settings.SIGNING_KEY_DIR = tmp_path
    assert header_of(sign_in()["accessToken"])["alg"] == HS256
    clock.shift(HOUR / 2)
    assert api.get("/api/test/user", headers={"x-access-token": old["accessToken"]}).status_code == 200
    answer = api.post("/api/auth/refreshtoken", {"refreshToken": old["refreshToken"]}).json()
    assert header_of(answer["accessToken"])["alg"] == EDDSA
    assert api.get("/api/test/user", headers={"x-access-token": answer["accessToken"]}).status_code == 200


def test_a_new_key_does_not_sign_before_its_moment(clock: Clock, key_folder: Path) -> None:
    old, new = put_key(key_folder, NOON - HOUR), put_key(key_folder, NOON + HOUR)
    clock.shift(HOUR - SECOND)
    assert kid_of(token()) == old.kid
    clock.shift(SECOND)
    assert kid_of(token()) == new.kid


@pytest.mark.usefixtures("clock")
def test_a_key_verifies_before_its_moment_as_another_copys_clock_may_be_ahead(key_folder: Path) -> None:
    put_key(key_folder, NOON - HOUR)
    put_key(key_folder, NOON + HOUR)
    with time_machine.travel(NOON + HOUR, tick=False):
        ahead = token()
    with time_machine.travel(NOON + HOUR - SECOND, tick=False):
        assert is_taken(ahead)


@pytest.mark.parametrize("first", [HS256, EDDSA, RS256])
def test_a_key_retires_when_no_token_of_it_can_be_good_any_more(clock: Clock, key_folder: Path, first: str) -> None:
    put_key(key_folder, NOON + HOUR if first == HS256 else NOON - HOUR, EDDSA if first == HS256 else first)
    old = token()
    assert header_of(old)["alg"] == first
    if first != HS256:
        put_key(key_folder, NOON + HOUR)
    clock.move_to(NOON + HOUR + OVERLAP - SECOND)
    assert is_taken(old)
    clock.shift(SECOND)
    assert not is_taken(old)


@pytest.mark.usefixtures("clock")
def test_a_longer_lifetime_of_access_tokens_keeps_a_key_longer(clock: Clock, key_folder: Path, settings: Any) -> None:
    settings.ACCESS_TOKEN_LIFETIME = 2 * settings.REFRESH_TOKEN_LIFETIME
    put_key(key_folder, NOON + HOUR)
    old = token()
    clock.move_to(NOON + HOUR + OVERLAP + timedelta(seconds=86_400) - SECOND)
    assert is_taken(old)
    clock.shift(SECOND)
    assert not is_taken(old)


def test_a_chain_of_keys_retires_one_by_one(clock: Clock, key_folder: Path) -> None:
    made = []
    for day in range(4):
        clock.move_to(NOON + timedelta(days=day))
        put_key(key_folder, NOON + timedelta(days=day))
        made.append(token())
    assert len({kid_of(raw) for raw in made}) == 4
    clock.move_to(NOON + timedelta(days=3) + HOUR)
    assert [is_taken(raw) for raw in made] == [False, False, True, True]


def test_a_key_whose_file_is_deleted_is_no_key_any_more(clock: Clock, key_folder: Path) -> None:
    leaked = put_key(key_folder, NOON - HOUR)
    old = token()
    assert is_taken(old)
    put_key(key_folder, NOON)
    (key_folder / leaked.signs_from.strftime("%Y%m%dT%H%M%SZ.pem")).unlink()
    assert not is_taken(old)
    assert is_taken(token())


# --- SECRET_KEY


@pytest.mark.django_db
def test_nobody_is_signed_out_by_a_new_secret_key_while_the_old_one_is_a_fallback(
    settings: Any, api: APIClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    make_user()
    old = sign_in()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_SECRET, [settings.SECRET_KEY]
    assert api.get("/api/test/user", headers={"x-access-token": old["accessToken"]}).status_code == 200
    answer = api.post("/api/auth/refreshtoken", {"refreshToken": old["refreshToken"]}).json()
    settings.SECRET_KEY_FALLBACKS = []
    assert api.get("/api/test/user", headers={"x-access-token": answer["accessToken"]}).status_code == 200
    assert api.get("/api/test/user", headers={"x-access-token": old["accessToken"]}).status_code == 401


def test_a_copy_that_knows_the_next_secret_key_takes_what_another_copy_signs_with_it(settings: Any) -> None:
    secret = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_SECRET, [secret]
    ahead = token()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = secret, [OTHER_SECRET]
    assert is_taken(ahead)
    assert kid_of(token()) != kid_of(ahead)


def test_a_fallback_retires_with_the_secret_key_once_keys_are_in_files(
    clock: Clock, key_folder: Path, settings: Any
) -> None:
    put_key(key_folder, NOON + HOUR)
    of_fallback = token()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_SECRET, [settings.SECRET_KEY]
    clock.move_to(NOON + HOUR + OVERLAP - SECOND)
    assert is_taken(of_fallback)
    clock.shift(SECOND)
    assert not is_taken(of_fallback)


def admin_page(client: Client) -> int:
    return client.get("/admin/accounts/user/").status_code


@pytest.fixture
def admin(make_user: MakeUser) -> Client:
    make_user("boss", "admin")
    client = Client()
    client.post("/admin/login/", {"username": "boss", "password": PASSWORD})
    assert admin_page(client) == 200
    return client


def test_a_session_of_the_admin_outlives_the_secret_key_while_that_is_a_fallback(admin: Client, settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_SECRET, [settings.SECRET_KEY]
    assert admin_page(admin) == 200
    # It was exchanged for one of the new secret, and goes on without the old.
    settings.SECRET_KEY_FALLBACKS = []
    assert admin_page(admin) == 200


def test_a_session_of_the_admin_ends_with_its_secret_key(admin: Client, settings: Any) -> None:
    settings.SECRET_KEY = OTHER_SECRET
    assert admin_page(admin) == 302


def test_a_fallback_brings_no_ended_session_of_the_admin_back(admin: Client, settings: Any) -> None:
    User.objects.update(sessions_version=1)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_SECRET, [settings.SECRET_KEY]
    assert admin_page(admin) == 302


# --- audiences


def test_refresh_tokens_are_for_this_server_alone(settings: Any) -> None:
    settings.TOKEN_ISSUER, settings.TOKEN_AUDIENCE = "https://id.example.com", "https://api.example.com"
    assert parts(token(AccessToken))[1]["aud"] == "https://api.example.com"
    assert parts(token(RefreshToken))[1]["aud"] == "https://id.example.com/refresh"
