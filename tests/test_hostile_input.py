"""Whatever is sent to the real server, it refuses in JSON with a message, goes on answering, and logs no exception."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPResponse, IncompleteRead
from io import BytesIO
from typing import IO, Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests import live

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
on_every_endpoint = pytest.mark.parametrize("endpoint", ["signup", "signin", "refreshtoken", "signout"])


@pytest.fixture(scope="module")
def server(start_server: Callable[..., live.Server]) -> live.Server:
    """Without limits: what is refused here is the input, and not how often it comes."""
    rates = ("GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT", "SIGN_UP_RATE")
    return start_server(**dict.fromkeys(rates, "off"))


@pytest.fixture(scope="module")
def client(server: live.Server) -> Iterator[httpx.Client]:
    """A new connection for each request: after a body it does not read to its end, the server closes."""
    with server.client(limits=httpx.Limits(max_keepalive_connections=0)) as client:
        yield client


@pytest.fixture(scope="module")
def log(server: live.Server) -> Iterator[IO[str]]:
    """What the server logs from now on."""
    with server.log.open(errors="replace") as log:
        log.read()
        yield log


@pytest.fixture(autouse=True)
def _goes_on_answering_and_logged_no_exception(client: httpx.Client, log: IO[str]) -> Iterator[None]:
    yield
    assert client.get("/api/test/all").text == "Public Content."
    said = log.read()
    # It may have been read in the midst of a write.
    while said and not said.endswith("\n"):
        said += log.read()
    assert [line for line in said.splitlines() if "Z [info     ] " not in line] == []


def post(client: httpx.Client, endpoint: str, body: Any, content_type: str | bytes | None = JSON) -> httpx.Response:
    headers = {} if content_type is None else {"content-type": content_type}
    return client.post(f"/api/auth/{endpoint}", content=body, headers=headers)  # type: ignore[arg-type]


def assert_refused(endpoint: str, response: httpx.Response) -> None:
    """With a message for people; but a sign-out is never refused."""
    assert response.status_code in ([200] if endpoint == "signout" else range(400, 500)), response.text
    message = response.json()["message"]
    assert isinstance(message, str)
    assert message


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


# Content types

SIGN_IN = b'{"username": "nobody", "password": "correct horse battery"}'
CONTENT_TYPES: list[str | bytes | None] = [
    *(None, "", ";", "/", "json", "application/", "/json", "text/plain", "text/html", "application/xml"),
    *("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=a", "text/json"),
    *("application/octet-stream", "application/jsonp", "application/json-patch+json", "application/json, text/plain"),
    *("application/json; a*=foo'x'%41", "application/json; a*=x; a*0=y", "application/json; a*=idna'x'%41"),
    *("application/json; charset=rot13", "application/json; charset=utf-16", "application/json; charset=utf-7"),
    *("application/json; charset=", "application/json; charset=undefined", "application/json; charset*=utf-16'x'a"),
    *("application/json; charset=latin-1", "application/json; charset=idna", "application/json; charset=zip"),
    *(b"application/json; charset=\x80\xff", b"application/\xff\xfe", "application/json; a=" + "b" * 300),
    *('application/json; a="' + ";" * 300_000, "a" * 300_000, "application/json" + "; a=b" * 50_000),
]


@pytest.mark.no_database
@pytest.mark.parametrize("said", [b"application/json", b"application/json; charset=rot13", b"a/b; a*=x; a*0=y"])
def test_a_content_type_that_is_spelt_with_an_underscore_is_none(client: httpx.Client, said: bytes) -> None:
    """For DRF it would be one, and nobody would have looked at it before."""
    response = client.post("/api/auth/signin", content=SIGN_IN, headers=[(b"content_type", said)])
    assert (response.status_code, said.decode() in response.text) == (415, False)


@pytest.mark.no_database
@on_every_endpoint
@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=lambda content_type: str(content_type)[:40])
def test_a_body_of_another_type_is_refused(
    client: httpx.Client, endpoint: str, content_type: str | bytes | None
) -> None:
    response = post(client, endpoint, SIGN_IN, content_type)
    assert_refused(endpoint, response)
    assert response.status_code == (200 if endpoint == "signout" else 415)


@pytest.mark.no_database
@on_every_endpoint
@pytest.mark.parametrize("query", ["a=b&" * 2000, "%00=%ff&" * 50, "charset=rot13"], ids=lambda query: query[:20])
def test_a_hostile_query_beside_a_charset_is_ignored(client: httpx.Client, endpoint: str, query: str) -> None:
    assert_refused(endpoint, post(client, f"{endpoint}?{query}", SIGN_IN, "application/json; charset=utf-8"))


# Lengths


def test_a_body_in_chunks_is_read(client: httpx.Client) -> None:
    response = post(client, "signin", iter([SIGN_IN[:20], SIGN_IN[20:]]))
    assert (response.status_code, response.json()["message"]) == (401, "Invalid Password!")


@pytest.mark.no_database
@on_every_endpoint
@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{", b"[" * 100_000, b"a" * 5_000_000], ids=lambda body: str(body)[:20]
)
def test_a_hostile_body_in_chunks_is_refused(client: httpx.Client, endpoint: str, body: bytes) -> None:
    assert_refused(endpoint, post(client, endpoint, iter([body])))


Answer = tuple[int, bytes] | None


def exchange(server: live.Server, request: bytes, *, breaks_off: bool = False) -> Answer:
    """Sends just these bytes; None if the connection was closed without an answer."""
    port = urlsplit(server.url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        # The server may have answered and closed before all was sent.
        with suppress(OSError):
            connection.sendall(request)
            if breaks_off:
                connection.shutdown(socket.SHUT_WR)
        try:
            response = HTTPResponse(connection)
            response.begin()
            return response.status, response.read()
        except (ConnectionError, IncompleteRead):
            return None


def assert_refused_by_us_or_by_granian(answer: Answer) -> None:
    """granian's own refusals have no body, or are a closed connection."""
    if answer is not None:
        status, body = answer
        assert 400 <= status < 500
        assert not body or json.loads(body)["message"]


