"""Only a token that we signed, spelt as we spell ours, is a token: forgeries are refused, all in the same words."""

import base64
import hmac
import json
import re
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts import keys, sessions
from accounts.models import Actor, Session, User
from accounts.sessions import TokenPair

pytestmark = pytest.mark.no_database

Json = dict[str, Any]
Answer = tuple[int, Json]
UNAUTHORIZED = (401, {"message": "Unauthorized!"})
EXPIRED = (401, {"message": "Unauthorized! Access Token was expired!"})
REFRESH_UNKNOWN = (403, {"message": "Refresh token is not in database!"})
REFRESH_EXPIRED = (403, {"message": "Refresh token was expired. Please make a new signin request"})
BASE64URL = string.ascii_letters + string.digits + "-_"
NOW = int(time.time())


def named_alike(claims: object) -> str:
    """The name of a test, the same in all processes that run the suite, whatever second they started in."""
    return re.sub(r"\d{10,}", "N", str(claims))[:40]


def signed_in(username: str) -> TokenPair:
    user = User.objects.create(username=username, email=f"{username}@example.com")
    return sessions.open(user=user, client=Actor())[1]


@pytest.fixture
def pair(db: None) -> TokenPair:
    return signed_in("alice")


@pytest.fixture
def access(pair: TokenPair) -> str:
    return pair.access


@pytest.fixture
def refresh(pair: TokenPair) -> str:
    return pair.refresh


@pytest.fixture
def others(db: None) -> Json:
    """The claims of another user's access token."""
    return parts(signed_in("mallory").access)[1]


@pytest.fixture
def board(api: APIClient) -> Callable[[str], Answer]:
    """What the users' board answers to an access token."""

    def board(token: str) -> Answer:
        response = api.get("/api/test/user", headers={"x-access-token": token})
        return response.status_code, {} if response.status_code == 200 else response.json()

    return board


@pytest.fixture
def refreshed(api: APIClient) -> Callable[[str], Answer]:
    """What a refresh answers to a refresh token."""

    def refreshed(token: str) -> Answer:
        response = api.post("/api/auth/refreshtoken", {"refreshToken": token})
        return response.status_code, {} if response.status_code == 200 else response.json()

    return refreshed


Ask = Callable[[str], Answer]


def parts(token: str) -> tuple[Json, Json]:
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    return header, payload


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: str, payload: str, key: bytes | None = None, digest: str = "sha256") -> str:
    """Both as texts of JSON, signed with our own key if no other is given."""
    body = f"{base64url(header.encode())}.{base64url(payload.encode())}"
    our_key = keys.ring().signing(datetime.now(UTC)).private if key is None else key
    return f"{body}.{base64url(hmac.digest(our_key, body.encode(), digest))}"  # type: ignore[arg-type]


def forged(token: str, *, header: Json | None = None, payload: Json | None = None, **signing: Any) -> str:
    """The token with changes, `...` leaving a field out, and a signature that fits."""
    old_header, old_payload = parts(token)
    return signed(changed(old_header, header), changed(old_payload, payload), **signing)


def changed(part: Json, changes: Json | None) -> str:
    left = {name: value for name, value in {**part, **(changes or {})}.items() if value is not ...}
    return json.dumps(left, separators=(",", ":"))


# The forger of these tests can forge: what is refused below is refused for its own sake.


def test_an_access_token_that_is_taken_apart_and_put_together_is_the_same_token(access: str, board: Ask) -> None:
    assert board(forged(access, payload={"jti": "another"}))[0] == 200


def test_a_refresh_token_that_is_taken_apart_and_put_together_is_the_same_token(refresh: str, refreshed: Ask) -> None:
    assert refreshed(forged(refresh, payload={"jti": "another"}))[0] == 200


# The signature


ALGORITHMS: Any = [
    *("none", "None", "NONE", "nOnE", " none", "", "hs256", "HS256 ", "HS384", "HS512", "RS256", "ES256", "EdDSA"),
    *(..., None, 7, True, [], ["HS256"], {"alg": "HS256"}, "HS256\x00", "ＨＳ256", "A" * 1000),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_algorithm_is_taken_but_ours(access: str, board: Ask, algorithm: Any) -> None:
    assert board(forged(access, header={"alg": algorithm})) == UNAUTHORIZED


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "HS256", ...])
def test_no_token_goes_without_a_signature(access: str, board: Ask, algorithm: Any) -> None:
    unsigned = forged(access, header={"alg": algorithm}).rpartition(".")[0]
    assert board(f"{unsigned}.") == UNAUTHORIZED


@pytest.mark.parametrize("bits", ["384", "512"])
def test_our_key_with_another_hash_is_not_our_signature(access: str, board: Ask, bits: str) -> None:
    assert board(forged(access, header={"alg": f"HS{bits}"}, digest=f"sha{bits}")) == UNAUTHORIZED


