"""Lengths, hosts, paths, methods and first lines that are none."""

import httpx
import pytest

from tests import live
from tests.hostile.sending import (
    JSON,
    SIGN_IN,
    assert_refused_by_us_or_by_granian,
    exchange,
    on_every_endpoint,
)

# Lengths

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


# Hosts and numbers of headers

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
