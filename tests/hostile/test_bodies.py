"""Whatever body is sent to the real server, it is refused in JSON with a message."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests.hostile.sending import (
    FORM,
    JSON,
    assert_refused,
    on_every_endpoint,
    post,
)

# Bodies

BODIES: dict[str, Any] = {
    "nothing": b"",
    "spaces": b" \r\n\t",
    "an empty object": b"{}",
    "null": b"null",
    "true": b"true",
    "a number": b"7",
    "a text": b'"username"',
    "an empty array": b"[]",
    "an array": b'[{"username": "a"}, "password"]',
    "an array of arrays": b"[[[[]]]]",
    "half an object": b'{"username": "a", "pass',
    "an object too many": b"{}{}",
    "words": b"username=a",
    "single quotes": b"{'username': 'a'}",
    "a comment": b'{"username": "a" /* or b */}',
    "a comma too many": b'{"username": "a",}',
    "NaN": b"NaN",
    "Infinity": b"[Infinity, -Infinity]",
    "a number of 5,000 digits": b"9" * 5000,
    "a number with an exponent of 5,000 digits": b"1e" + b"9" * 5000,
    "100,000 arrays": b"[" * 100_000,
    "100,000 arrays, closed": b"[" * 50_000 + b"]" * 50_000,
    "100,000 objects": b'{"a":' * 100_000,
    "900 arrays": b"[" * 900 + b"]" * 900,
    "30,000 empty arrays": b"[" + b"[]," * 30_000 + b"[]]",
    "10,000 names": json.dumps({str(number): number for number in range(5_000)}).encode(),
    "a name twice": b'{"username": "a", "username": {}, "password": [], "password": "b", "refreshToken": 1}',
    "a name that is dangerous elsewhere": b'{"__proto__": {"admin": true}, "constructor": 1, "__class__": "User"}',
    "NUL": b'{"username": "a\x00b"}',
    "NUL, escaped": b'{"\\u0000": "\\u0000"}',
    "a lone surrogate as a name": b'{"\\ud800": 1}',
    "invalid UTF-8": b'{"username": "\xff\xfe"}',
    "a surrogate in UTF-8": b'{"username": "\xed\xa0\x80"}',
    "overlong UTF-8": b'{"username": "\xc0\xaf"}',
    "a byte order mark": b'\xef\xbb\xbf{"username": "a", "password": "b", "refreshToken": "c"}',
    "UTF-16": '{"username": "a", "password": "b"}'.encode("utf-16"),
    "5 MB": b'{"username": "' + b"a" * 5_000_000 + b'"}',
}
FORMS: dict[str, bytes] = {
    "nothing": b"",
    "JSON": b'{"username": "a"}',
    "10,000 fields": b"a=b&" * 10_000,
    "10,000 ampersands": b"&" * 10_000,
    "a name 100 times": b"username=a&password=b&refreshToken=c&" * 50,
    "NUL": b"username=%00&password=%00&refreshToken=%00",
    "invalid UTF-8": b"username=%ff&password=\xff&refreshToken=%ed%a0%80",
    "broken escapes": b"username=%&password=%4&refreshToken=%zz",
    "brackets": b"username[]=a&password[0]=b&[]=c&username[a][b]=d&refreshToken[]=e",
    "5 MB": b"username=" + b"a" * 5_000_000,
}


@on_every_endpoint
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_hostile_json_body_is_refused(client: httpx.Client, endpoint: str, body: bytes) -> None:
    assert_refused(endpoint, post(client, endpoint, body))


@on_every_endpoint
@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_a_hostile_form_is_refused(client: httpx.Client, endpoint: str, body: bytes) -> None:
    assert_refused(endpoint, post(client, endpoint, body, FORM))


@pytest.mark.parametrize("content_type", [JSON, FORM])
def test_a_body_of_more_than_100_kilobytes_is_too_large(client: httpx.Client, content_type: str) -> None:
    response = post(client, "signin", b" " * 102_401, content_type)
    assert (response.status_code, response.json()) == (413, {"message": "The request body is too large."})


# Values: each in the place of one field of a body that is otherwise right in its shape

BODY = {
    "username": '"nobody"',
    "email": '"nobody@example.com"',
    "password": '"correct horse battery"',
    "roles": '["root"]',
    "refreshToken": '"a.b.c"',
}
FIELDS = [
    *(("signup", "username"), ("signup", "email"), ("signup", "password"), ("signup", "roles")),
    *(("signin", "username"), ("signin", "password"), ("refreshtoken", "refreshToken"), ("signout", "refreshToken")),
]
VALUES: dict[str, str] = {
    "false": "false",
    "a number": "7",
    "a fraction": "-0.5e-7",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "a number beyond floats": "1e999",
    "a number of 4,000 digits": "9" * 4000,
    "a number of 5,000 digits": "9" * 5000,
    "an object": '{"$ne": null}',
    "nested objects": '{"a": {"b": {"c": [{"d": {}}]}}}',
    "an array of nulls": "[null, null]",
    "an array of numbers": "[1, 2]",
    "an array of arrays": '[["user"]]',
    "an array of objects": '[{"name": "admin"}]',
    "900 arrays": "[" * 900 + "]" * 900,
    "100,000 arrays": "[" * 100_000,
    "10,000 texts": json.dumps(["user"] * 10_000),
    "an empty text": '""',
    "spaces": '"   "',
    "NUL": '"\\u0000"',
    "NUL inside": '"nobody\\u0000@example.com"',
    "a raw NUL": '"\x00"',
    "a high surrogate": '"\\ud800"',
    "a low surrogate": '"nobody\\udc00"',
    "surrogates in the wrong order": '"\\udc00\\ud800"',
    "control characters": '"\\u0001\\u0007\\u001b[31m\\u007f"',
    "line ends": '"nobody\\r\\nX-Injected: 1"',
    "text that turns round": '"\\u202enobody\\u2066"',
    "50,000 accents": json.dumps("a" + "\u0315\u0300" * 25_000, ensure_ascii=False),
    "letters that grow": json.dumps("\ufdfa" * 10_000, ensure_ascii=False),
    "SQL": '"\' OR 1=1; DROP TABLE accounts_user --"',
    "a path": '"../../../../etc/passwd"',
    "a format": '"{0.__class__} %s%n ${7*7} {{7*7}}"',
    "257 letters": f'"{"a" * 257}"',
    "an email of 300 letters": f'"{"a" * 60}@{"b." * 115}example.com"',
    "90 KB": f'"{"a" * 90_000}"',
    "5 MB": f'"{"a" * 5_000_000}"',
}


@pytest.mark.parametrize(("endpoint", "field"), FIELDS)
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_hostile_value_is_refused(client: httpx.Client, endpoint: str, field: str, value: str) -> None:
    body = ", ".join(f'"{name}": {good}' for name, good in {**BODY, field: value}.items())
    assert_refused(endpoint, post(client, endpoint, f"{{{body}}}".encode()))


@pytest.mark.parametrize(("endpoint", "field"), [place for place in FIELDS if place[1] != "roles"])
def test_null_is_no_value(client: httpx.Client, endpoint: str, field: str) -> None:
    body = ", ".join(f'"{name}": {good}' for name, good in {**BODY, field: "null"}.items())
    assert_refused(endpoint, post(client, endpoint, f"{{{body}}}".encode()))


# Anything at all

any_text = st.text(st.characters())
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
)
like_ours = st.fixed_dictionaries({}, optional=dict.fromkeys(BODY, any_json))
any_endpoint = st.sampled_from(["signup", "signin", "refreshtoken", "signout"])
thoroughly = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.django_db
@given(endpoint=any_endpoint, value=any_json | like_ours)
@thoroughly
def test_no_json_brings_the_server_down(api: APIClient, endpoint: str, value: Any) -> None:
    assert api.post(f"/api/auth/{endpoint}", json.dumps(value), content_type=JSON).status_code < 500


@pytest.mark.django_db
@given(endpoint=any_endpoint, body=st.binary(), content_type=st.sampled_from([JSON, FORM]))
@thoroughly
def test_no_bytes_bring_the_server_down(api: APIClient, endpoint: str, body: bytes, content_type: str) -> None:
    assert api.post(f"/api/auth/{endpoint}", body, content_type=content_type).status_code < 500
