"""Whatever comes as a token: what was issued is read as it was issued, and nothing else is read at all.

The examples, door by door and claim by claim, are in test_forged_tokens.py; here chance looks for what they forgot.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from hypothesis import assume, given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts import sessions
from accounts.errors import ExpiredToken, InvalidToken
from accounts.models import Actor, Session, User
from accounts.sessions import TokenPair
from accounts.tokens import MAX_GENERATION, MAX_USER_ID, AccessToken, Claims, RefreshToken, SessionToken, issue, read
from accounts.tokens import read_even_expired as read_expired_too
from tests.test_forged_tokens import BASE64URL, base64url, parts, signed

pytestmark = pytest.mark.no_database

Kind = type[SessionToken]
Reader = Callable[[Kind, str], Claims]
Edit = Callable[[str], str]
NOW = datetime.now(UTC).replace(microsecond=0)
REFUSED, EXPIRED = "refused", "expired"

kinds = st.sampled_from([AccessToken, RefreshToken])
readers: st.SearchStrategy[Reader] = st.sampled_from([read, read_expired_too])


def answer(reader: Reader, kind: Kind, raw: Any) -> Claims | str:
    """What is read; any exception but these two is a failure."""
    try:
        return reader(kind, raw)
    except ExpiredToken:
        return EXPIRED
    except InvalidToken:
        return REFUSED


def issued(kind: Kind, claims: Claims) -> str:
    return issue(
        kind,
        session_id=claims.session_id,
        user_id=claims.user_id,
        now=claims.issued_at,
        expires_at=claims.expires_at,
        generation=claims.generation if kind is RefreshToken else None,
    )


def genuine(kind: Kind, number: int = 1, hours: int = 24) -> str:
    """A good token of session and user `number`; the same at each call."""
    return _genuine(kind is AccessToken, number, hours)


@cache
def _genuine(is_access: bool, number: int, hours: int) -> str:
    claims = Claims(UUID(int=number), number, number, NOW - timedelta(minutes=1), NOW + timedelta(hours=hours))
    return issued(AccessToken if is_access else RefreshToken, claims)


# What is issued

moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
any_claims = st.builds(
    Claims,
    session_id=st.uuids(),
    user_id=st.integers(0, MAX_USER_ID),
    generation=st.integers(0, MAX_GENERATION),
    issued_at=st.datetimes(datetime(1970, 1, 2), datetime(2026, 1, 1), timezones=st.just(UTC)),
    expires_at=moments,
)


@given(kind=kinds, claims=any_claims)
def test_what_was_issued_is_read_as_it_was_issued(kind: Kind, claims: Claims) -> None:
    generation = claims.generation if kind is RefreshToken else 0
    times = (moment.replace(microsecond=0) for moment in (claims.issued_at, claims.expires_at))
    raw, said = issued(kind, claims), Claims(claims.session_id, claims.user_id, generation, *times)
    assert answer(read_expired_too, kind, raw) == said
    assert answer(read, kind, raw) == (said if said.expires_at > datetime.now(UTC) else EXPIRED)


# What is like it

# Letters that look alike, or that a lax reader takes for one another.
ALIKE = {"A": "Аａ", "e": "еé", "o": "ο0", "I": "lІ", "-": "‐+", "_": "＿/", ".": "․。", "0": "٠O", "1": "１l"}
letters = st.sampled_from([*BASE64URL, *"=.+/ \t\n\r\x00\x7f%,;:\"'é\x80１٢\ufeff\u200b\ud800😀"]) | st.characters()
places = st.integers(0, 700)


def swapped(raw: str, a: int, b: int, c: int) -> str:
    first, second, third = sorted(place % len(raw) for place in (a, b, c))
    return raw[:first] + raw[second:third] + raw[first:second] + raw[third:]


def changed_at(raw: str, place: int, change: Edit) -> str:
    place %= len(raw)
    return raw[:place] + change(raw[place]) + raw[place + 1 :]


edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(lambda place, new: lambda raw: changed_at(raw, place, lambda _: new), places, letters),
    st.builds(lambda place, new: lambda raw: changed_at(raw, place, lambda old: new + old), places, letters),
    st.builds(lambda place: lambda raw: changed_at(raw, place, str.swapcase), places),
    st.builds(lambda place: lambda raw: changed_at(raw, place, lambda old: ALIKE.get(old, old)[0]), places),
    st.builds(
        lambda place, bit: lambda raw: changed_at(raw, place, lambda old: chr(ord(old) ^ 1 << bit)),
        places,
        st.integers(0, 8),
    ),
    st.builds(lambda a, b: lambda raw: raw[: a % len(raw)] + raw[b % len(raw) :], places, places),
    st.builds(lambda a, b, c: lambda raw: swapped(raw, a, b, c), places, places, places),
    st.builds(lambda new: lambda raw: raw + new, letters),
    st.builds(lambda times: lambda raw: raw * times, st.integers(2, 9)),
)


def edited(raw: str, changes: list[Edit]) -> str:
    result = raw
    for change in changes:
        result = change(result) if result else result
    assume(result != raw)
    return result


@given(reader=readers, kind=kinds, changes=st.lists(edits, min_size=1, max_size=3))
def test_what_differs_from_a_token_in_a_letter_is_none(reader: Reader, kind: Kind, changes: list[Edit]) -> None:
    assert answer(reader, kind, edited(genuine(kind), changes)) == REFUSED


@given(reader=readers, kind=kinds, from_tokens=st.tuples(*[st.integers(0, 5)] * 3), with_dot=st.sampled_from(["", "."]))
def test_parts_of_several_tokens_make_none(
    reader: Reader, kind: Kind, from_tokens: tuple[int, int, int], with_dot: str
) -> None:
    pool = [genuine(k, number) for k in (AccessToken, RefreshToken) for number in (1, 2)]
    pool += [genuine(k, 1, -1) for k in (AccessToken, RefreshToken)]
    mixed = ".".join(pool[token].split(".")[part] for part, token in enumerate(from_tokens)) + with_dot
    assume(mixed not in pool)
    assert answer(reader, kind, mixed) == REFUSED


def decoded(segment: str) -> Any:
    return parts(f"{segment}.{segment}.")[0]


SPELLINGS: list[Edit] = [
    lambda segment: segment + "=" * (-len(segment) % 4),
    lambda segment: segment + "====",
    lambda segment: b64encode(segment.encode()).decode(),
    lambda segment: segment.replace("-", "+").replace("_", "/") + "=",
    lambda segment: quote(segment, safe="") + "%3D",
    lambda segment: "\n".join(segment[i : i + 64] for i in range(0, len(segment), 64)) + "\n",
    lambda segment: segment[:-1] + BASE64URL[(BASE64URL.index(segment[-1]) + 1) % 64],
]
RESPELLINGS: list[Edit] = [
    lambda segment: base64url(json.dumps(decoded(segment), indent=1).encode()),
    lambda segment: base64url(json.dumps(decoded(segment), separators=(",", ":")).encode() + b"\n"),
    lambda segment: base64url(json.dumps(dict(reversed(decoded(segment).items()))).encode()),
    lambda segment: base64url(json.dumps(decoded(segment)).encode("utf-8-sig")),
    lambda segment: base64url(json.dumps(decoded(segment)).encode("utf-16")),
    lambda segment: base64url(json.dumps(decoded(segment)).replace("a", "\\u0061").encode()),
    lambda segment: base64url(b"{" + json.dumps(decoded(segment)).encode()[1:-1] * 2 + b"}"),
]
respelt = st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from(SPELLINGS)) | st.tuples(
    st.sampled_from([0, 1]), st.sampled_from(RESPELLINGS)
)


@given(reader=readers, kind=kinds, spelling=respelt)
def test_another_spelling_of_a_token_is_none(reader: Reader, kind: Kind, spelling: tuple[int, Edit]) -> None:
    segments = genuine(kind).split(".")
    segments[spelling[0]] = spelling[1](segments[spelling[0]])
    assume(".".join(segments) != genuine(kind))
    assert answer(reader, kind, ".".join(segments)) == REFUSED


# What is not like it

any_text = st.text(st.characters(), max_size=200) | st.text(st.sampled_from(BASE64URL + "."), max_size=2000)


@given(reader=readers, kind=kinds, raw=any_text | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_no_token(reader: Reader, kind: Kind, raw: str) -> None:
    assert answer(reader, kind, raw) == REFUSED


@given(reader=readers, kind=kinds, raw=st.none() | st.binary() | st.integers() | st.lists(st.text()) | st.booleans())
def test_what_is_no_text_is_no_token(reader: Reader, kind: Kind, raw: Any) -> None:
    assert answer(reader, kind, raw) == REFUSED


# What is signed, rightly or wrongly

CLAIMS = ["iss", "aud", "exp", "iat", "nbf", "sub", "sid", "gen", "id", "jti", "token_type", "cty", "typ"]
texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers() | st.integers(-(10**30), 10**30) | st.just(10**400) | st.floats()
like_ours = st.sampled_from(
    ["access", "refresh", "authproject", ["authproject"], "1", "01", " 1", "+1", "1_0", "१", 1, True]
)
nested = st.builds(genuine, kinds)
odd: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | numbers.map(str) | texts | like_ours | st.uuids().map(str) | nested,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
changes = st.lists(st.tuples(st.sampled_from(CLAIMS) | texts, odd), max_size=4)
magnitudes = st.builds(lambda digits, exponent: digits * 10**exponent, st.integers(-9, 9), st.integers(0, 25))


def object_text(good: dict[str, Any], more: list[tuple[str, Any]], *, twice: bool) -> str:
    """JSON that says `good` and then `more`: in its place, or, so that a name may stand there twice, after it."""
    pairs = [*good.items(), *more] if twice else list({**good, **dict(more)}.items())
    return "{" + ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pairs) + "}"


@given(
    reader=readers, kind=kinds, more=changes, twice=st.booleans(), without=st.sets(st.sampled_from(CLAIMS), max_size=2)
)
def test_of_odd_claims_that_we_signed_only_what_they_say_is_read(
    reader: Reader, kind: Kind, more: list[tuple[str, Any]], twice: bool, without: set[str]
) -> None:
    header, good = parts(genuine(kind))
    text = object_text({name: good[name] for name in good if name not in without}, more, twice=twice)
    found = answer(reader, kind, signed(json.dumps(header), text))
    if isinstance(found, Claims):
        said = json.loads(text)
        assert found == Claims(
            session_id=UUID(str(said["sid"])),
            user_id=int(said["sub"]),
            generation=said["gen"] if kind is RefreshToken else 0,
            issued_at=datetime.fromtimestamp(said["iat"], UTC),
            expires_at=datetime.fromtimestamp(said["exp"], UTC),
        )
        assert fits_its_columns(found)


@given(
    reader=readers,
    kind=kinds,
    name=st.sampled_from(["exp", "iat", "nbf", "gen"]),
    number=magnitudes | st.floats() | st.booleans(),
)
def test_a_number_of_any_size_is_read_or_refused(reader: Reader, kind: Kind, name: str, number: float) -> None:
    header, payload = parts(genuine(kind))
    found = answer(reader, kind, signed(json.dumps(header), json.dumps({**payload, name: number})))
    assert found in {REFUSED, EXPIRED} or fits_its_columns(found)


def fits_its_columns(found: Claims | str) -> bool:
    assert isinstance(found, Claims)
    numbers = ((found.user_id, MAX_USER_ID), (found.generation, MAX_GENERATION))
    return all(type(number) is int and 0 <= number <= largest for number, largest in numbers)


@given(reader=readers, kind=kinds, more=changes.filter(bool), twice=st.booleans())
def test_of_odd_headers_that_we_signed_none_is_taken(
    reader: Reader, kind: Kind, more: list[tuple[str, Any]], twice: bool
) -> None:
    header, good = parts(genuine(kind))
    text = object_text(header, more, twice=twice)
    assume(json.loads(text) != header)
    assert answer(reader, kind, signed(text, json.dumps(good))) == REFUSED


@given(reader=readers, kind=kinds, header=odd.map(json.dumps) | texts, payload=odd.map(json.dumps) | texts)
def test_of_what_is_no_object_nothing_is_taken_though_we_signed_it(
    reader: Reader, kind: Kind, header: str, payload: str
) -> None:
    assert answer(reader, kind, signed(header, payload)) == REFUSED


KEYS = [b"", b"\x00" * 32, b"secret", django_settings.SECRET_KEY.encode(), genuine(AccessToken).encode()]
DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512", "none": "md5", "RS256": "sha256", "EdDSA": "sha512"}


@given(
    reader=readers,
    kind=kinds,
    key=st.sampled_from(KEYS) | st.binary(),
    algorithm=st.sampled_from([*DIGESTS]),
    past=st.booleans(),
)
def test_what_another_key_signed_is_no_token_not_even_an_expired_one(
    reader: Reader, kind: Kind, key: bytes, algorithm: str, past: bool
) -> None:
    header, payload = parts(genuine(kind, 1, -1 if past else 1))
    names_it = {**header, "alg": algorithm}
    raw = signed(json.dumps(names_it), json.dumps(payload), key, DIGESTS[algorithm])
    assert answer(reader, kind, raw) == REFUSED


@given(reader=readers, kind=kinds, length=st.integers(0, 6000) | st.sampled_from([10**5, 10**6]))
def test_a_token_of_any_length_is_read_or_refused(reader: Reader, kind: Kind, length: int) -> None:
    header, payload = parts(genuine(kind))
    found = answer(reader, kind, signed(json.dumps(header), json.dumps({**payload, "note": "a" * length})))
    assert found == (REFUSED if length > 4096 else found)


# Through every door


@pytest.fixture
def pair(db: None) -> TokenPair:
    user = User.objects.create(username="alice", email="alice@example.com")
    return sessions.open(user=user, client=Actor())[1]


ACCESS_DOORS = {"x-access-token": "{}", "authorization": "Bearer {}", "cookie": "access_token={}"}


def header_with(door: str, raw: str) -> dict[str, Any]:
    return {"headers": {door: ACCESS_DOORS[door].format(on_the_wire(raw))}}


def on_the_wire(raw: str) -> str:
    """As WSGI gives a header: its bytes, each as a letter."""
    return raw.encode("utf-8", "surrogatepass").decode("latin-1")


@given(door=st.sampled_from([*ACCESS_DOORS]), changes=st.lists(edits, min_size=1, max_size=3))
@pytest.mark.usefixtures("without_limits")
def test_an_edited_access_token_opens_no_door(api: APIClient, pair: TokenPair, door: str, changes: list[Edit]) -> None:
    raw = edited(pair.access, changes)
    # The doors trim spaces, and a cookie ends at a semicolon.
    assume(pair.access not in raw)
    response = api.get("/api/test/user", **header_with(door, raw))
    assert (response.status_code, response.json()["message"]) in [(401, "Unauthorized!"), (403, "No token provided!")]


@given(door=st.sampled_from(["json", "form", "cookie"]), changes=st.lists(edits, min_size=1, max_size=3))
@pytest.mark.usefixtures("without_limits")
def test_an_edited_refresh_token_opens_no_door(api: APIClient, pair: TokenPair, door: str, changes: list[Edit]) -> None:
    raw = edited(pair.refresh, changes)
    assume(pair.refresh not in raw)
    response = refreshed(api, door, raw)
    assert response.status_code in {400, 403}
    assert response.json()["message"]


def refreshed(api: APIClient, door: str, raw: str) -> Any:
    path, body = "/api/auth/refreshtoken", {"refreshToken": raw}
    if door == "json":
        return api.post(path, json.dumps(body), content_type="application/json")
    if door == "form":
        fields = f"refreshToken={quote(raw, errors='surrogatepass')}"
        return api.post(path, fields, content_type="application/x-www-form-urlencoded")
    return api.post(path, headers={"cookie": f"refresh_token={on_the_wire(raw)}"})


@given(door=st.sampled_from([*ACCESS_DOORS]), changes=st.lists(edits, min_size=1, max_size=3), everywhere=st.booleans())
@pytest.mark.usefixtures("without_limits")
def test_an_edited_token_ends_no_session(
    api: APIClient, pair: TokenPair, door: str, changes: list[Edit], everywhere: bool
) -> None:
    access, refresh = edited(pair.access, changes), edited(pair.refresh, changes)
    assume(pair.access not in access)
    body = json.dumps({"refreshToken": refresh, "everywhere": everywhere})
    response = api.post("/api/auth/signout", body, content_type="application/json", **header_with(door, access))
    assert response.status_code == 200
    assert Session.objects.get().revoked_at is None