@pytest.mark.parametrize("key", [b"", b"\x00" * 32, b"secret", b"another key of ours, 32 bytes ..."])
def test_no_key_is_taken_but_ours(access: str, board: Ask, key: bytes) -> None:
    assert board(forged(access, key=key)) == UNAUTHORIZED


def test_what_is_signed_with_the_secret_key_itself_is_no_token(access: str, board: Ask) -> None:
    assert board(forged(access, key=django_settings.SECRET_KEY.encode())) == UNAUTHORIZED


def test_what_another_installation_signed_is_no_token(access: str, board: Ask, settings: Any) -> None:
    settings.SECRET_KEY = "of another installation, as long and random as ours"
    assert board(access) == UNAUTHORIZED


@pytest.mark.parametrize("part", [0, 1])
def test_what_was_altered_after_it_was_signed_is_no_token(access: str, board: Ask, part: int) -> None:
    somebody_else = parts(access)[1]["id"] + 1
    segments, other = access.split("."), forged(access, header={"x": 1}, payload={"id": somebody_else}).split(".")
    segments[part] = other[part]
    assert board(".".join(segments)) == UNAUTHORIZED


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 22, 40, 41, 42])
def test_half_a_signature_is_none(access: str, board: Ask, length: int) -> None:
    unsigned, _, signature = access.rpartition(".")
    assert board(f"{unsigned}.{signature[:length]}") == UNAUTHORIZED


def test_the_last_character_of_a_signature_has_one_spelling(access: str, board: Ask) -> None:
    """It carries 4 bits of the 6 that its letter could, so a lax reader takes four letters for it."""
    answers = {letter: board(access[:-1] + letter) for letter in BASE64URL if letter != access[-1]}
    assert set(map(str, answers.values())) == {str(UNAUTHORIZED)}


@pytest.mark.parametrize("extra", ["=", "==", "====", "!", "A", "\n", " ", ".", "\x00", "é", "\x80", "１", "%3D", ","])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_extra_characters_make_it_another_token(refresh: str, refreshed: Ask, part: int, extra: str) -> None:
    segments = refresh.split(".")
    segments[part] += extra
    assert refreshed(".".join(segments))[0] in {400, 403}


@pytest.mark.parametrize("extra", ["=", "==", "!", "\n", " ", "\x00", "é", "\x80", "１"])
def test_extra_characters_inside_are_not_skipped(access: str, board: Ask, extra: str) -> None:
    assert board(access[:-20] + extra + access[-20:]) == UNAUTHORIZED


@pytest.mark.parametrize("shape", ["{0}", "{0}.{1}", "{0}.{1}.", ".{1}.{2}", "{0}..{2}", "..", ".", "....", "..{2}"])
def test_what_lacks_a_segment_is_no_token(access: str, board: Ask, shape: str) -> None:
    assert board(shape.format(*access.split("."))) == UNAUTHORIZED


@pytest.mark.parametrize(
    "shape", ["{0}.{1}.{2}.", ".{0}.{1}.{2}", "{0}.{1}.{2}.{2}", "{0}.{1}.{1}.{2}", "{0}.{0}.{1}.{2}.{2}"]
)
def test_what_has_a_segment_too_many_is_no_token(access: str, board: Ask, shape: str) -> None:
    assert board(shape.format(*access.split("."))) == UNAUTHORIZED


# The header


