"""Whatever the bytes of a body and the headers around it: it is read into what it says, or refused in words.

That any JSON and any form come out as they went in, and names are cleaned to themselves, is in test_names.py; the
examples, over real HTTP, are in hostile/ and test_requests.py.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from ipaddress import ip_address
from itertools import chain
from typing import IO, Any, cast
from urllib.parse import parse_qs, quote_plus

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, QueryDict
from django.test import RequestFactory, override_settings
from hypothesis import assume, example, given
from hypothesis import strategies as st
from rest_framework.exceptions import APIException, ParseError

from authproject.parsers import FormParser, JSONParser
from authproject.requests import TrustedProxyMiddleware
from authproject.wsgi import Request, application

pytestmark = pytest.mark.no_database

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PARSERS: dict[str, JSONParser | FormParser] = {JSON: JSONParser(), FORM: FormParser()}
Answer = tuple[int, str]
UNKNOWN: Answer = (403, "Refresh token is not in database!")
BROKE_OFF: Answer = (400, "The request body broke off.")

types = st.sampled_from([JSON, FORM])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
# As WSGI gives a header: its bytes, each as a letter.
header_texts = st.text(st.characters(max_codepoint=255), max_size=30)
fields = st.dictionaries(texts.filter(lambda name: not name.endswith("[]")), texts, max_size=5)


def body_of(content_type: str, said: dict[str, str]) -> bytes:
    pairs = (f"{quote_plus(name)}={quote_plus(value)}" for name, value in said.items())
    return json.dumps(said).encode() if content_type == JSON else "&".join(pairs).encode()


def environ(body: bytes, **headers: str) -> dict[str, Any]:
    """What the application server calls us with, for a POST with a whole body in JSON, but for `headers`."""
    posted = RequestFactory().generic("POST", "/api/auth/refreshtoken").environ
    return {**posted, "CONTENT_TYPE": JSON, "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body), **headers}


def answered(environ: dict[str, Any]) -> Answer:
    """Status and message of the whole application's answer."""
    seen: list[str] = []

    def start(status: str, *_: Any) -> Callable[[bytes], object]:
        seen.append(status)
        return lambda written: None

    body = b"".join(application(environ, start))
    return int(seen[0].split()[0]), json.loads(body)["message"]


def parsed(content_type: str, request: Request) -> Any:
    """As DRF has a body read."""
    return PARSERS[content_type].parse(cast(IO[bytes], request), content_type)


def status_of(content_type: str, stream: IO[bytes]) -> int:
    try:
        PARSERS[content_type].parse(stream)
    except APIException as refusal:
        return refusal.status_code
    return 200


def is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in value.lists() if isinstance(value, QueryDict) else value.items():
            yield from texts_in(list(pair))
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


# Bodies

JSON_SCRAPS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b'"',
    b"\\",
    b" ",
    b"1",
    b"-1.5e3",
    b"1e999",
    b"true",
    b"null",
    b"NaN",
]
JSON_SCRAPS += [
    b'"a"',
    b'{"a":',
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'"\\\\u0000"',
    b"\x00",
    b"\xff",
    b"\xc3\xa9",
]
FORM_SCRAPS = [
    b"a",
    b"=",
    b"&",
    b"+",
    b";",
    b"%",
    b"[]",
    b"%41",
    b"%00",
    b"%ff",
    b"%ed%a0%80",
    b"\x00",
    b"\xff",
    b"\xc3\xa9",
]


@given(body=st.lists(st.sampled_from(JSON_SCRAPS), max_size=12).map(b"".join))
def test_what_is_read_of_any_json_is_what_it_says_and_can_be_stored(body: bytes) -> None:
    with suppress(APIException):
        read = JSONParser().parse(BytesIO(body))
        assert read == json.loads(body.decode())
        assert all("\x00" not in text and text.encode() for text in texts_in(read) if text)