LENGTHS = {
    "too long": b"Content-Length: 500",
    "far too long": b"Content-Length: 5000000000",
    "too long for a number": b"Content-Length: " + b"9" * 400,
    "too short": b"Content-Length: 10",
    "negative": b"Content-Length: -1",
    "no number": b"Content-Length: many",
    "a fraction": b"Content-Length: 59.0",
    "hexadecimal": b"Content-Length: 0x3b",
    "a list": b"Content-Length: 59, 60",
    "two": b"Content-Length: 59\r\nContent-Length: 60",
    "empty": b"Content-Length:",
    "none": b"X-Nothing: 1",
    "one, and chunks": b"Content-Length: 59\r\nTransfer-Encoding: chunked",
    "no chunks": b"Transfer-Encoding: chunked",
    "an unknown encoding": b"Transfer-Encoding: rot13",
    "two encodings": b"Transfer-Encoding: gzip, chunked",
    "an underscore": b"Content_Length: 59\r\nContent_Type: application/json; a*=x; a*0=y",
}


@pytest.mark.no_database
@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
def test_a_length_that_lies_is_refused(server: live.Server, length: bytes) -> None:
    head = (
        b"POST /api/auth/signin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
    )
    assert_refused_by_us_or_by_granian(exchange(server, head + length + b"\r\n\r\n" + SIGN_IN, breaks_off=True))


@pytest.mark.no_database
@pytest.mark.parametrize(
    "chunks", [b"", b"5\r\n{", b"ffffffffffffffffff\r\n{", b"-1\r\n{", b"2\r\n{}\r\nzz", b"2\r\n{}\r\n"]
)
def test_chunks_that_break_off_are_refused(server: live.Server, chunks: bytes) -> None:
    head = (
        b"POST /api/auth/signin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
    )
    assert_refused_by_us_or_by_granian(
        exchange(server, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, breaks_off=True)
    )


@pytest.mark.no_database
def test_half_a_form_is_not_taken_for_a_whole_one(api: APIClient) -> None:
    half = {"wsgi.input": BytesIO(b"username=nobody&password=corr"), "CONTENT_LENGTH": "80"}
    response = api.generic("POST", "/api/auth/signin", content_type=FORM, **half)  # type: ignore[arg-type]
    assert (response.status_code, response.json()) == (400, {"message": "The request body broke off."})


# Headers