HEADERS: list[Json] = [
    *({"kid": kid} for kid in ("another", "", "../../dev/null", "' OR 1=1 --", ..., None, 7, ["a"])),
    *({"typ": typ} for typ in ("JWT", "at+jwt", "ACCESS+JWT", "application/access+jwt", "refresh+jwt", ..., None, 7)),
    *({"jku": "http://127.0.0.1/"}, {"x5u": "http://127.0.0.1/"}, {"x5c": ["MII"]}, {"x5t": "a"}, {"url": "/"}),
    *({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, {"enc": "A256GCM"}, {"zip": "DEF"}, {"cty": "JWT"}),
    *({"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"b64": True}, {"b64": False}, {"crit": "x"}),
]


@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_no_header_is_taken_but_ours_even_with_our_signature(access: str, board: Ask, header: Json) -> None:
    assert board(forged(access, header=header)) == UNAUTHORIZED


HEADER_SPELLINGS: list[Callable[[Json], str]] = [
    json.dumps,
    lambda header: json.dumps(header, indent=1),
    lambda header: changed(dict(reversed(header.items())), None),
    lambda header: changed(header, None).replace("HS256", r"\u0048S256"),
    lambda header: changed(header, None).replace("{", '{"alg":"none",'),
]


@pytest.mark.parametrize("spelling", range(len(HEADER_SPELLINGS)))
def test_a_header_has_one_spelling(access: str, board: Ask, spelling: int) -> None:
    header, payload = parts(access)
    assert board(signed(HEADER_SPELLINGS[spelling](header), json.dumps(payload))) == UNAUTHORIZED


def test_the_header_of_a_token_is_spelt_as_ever(access: str) -> None:
    """A library that wrote it otherwise would sign out everyone at its update."""
    header = base64.urlsafe_b64decode(access.partition(".")[0] + "==").decode()
    assert re.fullmatch(r'\{"alg":"HS256","kid":"[0-9a-f]{16}","typ":"access\+jwt"\}', header)


# The kinds


def test_a_refresh_token_is_no_access_token(refresh: str, board: Ask) -> None:
    assert board(refresh) == UNAUTHORIZED


def test_an_access_token_is_no_refresh_token(access: str, refreshed: Ask) -> None:
    assert refreshed(access) == REFRESH_UNKNOWN


@pytest.mark.parametrize("forgery", [{"header": {"typ": "access+jwt"}}, {"payload": {"token_type": "access"}}], ids=str)
def test_a_refresh_token_that_half_says_access_is_no_access_token(refresh: str, board: Ask, forgery: Json) -> None:
    assert board(forged(refresh, **forgery)) == UNAUTHORIZED


@pytest.mark.parametrize(
    "forgery", [{"header": {"typ": "refresh+jwt"}}, {"payload": {"token_type": "refresh"}}], ids=str
)
def test_an_access_token_that_half_says_refresh_is_no_refresh_token(access: str, refreshed: Ask, forgery: Json) -> None:
    assert refreshed(forged(access, **forgery)) == REFRESH_UNKNOWN


# The claims


ODD: Any = (..., None, "", 7, [], {}, True)
NO_TIMES: Any = (..., None, "", "soon", str(NOW + 10**6), [], {}, float("nan"), float("inf"), 10**17, 1e30, 10**400)
CLAIMS: list[Json] = [
    *({"iss": odd} for odd in (*ODD, "another", ["authproject"])),
    *({"aud": odd} for odd in (*ODD, "another", ["another"])),
    *({"exp": odd} for odd in NO_TIMES),
    *({"iat": odd} for odd in (*NO_TIMES, NOW + 10**6)),
    *({"sub": odd} for odd in (*ODD, "alice", "0", "-1", "1.0", 1, ["1"], "9" * 30, "9" * 999)),
    *({"sid": odd} for odd in (*ODD, "1", 1.5, "x" * 32, "0" * 32, "\x00")),
    *({"jti": odd} for odd in ODD if odd != ""),
    *({"token_type": odd} for odd in (*ODD, "refresh", "ACCESS")),
    {"nbf": NOW + 10**6},
]


@pytest.mark.parametrize("claims", CLAIMS, ids=named_alike)
def test_no_claims_are_taken_but_such_as_ours(access: str, board: Ask, claims: Json) -> None:
    assert board(forged(access, payload=claims)) == UNAUTHORIZED


@pytest.mark.parametrize("claims", [c for c in CLAIMS if "token_type" not in c], ids=named_alike)
def test_no_claims_of_a_refresh_token_are_taken_but_such_as_ours(refresh: str, refreshed: Ask, claims: Json) -> None:
    assert refreshed(forged(refresh, payload=claims)) == REFRESH_UNKNOWN


GENERATIONS: Any = (..., None, -1, "1", "one", 1.0, 0.5, True, False, [], {}, 2**31, 2**63, 10**400, 1e30, float("nan"))


@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: str(generation)[:40])
def test_a_generation_is_a_number_that_can_be_counted_to(refresh: str, refreshed: Ask, generation: Any) -> None:
    assert refreshed(forged(refresh, payload={"gen": generation})) == REFRESH_UNKNOWN


def test_a_clock_that_is_9_seconds_ahead_is_put_up_with(access: str, board: Ask) -> None:
    assert board(forged(access, payload={"iat": int(time.time()) + 9}))[0] == 200


def test_a_clock_that_is_a_minute_ahead_is_not(access: str, board: Ask) -> None:
    assert board(forged(access, payload={"iat": int(time.time()) + 60})) == UNAUTHORIZED


def test_nobody_is_another_user_in_a_session_of_their_own(access: str, others: Json, board: Ask) -> None:
    assert board(forged(access, payload={"sub": others["sub"], "id": others["id"]})) == UNAUTHORIZED


def test_nobody_is_in_another_users_session(access: str, others: Json, board: Ask) -> None:
    assert board(forged(access, payload={"sid": others["sid"]})) == UNAUTHORIZED


def test_nobody_refreshes_as_another_user_in_a_session_of_their_own(refresh: str, others: Json, refreshed: Ask) -> None:
    assert refreshed(forged(refresh, payload={"sub": others["sub"], "id": others["id"]})) == REFRESH_UNKNOWN


def test_nobody_refreshes_another_users_session(refresh: str, others: Json, refreshed: Ask) -> None:
    assert refreshed(forged(refresh, payload={"sid": others["sid"]})) == REFRESH_UNKNOWN


# Expiry


PAST = {"iat": NOW - 7200, "exp": NOW - 3600}


def test_a_genuine_access_token_that_has_expired_is_told_so(access: str, board: Ask) -> None:
    assert board(forged(access, payload=PAST)) == EXPIRED


def test_a_genuine_refresh_token_that_has_expired_is_told_so(refresh: str, refreshed: Ask) -> None:
    assert refreshed(forged(refresh, payload=PAST)) == REFRESH_EXPIRED


def test_a_forged_token_is_not_told_that_it_has_expired(access: str, board: Ask) -> None:
    assert board(forged(access, payload=PAST, key=b"another key of ours, 32 bytes ...")) == UNAUTHORIZED


# Not even JSON


BOMBS = [
    "[" * 2500,
    '{"a":' * 500,
    '{"alg":"HS256","a":' + "[" * 1400 + "]" * 1400 + "}",
    "9" * 2500,
    "[]",
    "7",
    "null",
    "",
]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:20])
def test_a_header_that_is_no_object_or_a_bomb_is_refused(access: str, board: Ask, bomb: str) -> None:
    assert board(signed(bomb, "{}")) == UNAUTHORIZED


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:20])
def test_a_payload_that_is_no_object_or_a_bomb_is_refused(access: str, board: Ask, bomb: str) -> None:
    assert board(signed(changed(parts(access)[0], None), bomb)) == UNAUTHORIZED


