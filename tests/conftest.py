"""What every test here may use: the database of the run, and real servers on real ports. Users and clients that are
signed in come from accounts/testing.py, which is for your own tests too."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from django.conf import settings
from django.db import connections
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings
from rest_framework.test import APIClient
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts import keys
from accounts.counters import DatabaseStore
from accounts.testing import PASSWORD as PASSWORD
from authproject.settings import PASSWORD_HASHERS
from tests import live
from tests.browser import chromium as chromium
from tests.browser import page as page
from tests.conformity import complaint
from tests.redis_server import RedisServer

# The suite tries the same examples each time; `--hypothesis-profile=long` tries many more, and others each time.
hypothesis_settings.register_profile(
    "common", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.register_profile(
    "suite", hypothesis_settings.get_profile("common"), max_examples=100, derandomize=True
)
hypothesis_settings.register_profile("long", hypothesis_settings.get_profile("common"), max_examples=10_000)
hypothesis_settings.load_profile("suite")

# What switches off the limits on how often one address may sign in, refresh or have a password checked.
WITHOUT_LIMITS = dict.fromkeys(
    ("GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT", "SIGN_UP_RATE", "REFRESH_RATE", "PASSWORD_CHECK_RATE")
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts servers comes first. It takes longest, and the last files should be short, so that no core is idle
    while another still works on a long one."""
    long = {item.path for item in items if "start_server" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """What was imported stays, so the garbage collector need not look through it again and again: that was a seventh of
    the work."""
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """SQLite's tests get a file: in memory, its shared cache would ignore the busy timeout."""
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
    else:
        # As the README says to create it; a server's own default may be latin1.
        database["TEST"]["CHARSET"] = "utf8mb4"


@pytest.fixture(scope="session", autouse=True)
def _every_answer_is_as_described() -> Iterator[None]:
    """Whatever a test is about, the server keeps to what /openapi.json says of it, a real one too."""
    request, new_client = APIClient.request, live.Server.client

    def checked(client: APIClient, **environ: Any) -> Any:
        answer = request(client, **environ)
        if settings.ROOT_URLCONF == "authproject.urls":
            _check(environ["REQUEST_METHOD"], environ["PATH_INFO"], answer, settings.TOKEN_DELIVERY)
        return answer

    def client_that_checks(server: live.Server, **options: Any) -> httpx.Client:
        def check(answer: httpx.Response) -> None:
            answer.read()
            sent = answer.request
            _check(sent.method, sent.url.path, answer, server.environment.get("TOKEN_DELIVERY", "body"))

        return new_client(server, event_hooks={"response": [check]}, **options)

    with patch.object(APIClient, "request", checked), patch.object(live.Server, "client", client_that_checks):
        yield


def _check(method: str, path: str, answer: Any, delivery: str) -> None:
    if said := complaint(method, path, answer, delivery):
        pytest.fail(f"{method} {path} is not as described: {said}")


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_swept_by_chance() -> Iterator[None]:
    """A test that says how many queries or rows there are must not be wrong one time in a hundred."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DatabaseStore, "SWEEPS_ONE_IN", 10**9)
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_looked_for_once() -> Iterator[None]:
    """Each test client puts the middlewares together anew, and WhiteNoise would look at every file of the admin and of
    Swagger UI again: that took longer than most tests."""
    look, found = WhiteNoiseMiddleware.add_files_from_finders, dict[str, Any]()

    def once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with patch.object(WhiteNoiseMiddleware, "add_files_from_finders", once):
        yield


@pytest.fixture(scope="session", autouse=True)
def _hashes_are_quick() -> Iterator[None]:
    """A real one takes 20 ms, and most tests make a few on the way to what they are about."""
    _, *others = settings.PASSWORD_HASHERS
    with override_settings(PASSWORD_HASHERS=["tests.quick_hasher.QuickHasher", *others]):
        yield


@pytest.fixture
def real_hashes(settings: Settings) -> None:
    """As the server makes them, for tests that look at them."""
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS


@pytest.fixture
def without_limits(settings: Settings) -> None:
    """For tests that do by the hundred what an address may do now and then."""
    for name, value in WITHOUT_LIMITS.items():
        setattr(settings, name, value)


@pytest.fixture
def key_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SIGNING_KEY_DIR, which is looked at for each token; still empty."""
    folder = tmp_path / "keys"
    folder.mkdir()
    settings.SIGNING_KEY_DIR = folder
    monkeypatch.setattr(keys, "RELOAD_AFTER", 0)
    return folder


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., live.Server]]:
    """Starts the real server, in several processes, on a free port and with a database of its own."""
    servers: list[live.Server] = []

    def start(program: tuple[str, ...] = live.AS_EVER, **environment: str) -> live.Server:
        servers.append(live.Server.start(tmp_path_factory.mktemp("server"), environment, program))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def server(start_server: Callable[..., live.Server]) -> live.Server:
    """The real server as it is out of the box."""
    return start_server()


@pytest.fixture(scope="session")
def redis_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer.start(tmp_path_factory.mktemp("redis"))
    yield server
    server.go_away()


@pytest.fixture
def redis_server(redis_of_the_run: RedisServer) -> RedisServer:
    """A real Redis, empty."""
    redis_of_the_run.client().flushall()
    return redis_of_the_run


@pytest.fixture
def redis_to_break(tmp_path: Path) -> Iterator[RedisServer]:
    """A real Redis for one test alone, which may end it and change its configuration."""
    server = RedisServer.start(tmp_path)
    yield server
    server.go_away()