@given(body=st.lists(st.sampled_from(FORM_SCRAPS), max_size=12).map(b"".join))
def test_what_is_read_of_any_form_is_what_it_says_and_can_be_stored(body: bytes) -> None:
    with suppress(APIException):
        read = FormParser().parse(BytesIO(body))
        said = parse_qs(body.decode(), keep_blank_values=True, errors="strict")
        assert set(read) == {name.removesuffix("[]") for name in said}
        assert sorted(value for _, values in read.lists() for value in values) == sorted(chain(*said.values()))
        assert all("\x00" not in text and text.encode() for text in texts_in(read) if text)


any_texts = texts | st.text(st.sampled_from("a\x00\ud83d\ude00"), max_size=3)
any_json = st.recursive(
    any_texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_texts, inner, max_size=3), max_leaves=5
)


@given(value=any_json)
def test_json_is_refused_exactly_if_it_holds_nul_or_half_a_character_anywhere(value: Any) -> None:
    # As it is written, two halves in their order are a whole one.
    body = json.dumps(value)
    said = json.loads(body)
    fits = all("\x00" not in text and is_utf8(text) for text in texts_in(said))
    assert (status_of(JSON, BytesIO(body.encode())) == 200) == fits


class Counted(BytesIO):
    """How many bytes were asked for; a negative number asks for all."""

    asked = 0

    def read(self, size: int | None = -1) -> bytes:
        self.asked += len(self.getbuffer()) if size is None or size < 0 else size
        return super().read(size)


@given(content_type=types, length=st.integers(0, 300_000), letter=st.sampled_from([b" ", b"[", b"&", b"a", b"\xff"]))
@example(JSON, 102_400, b" ")
@example(FORM, 102_401, b"a")
def test_no_more_than_the_limit_is_read_of_a_body(content_type: str, length: int, letter: bytes) -> None:
    stream, limit = Counted(letter * length), PARSERS[content_type].max_bytes
    assert (status_of(content_type, stream) == 413) == (length > limit)
    assert stream.asked <= limit + 1


@given(content_type=types, said=fields, kept=st.integers(0, 500))
def test_a_body_that_breaks_off_anywhere_is_not_taken_for_a_whole_one(
    content_type: str, said: dict[str, str], kept: int
) -> None:
    body = body_of(content_type, said)
    assume(kept < len(body))
    request = Request(environ(body[:kept], CONTENT_LENGTH=str(len(body)), CONTENT_TYPE=content_type))
    with pytest.raises(ParseError, match="broke off"):
        parsed(content_type, request)


@given(content_type=types, said=fields, encoding=header_texts)
def test_a_body_without_a_length_is_read_as_one_with(content_type: str, said: dict[str, str], encoding: str) -> None:
    body = body_of(content_type, said)
    in_chunks = environ(body, CONTENT_TYPE=content_type, HTTP_TRANSFER_ENCODING=encoding)
    del in_chunks["CONTENT_LENGTH"]
    read = parsed(content_type, Request(in_chunks))
    assert (read.dict() if isinstance(read, QueryDict) else read) == said


# Headers, through the whole application

TOKEN_SENT = b'{"refreshToken": "a.b.c"}'
SCRAPS = ["application/json", "application/x-www-form-urlencoded", "text/plain", "*/*", "; charset=", "utf-8", "utf-16"]
SCRAPS += [
    "rot13",
    "; a=",
    "; a*=",
    "; a*0=",
    "utf-8''%41",
    "'",
    '"',
    "\\",
    ";",
    ",",
    "=",
    "/",
    " ",
    "\t",
    "%",
    "\xff",
    "x" * 99,
]
content_types = st.lists(st.sampled_from(SCRAPS) | header_texts, max_size=8).map("".join)
through_the_application = pytest.mark.usefixtures("db", "without_limits")
REFUSALS = {400, 403, 413, 415}