TOKENS: list[bytes] = [
    *(b"\x80\xff", b"\x80.\xff.\x80", b"a.b.c", b"...", b"Bearer", b"null", b"undefined", b"[object Object]", b"a,b,c"),
    *(b"A" * 100_000, b"." * 100_000, b"A" * 50_000 + b"." + b"A" * 50_000 + b".A", b"%00", b"a b c", b"=", b'"'),
    *(b"eyJhbGciOiJub25lIn0.e30.", b"eyJhbGciOiJIUzI1NiJ9." + b"W1tb" * 900 + b".AAAA", b"W1tb" * 900 + b".AAAA.AAAA"),
]
AUTHORIZATIONS: list[bytes] = [
    *(b"", b"Bearer", b"bearer  a.b.c", b"Bearer Bearer a.b.c", b"Bearer\ta.b.c", b"Basic", b"Basic Og=="),
    *(
        b"Basic \xff",
        b'Digest username="a"',
        b"Token a",
        b"Bearer \x80\xff",
        b"Bearer " + b"A" * 100_000,
        b"," * 10_000,
    ),
]
COOKIES: list[bytes] = [
    *(
        b"",
        b";",
        b"=",
        b"=;=;=",
        b"access_token",
        b"access_token=",
        b"access_token=a; access_token=b",
        b"a=b;" * 10_000,
    ),
    *(
        b'access_token="',
        b'access_token="\\',
        b'access_token="\\000\\777"',
        b"access_token=\x80\xff; refresh_token=\xff",
    ),
    *(b"access_token=" + b"A" * 100_000, b"csrftoken=\xff", b"sessionid=\x80", b"sessionid=" + b"a" * 10_000),
    *(b"$Version=1; $Path=/", b"__Host-access_token=a.b.c", b'refresh_token="a.b.c\\073"', b"refresh_token={}"),
]
ODD_HEADERS: list[tuple[bytes, bytes]] = [
    *((b"x-access-token", token) for token in TOKENS),
    *((b"authorization", authorization) for authorization in AUTHORIZATIONS),
    *((b"cookie", cookie) for cookie in COOKIES),
    *((b"x-forwarded-for", junk) for junk in (b"", b",", b"\xff", b"1.2.3.4, unknown", b"'--", b"1" * 100_000)),
    *((b"x-forwarded-proto", junk) for junk in (b"", b"javascript", b"https,,", b"\xff")),
    *((b"x-forwarded-host", junk) for junk in (b"evil.example", b"a b", b"\xff")),
    *(
        (b"origin", junk)
        for junk in (b"", b"null", b"http://[::1", b"//", b"http://\xff", b"a" * 100_000, b"http://a@b")
    ),
    *((b"referer", junk) for junk in (b"http://[", b"\xff")),
    *((b"sec-fetch-site", junk) for junk in (b"", b"cross-site", b"\xff")),
    *(
        (b"accept", junk)
        for junk in (b"", b"text/html", b";", b"a/b;" * 20_000, b"*/*;q=\xff", b"application/json; a*=x; a*0=y")
    ),
    *((b"accept-language", junk) for junk in (b"x" * 10_000, b"\xff", b"de-" * 5_000, b"en;q=" + b"9" * 5_000)),
    *((b"user-agent", junk) for junk in (b"", b"\xff" * 300, b"a" * 100_000, b"() { :; }; echo", b"${jndi:ldap://a}")),
    *((b"range", junk) for junk in (b"bytes=0-", b"bytes=-", b"\xff")),
    *((b"if-none-match", b"*"), (b"if-modified-since", b"yesterday"), (b"expect", b"a miracle"), (b"upgrade", b"h2c")),
    *((b"x-http-method-override", b"DELETE"), (b"content-encoding", b"gzip"), (b"te", b"\xff"), (b"date", b"\xff")),
    *((b"proxy", b"http://a"), (b"x-csrftoken", b"\xff"), (b"x-requested-with", b"\xff"), (b"x" * 10_000, b"1")),
]


@pytest.mark.no_database
@pytest.mark.parametrize("endpoint", ["signin", "refreshtoken", "signout"])
@pytest.mark.parametrize("header", ODD_HEADERS, ids=lambda header: f"{header[0][:30]!r} {header[1][:30]!r}")
def test_an_odd_header_makes_no_difference(client: httpx.Client, endpoint: str, header: tuple[bytes, bytes]) -> None:
    headers = [header, (b"content-type", b"application/json")]
    response = client.post(f"/api/auth/{endpoint}", content=b"{}", headers=headers)
    assert_refused(endpoint, response)


@pytest.mark.no_database
@pytest.mark.parametrize("name", [b"x-access-token", b"authorization", b"cookie"])
@pytest.mark.parametrize("value", [*TOKENS, *AUTHORIZATIONS, *COOKIES], ids=lambda value: str(value[:30]))
def test_what_is_no_token_opens_no_board(client: httpx.Client, name: bytes, value: bytes) -> None:
    response = client.get("/api/test/user", headers=[(name, value)])
    assert (response.status_code, response.json()["message"]) in [(401, "Unauthorized!"), (403, "No token provided!")]


