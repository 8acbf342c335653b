"""Odd headers make no difference, and open no door."""

import httpx
import pytest

from tests.hostile.sending import (
    assert_refused,
)

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