@pytest.mark.parametrize("token", ["A" * 1_000_000, "." * 1_000_000, "A" * 400_000 + "." + "A" * 400_000 + ".A"])
@pytest.mark.django_db
def test_a_token_of_a_megabyte_is_refused(board: Ask, token: str) -> None:
    assert board(token) == UNAUTHORIZED


def test_not_even_our_signature_makes_a_long_text_a_token(access: str, board: Ask) -> None:
    assert board(forged(access, payload={"note": "a" * 4096})) == UNAUTHORIZED


@pytest.mark.parametrize("token", ["é", "ａ.ｂ.ｃ", "\x80.\xff.\x80", "a.b.ç", "١.٢.٣", "💣.💣.💣", "\u202ea.b.c"])
@pytest.mark.django_db
def test_a_token_beyond_ascii_is_refused(refreshed: Ask, token: str) -> None:
    assert refreshed(token) == REFRESH_UNKNOWN


# Sign-out, the one door that takes expired tokens


@pytest.mark.parametrize(
    "signing", [{"key": b"another key of ours, 32 bytes ..."}, {"header": {"alg": "none"}}], ids=str
)
def test_a_forged_token_ends_no_session(api: APIClient, access: str, signing: Json) -> None:
    api.post("/api/auth/signout", headers={"x-access-token": forged(access, **signing)})
    assert Session.objects.get().revoked_at is None


@pytest.mark.parametrize("claims", [*CLAIMS, *({"gen": gen} for gen in GENERATIONS)], ids=named_alike)
def test_signing_out_with_odd_claims_is_answered_as_ever(api: APIClient, refresh: str, claims: Json) -> None:
    response = api.post("/api/auth/signout", {"refreshToken": forged(refresh, payload=claims)})
    assert response.status_code == 200


# Anything at all


any_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
)
like_a_token = st.builds(signed, any_json.map(json.dumps), any_json.map(json.dumps))
our_header = st.sampled_from(["access+jwt", "refresh+jwt"]).map(
    lambda typ: changed({"alg": "HS256", "kid": keys.ring().signing(datetime.now(UTC)).kid, "typ": typ}, None)
)
claims = st.dictionaries(
    st.sampled_from(["exp", "iat", "sub", "sid", "jti", "iss", "aud", "gen", "token_type"]), any_json
)
any_token = any_text | like_a_token | st.builds(signed, our_header, claims.map(json.dumps))
thoroughly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.django_db
@given(token=any_token)
@thoroughly
def test_any_text_as_an_access_token_is_refused(board: Ask, token: str) -> None:
    assert board(token) in (UNAUTHORIZED, EXPIRED, (403, {"message": "No token provided!"}))


@pytest.mark.django_db
@given(token=any_token.filter(bool))
@thoroughly
def test_any_text_as_a_refresh_token_is_refused(refreshed: Ask, token: str) -> None:
    assert refreshed(token) in (REFRESH_UNKNOWN, REFRESH_EXPIRED)
