"""The real server, which goes on answering whatever is sent to it, and logs no exception."""

from collections.abc import Callable, Iterator
from typing import IO

import httpx
import pytest

from tests import live


@pytest.fixture(scope="session")
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