HOSTS = [
    *(
        b"",
        b"evil.example",
        b"localhost.evil.example",
        b"localhost:80:80",
        b"localhost:port",
        b"localhost@evil.example",
    ),
    *(
        b"a b",
        b"\xff",
        b"[::1",
        b"[::1]]",
        b"localhost,evil.example",
        b"localhost/",
        b"'",
        b"a" * 10_000,
        b"%00",
        b".",
        b"*",
    ),
]


@pytest.mark.no_database
@pytest.mark.parametrize("host", HOSTS, ids=lambda host: str(host[:30]))
def test_a_host_that_is_not_ours_is_refused(server: live.Server, host: bytes) -> None:
    response = exchange(server, b"GET /api/test/all HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
    assert_refused_by_us_or_by_granian(response)


@pytest.mark.no_database
def test_two_hosts_are_none(server: live.Server) -> None:
    hosts = b"Host: localhost\r\nHost: evil.example\r\n"
    response = exchange(server, b"GET /api/test/all HTTP/1.1\r\nConnection: close\r\n" + hosts + b"\r\n")
    assert_refused_by_us_or_by_granian(response)


@pytest.mark.no_database
def test_headers_beyond_number_are_refused(server: live.Server) -> None:
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(5_000))
    response = exchange(server, b"GET /api/test/user HTTP/1.1\r\nHost: localhost\r\n" + many + b"\r\n")
    assert_refused_by_us_or_by_granian(response)


# Paths and methods

PATHS: list[bytes] = [
    *(
        b"/%00",
        b"/%ff",
        b"/%",
        b"/%zz",
        b"//",
        b"///api/auth/signin",
        b"/api//auth/signin",
        b"/api/auth/signin/",
        b"/;",
    ),
    *(
        b"/api/auth/signin;a=b",
        b"/api/auth/signin%00",
        b"/api/auth/signin%0a",
        b"/api/auth/signin%2f",
        b"/api/auth/%2e%2e",
    ),
    *(b"/api/auth/../auth/signin", b"/api/auth/", b"/api/auth", b"/api", b"/API/AUTH/SIGNIN", b"/api/test/user.json"),
    *(b"/" + b"a" * 10_000, b"/" + b"a" * 100_000, b"/" + b"a/" * 5_000, b"/" + b"%41" * 5_000, b"/\xff", b"/\xc3\xa9"),
    *(b"/static/%00", b"/static/../manage.py", b"/static/%2e%2e/%2e%2e/.secret_key", b"/.git/config", b"/.secret_key"),
    *(
        b"/api/test/user?" + b"a=b&" * 2_000,
        b"/api/test/user?%00=%ff",
        b"/api/test/user?" + b"a" * 50_000,
        b"/api/test/user?;",
    ),
    *(
        b"/api/test/user?format=xml",
        b"/api/test/user?access_token=a.b.c",
        b"/api/test/user#a",
        b"/api/test/user?a[b][c]=d",
    ),
    *(
        b"*",
        b"",
        b"api/test/user",
        b"http://evil.example/api/test/user",
        b"http://localhost/api/test/user",
        b"/ /",
        b"/\\",
    ),
]


@pytest.mark.no_database
@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path[:40]))
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_an_odd_path_leads_nowhere(server: live.Server, method: bytes, path: bytes) -> None:
    head = method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert_refused_by_us_or_by_granian(exchange(server, head))


METHODS = ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FROB", "GET", "get", "CONNECT", "_"]


@pytest.mark.no_database
@on_every_endpoint
@pytest.mark.parametrize("method", METHODS)
def test_another_method_is_not_allowed(client: httpx.Client, endpoint: str, method: str) -> None:
    response = client.request(method, f"/api/auth/{endpoint}", content=SIGN_IN, headers={"content-type": JSON})
    assert (response.status_code, response.json()) == (405, {"message": f'Method "{method.upper()}" not allowed.'})


@pytest.mark.no_database
@pytest.mark.parametrize(
    "request_line",
    [
        *(
            b"",
            b"\r\n\r\n",
            b"\x00",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET",
            b"GET /",
            b"GET / HTTP/9.9",
        ),
        *(
            b"GET / HTTP/0.9",
            b"G\xffT / HTTP/1.1",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"A" * 500_000,
            b"GET  /  HTTP/1.1",
        ),
    ],
    ids=lambda line: str(line[:30]),
)
def test_what_is_not_http_is_refused(server: live.Server, request_line: bytes) -> None:
    assert_refused_by_us_or_by_granian(exchange(server, request_line + b"\r\nHost: localhost\r\n\r\n"))


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
