"""Where a request comes from: what the trusted proxies wrote is believed, what anyone else wrote is not."""

from collections.abc import Callable

import httpx
import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests import live
from tests.conftest import PASSWORD

pytestmark = pytest.mark.no_database

PROXY, SECOND_PROXY, CLIENT, FORGED = "10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.66"
AddressSeen = Callable[[int, str], str | None]
SchemeSeen = Callable[[int, str], str]


@pytest.fixture
def address_seen(api: APIClient, make_user: Callable[..., User], settings: Settings) -> AddressSeen:
    """What a session remembers as the client's address, by the number of trusted proxies and X-Forwarded-For."""
    user = make_user()

    def address_seen(proxies: int, forwarded_for: str) -> str | None:
        settings.TRUSTED_PROXY_COUNT = proxies
        body = {"username": "alice", "password": PASSWORD}
        api.post("/api/auth/signin", body, headers={"x-forwarded-for": forwarded_for}, REMOTE_ADDR=PROXY)
        return user.sessions.get().address

    return address_seen


@pytest.fixture
def scheme_seen(api: APIClient, settings: Settings) -> SchemeSeen:
    """The scheme of the links that are given out, by the number of trusted proxies and X-Forwarded-Proto."""

    def scheme_seen(proxies: int, forwarded_proto: str) -> str:
        settings.TRUSTED_PROXY_COUNT = proxies
        response = api.get("/", headers={"x-forwarded-proto": forwarded_proto})
        return response.json()["documentation"].partition(":")[0]

    return scheme_seen


@pytest.mark.parametrize("forwarded_for", [CLIENT, f"{FORGED}, {CLIENT}", ""])
def test_without_trusted_proxies_the_address_is_that_of_the_connection(
    address_seen: AddressSeen, forwarded_for: str
) -> None:
    assert address_seen(0, forwarded_for) == PROXY


@pytest.mark.parametrize("forwarded_for", [CLIENT, f"  {CLIENT}\t", f"{FORGED}, {CLIENT}", f"{FORGED},,junk,{CLIENT}"])
def test_behind_one_proxy_the_address_is_the_last_one_listed(address_seen: AddressSeen, forwarded_for: str) -> None:
    assert address_seen(1, forwarded_for) == CLIENT


@pytest.mark.parametrize("forwarded_for", [f"{CLIENT}, {SECOND_PROXY}", f"{FORGED}, {CLIENT},{SECOND_PROXY}"])
def test_behind_two_proxies_the_address_is_the_last_but_one(address_seen: AddressSeen, forwarded_for: str) -> None:
    assert address_seen(2, forwarded_for) == CLIENT


def test_a_request_that_came_around_the_outer_proxy_does_not_choose_its_address(address_seen: AddressSeen) -> None:
    assert address_seen(2, FORGED) == PROXY


@pytest.mark.parametrize("address", ["2001:db8::7", "::1"])
def test_an_ipv6_address_is_an_address(address_seen: AddressSeen, address: str) -> None:
    assert address_seen(1, address) == address


def test_an_ipv4_address_is_written_as_one_also_where_it_came_as_ipv6(address_seen: AddressSeen) -> None:
    assert address_seen(1, "::ffff:203.0.113.7") == "203.0.113.7"


@pytest.mark.parametrize(
    "junk",
    [
        *("", ",", "unknown", "_hidden", "203.0.113", "999.0.113.7", "203.0.113.7:443", "[2001:db8::7]", "0x7f.1"),
        *(f"{CLIENT}, ", f"{CLIENT}, unknown", f"for={CLIENT}", f"{CLIENT}\x00", "٢٠٣.0.113.7", "é", "<b>"),
        *("1" * 100_000, "1.1.1.1 " * 1000, "," * 10_000),
    ],
    ids=lambda junk: junk[:20],
)
def test_an_address_that_is_none_is_ignored(address_seen: AddressSeen, junk: str) -> None:
    assert address_seen(1, junk) == PROXY


def test_without_trusted_proxies_the_scheme_is_that_of_the_connection(scheme_seen: SchemeSeen) -> None:
    assert scheme_seen(0, "https") == "http"


@pytest.mark.parametrize(("proxies", "forwarded_proto"), [(1, "https"), (1, "http, https"), (2, "http, https, http")])
def test_the_scheme_is_the_one_that_the_outermost_trusted_proxy_saw(
    scheme_seen: SchemeSeen, proxies: int, forwarded_proto: str
) -> None:
    assert scheme_seen(proxies, forwarded_proto) == "https"


@pytest.mark.parametrize(("proxies", "forwarded_proto"), [(1, "https, http"), (2, "https, http, http")])
def test_a_scheme_that_the_client_wrote_is_not_believed(
    scheme_seen: SchemeSeen, proxies: int, forwarded_proto: str
) -> None:
    assert scheme_seen(proxies, forwarded_proto) == "http"


def test_a_scheme_that_the_inner_proxy_passed_on_alone_is_believed(scheme_seen: SchemeSeen) -> None:
    assert scheme_seen(2, "https") == "https"


@pytest.mark.parametrize("junk", ["", ",", "ftp", "javascript", "https:", "https http", "é", "s" * 100_000])
def test_a_scheme_that_is_none_is_ignored(scheme_seen: SchemeSeen, junk: str) -> None:
    assert scheme_seen(1, junk) == "http"


def test_lines_of_one_header_are_read_in_their_order(start_server: Callable[..., live.Server]) -> None:
    with start_server(TRUSTED_PROXY_COUNT="1").client() as client:
        forged_then_true = httpx.Headers([("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")])
        response = client.get("/", headers=forged_then_true)
    assert response.json()["documentation"].startswith("http:")