@through_the_application
@example("application/json; a*=x; a*0=y")
@given(content_type=content_types | content_types.map(f"{JSON}; charset=utf-8".__add__))
def test_a_body_of_any_content_type_is_read_or_refused(content_type: str) -> None:
    status, message = answered(environ(TOKEN_SENT, CONTENT_TYPE=content_type))
    assert status in REFUSALS
    assert message


@given(content_type=content_types, query=st.sampled_from(["a=%C3%A9", "a=\xc3\xa9"]))
def test_no_content_type_has_a_say_in_how_a_query_is_read(content_type: str, query: str) -> None:
    request = Request(environ(b"", CONTENT_TYPE=content_type, QUERY_STRING=query))
    assert request.GET.dict() == {"a": "é"}


@through_the_application
@given(length=st.integers(-(10**30), 10**30).map(str) | st.integers(0, 40).map(str) | header_texts)
def test_a_length_that_lies_is_no_way_in(length: str) -> None:
    answer = answered(environ(TOKEN_SENT, CONTENT_LENGTH=length))
    if length.isdecimal() and length.isascii() and int(length) >= len(TOKEN_SENT):
        assert answer == (UNKNOWN if int(length) == len(TOKEN_SENT) else BROKE_OFF)
    assert answer[0] in REFUSALS


NAMES = ["ACCEPT", "ACCEPT_LANGUAGE", "AUTHORIZATION", "COOKIE", "EXPECT", "HOST", "IF_MODIFIED_SINCE", "IF_NONE_MATCH"]
NAMES += ["ORIGIN", "RANGE", "REFERER", "SEC_FETCH_SITE", "TRANSFER_ENCODING", "USER_AGENT", "X_ACCESS_TOKEN"]
NAMES += ["X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_FORWARDED_PROTO", "X_HTTP_METHOD_OVERRIDE", "X_REQUEST_ID"]
COOKIES = ["access_token", "refresh_token", "sessionid", "csrftoken", "=", ";", '"', "\\", "a.b.c", "\\073", " ", ","]
any_headers = st.dictionaries(
    st.sampled_from(NAMES).map("HTTP_".__add__),
    header_texts | st.lists(st.sampled_from(COOKIES), max_size=9).map("".join),
    max_size=4,
)


@through_the_application
@given(headers=any_headers, proxies=st.integers(0, 2))
def test_any_headers_are_put_up_with(headers: dict[str, str], proxies: int) -> None:
    with override_settings(TRUSTED_PROXY_COUNT=proxies):
        status, message = answered(environ(TOKEN_SENT, **headers))
    assert status in REFUSALS
    assert message


# The address

addresses = st.ip_addresses().map(str)
anything = (
    header_texts | addresses | st.sampled_from(["", "unknown", "1.2.3.4:80", "[::1]", "::ffff:1.2.3.4", "fe80::1%x"])
)
PROXY = "10.0.0.1"


def address_behind(proxies: int, forwarded_for: str) -> str:
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": forwarded_for}
    # Where no proxy is trusted there is no such middleware.
    with override_settings(TRUSTED_PROXY_COUNT=proxies), suppress(MiddlewareNotUsed):
        TrustedProxyMiddleware(lambda request: HttpResponse())(request)
    return request.META["REMOTE_ADDR"]


@given(
    invented=st.lists(anything, max_size=5),
    written=st.lists(addresses, min_size=1, max_size=4),
    space=st.sampled_from(["", " "]),
)
def test_behind_n_proxies_the_address_is_the_nth_from_the_right_whatever_a_client_invents(
    invented: list[str], written: list[str], space: str
) -> None:
    assert address_behind(len(written), f",{space}".join([*invented, *written])) == written[0]


@given(proxies=st.integers(0, 4), forwarded_for=st.lists(anything, max_size=6).map(",".join))
def test_the_address_is_one_that_a_proxy_wrote_or_the_connections(proxies: int, forwarded_for: str) -> None:
    found = address_behind(proxies, forwarded_for)
    assert ip_address(found)
    assert found == PROXY or found == forwarded_for.split(",")[-proxies].strip()
