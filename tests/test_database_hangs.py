"""The database neither answers nor goes away: who asks is told so in seconds, and the server goes on."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import connection

from tests import live
from tests.conftest import PASSWORD
from tests.lossy import LossyProxy

pytestmark = [
    pytest.mark.skipif(connection.vendor != "mysql", reason="A file does not hang."),
    pytest.mark.django_db(transaction=True),
]
BODY = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}


@pytest.fixture(scope="module")
def proxy() -> LossyProxy:
    return LossyProxy(int(connection.settings_dict["PORT"]))


@pytest.fixture(scope="module")
def server(
    proxy: LossyProxy, tmp_path_factory: pytest.TempPathFactory, start_server: Callable[..., live.Server]
) -> live.Server:
    url = urlsplit(live.database_of_its_own(tmp_path_factory.mktemp("hangs")))
    account = url.netloc.rpartition("@")[0]
    through_proxy = url._replace(netloc=f"{account}@127.0.0.1:{proxy.port}").geturl()
    return start_server(DATABASE_URL=through_proxy, WORKERS="1", DATABASE_TIMEOUT="1", DATABASE_CONNECTIONS="2")


@pytest.fixture
def hanging(server: live.Server, proxy: LossyProxy) -> Iterator[httpx.Client]:
    """A client who has signed in before."""
    with server.client() as http:
        http.post("/api/auth/signup", json=BODY)
        http.headers["x-access-token"] = http.post("/api/auth/signin", json=BODY).json()["accessToken"]
        proxy.passes_on.clear()
        yield http
        proxy.passes_on.set()


def test_a_request_is_answered_though_the_database_is_silent(hanging: httpx.Client) -> None:
    answer = hanging.get("/api/test/user")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_so_are_those_that_find_all_connections_lent(hanging: httpx.Client) -> None:
    def ask(_: Any) -> int:
        return hanging.get("/api/test/user").status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [503] * 8


def test_the_process_is_alive_and_not_ready(hanging: httpx.Client) -> None:
    answers = [hanging.get(f"/health/{question}") for question in ("live", "ready")]
    assert [answer.status_code for answer in answers] == [200, 503]


def test_once_it_answers_again_all_goes_on(hanging: httpx.Client, proxy: LossyProxy) -> None:
    assert hanging.get("/api/test/user").status_code == 503
    proxy.passes_on.set()
    assert hanging.get("/api/test/user").status_code == 200
