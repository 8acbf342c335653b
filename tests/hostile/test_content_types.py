"""What a body is said to be, and that it comes in pieces."""

from io import BytesIO

import httpx
import pytest
from rest_framework.test import APIClient

from tests.hostile.sending import (
    FORM,
    SIGN_IN,
    assert_refused,
    on_every_endpoint,
    post,
)

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


# In chunks


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


@pytest.mark.no_database
def test_half_a_form_is_not_taken_for_a_whole_one(api: APIClient) -> None:
    half = {"wsgi.input": BytesIO(b"username=nobody&password=corr"), "CONTENT_LENGTH": "80"}
    response = api.generic("POST", "/api/auth/signin", content_type=FORM, **half)  # type: ignore[arg-type]
    assert (response.status_code, response.json()) == (400, {"message": "The request body broke off."})
