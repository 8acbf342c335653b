"""POST /api/auth/refreshtoken: a refresh token in, its successors out; never a 401."""

import os
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import sessions, tokens
from accounts.models import Refreshable, Session, User
from accounts.tokens import Claims, RefreshToken, read

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]
UNKNOWN = (403, {"message": "Refresh token is not in database!"})
REQUIRED = (403, {"message": "Refresh Token is required!"})
EXPIRED = (403, {"message": "Refresh token was expired. Please make a new signin request"})


@pytest.fixture
def refresh(api: APIClient) -> Callable[[Any], tuple[int, dict[str, Any]]]:
    def refresh(token: Any) -> tuple[int, dict[str, Any]]:
        response = api.post("/api/auth/refreshtoken", {"refreshToken": token})
        return response.status_code, response.json()

    return refresh


Refresh = Callable[[Any], tuple[int, dict[str, Any]]]


@pytest.fixture
def first(make_user: MakeUser, sign_in: SignIn) -> str:
    """The refresh token of alice's sign-in."""
    make_user()
    return sign_in()["refreshToken"]


def test_answers_with_both_successors(api: APIClient, first: str, refresh: Refresh) -> None:
    status, body = refresh(first)
    assert (status, set(body)) == (200, {"accessToken", "refreshToken"})
    assert api.get("/api/test/user", headers={"x-access-token": body["accessToken"]}).status_code == 200


def test_no_cache_may_keep_the_tokens(api: APIClient, first: str) -> None:
    response = api.post("/api/auth/refreshtoken", {"refreshToken": first})
    assert response["Cache-Control"] == "no-store"


def test_each_successor_goes_on(first: str, refresh: Refresh) -> None:
    token = first
    for _ in range(5):
        status, body = refresh(token)
        assert status == 200
        token = body["refreshToken"]


def test_a_client_that_keeps_no_successors_is_answered_until_its_token_expires(
    make_user: MakeUser, sign_in: SignIn, refresh: Refresh
) -> None:
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        token = sign_in()["refreshToken"]
        for _ in range(23):
            clock.shift(3600)
            assert refresh(token)[0] == 200
        clock.shift(3600)
        assert refresh(token) == EXPIRED


def test_a_session_ends_however_often_it_is_refreshed(
    make_user: MakeUser, sign_in: SignIn, refresh: Refresh, settings: Settings
) -> None:
    settings.SESSION_LIFETIME = 3 * 86_400
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        token = sign_in()["refreshToken"]
        for _ in range(3):
            clock.shift(86_399)
            status, body = refresh(token)
            assert status == 200
            token = body["refreshToken"]
        clock.shift(3)
        assert refresh(token) == EXPIRED


def test_no_token_outlives_its_session(
    api: APIClient, make_user: MakeUser, sign_in: SignIn, settings: Settings
) -> None:
    settings.SESSION_LIFETIME = 60
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        token = sign_in()["accessToken"]
        clock.shift(60)
        response = api.get("/api/test/user", headers={"x-access-token": token})
    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized! Access Token was expired!"})


@pytest.mark.parametrize("token", [None, ""])
def test_a_missing_token_is_asked_for(refresh: Refresh, token: Any) -> None:
    assert refresh(token) == REQUIRED


def test_an_empty_body_is_asked_for_a_token(api: APIClient) -> None:
    response = api.post("/api/auth/refreshtoken")
    assert (response.status_code, response.json()) == REQUIRED


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", 7, True, ["x"], {"token": "x"}, "x" * 5000])
def test_a_malformed_token_is_unknown(refresh: Refresh, token: Any) -> None:
    assert refresh(token) == UNKNOWN


def test_an_access_token_is_no_refresh_token(make_user: MakeUser, sign_in: SignIn, refresh: Refresh) -> None:
    make_user()
    assert refresh(sign_in()["accessToken"]) == UNKNOWN


@pytest.mark.parametrize("ending", ["removed", "deactivated", "revoked", "session removed"])
def test_the_token_of_whoever_is_gone_is_unknown(first: str, refresh: Refresh, ending: str) -> None:
    user = User.objects.get()
    if ending == "removed":
        user.delete()
    elif ending == "deactivated":
        User.objects.update(is_active=False)
    elif ending == "revoked":
        user.sessions.update(revoked_at="2020-01-01T00:00Z")
    else:
        user.sessions.all().delete()
    assert refresh(first) == UNKNOWN


def test_an_expired_access_token_beside_it_is_ignored(api: APIClient, first: str) -> None:
    response = api.post("/api/auth/refreshtoken", {"refreshToken": first}, headers={"x-access-token": "a.b.c"})
    assert response.status_code == 200


def test_a_token_is_retired_when_its_successor_is_first_used(
    api: APIClient, first: str, refresh: Refresh, settings: Settings
) -> None:
    settings.REFRESH_TOKEN_GRACE = 0
    second = refresh(first)[1]["refreshToken"]
    third = refresh(second)[1]
    assert refresh(first) == UNKNOWN
    assert refresh(third["refreshToken"]) == UNKNOWN
    assert api.get("/api/test/user", headers={"x-access-token": third["accessToken"]}).status_code == 401
    assert Session.objects.get().revoked_reason == Session.Reason.TOKEN_REUSED


def test_within_the_grace_a_retired_token_is_a_late_tab(first: str, refresh: Refresh) -> None:
    refresh(refresh(first)[1]["refreshToken"])
    status, body = refresh(first)
    assert status == 200
    assert refresh(body["refreshToken"])[0] == 200


def test_a_thief_who_keeps_in_step_is_found_when_both_successors_are_used(
    make_user: MakeUser, sign_in: SignIn, refresh: Refresh
) -> None:
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        stolen = sign_in()["refreshToken"]
        owners = refresh(stolen)[1]["refreshToken"]
        clock.shift(60)
        thiefs = refresh(stolen)[1]["refreshToken"]
        clock.shift(60)
        assert refresh(owners)[0] == 200
        assert refresh(thiefs) == UNKNOWN
        assert refresh(owners) == UNKNOWN


def test_one_sessions_reuse_leaves_the_others_alone(
    sign_in: SignIn, first: str, refresh: Refresh, settings: Settings
) -> None:
    settings.REFRESH_TOKEN_GRACE = 0
    other = sign_in()["refreshToken"]
    refresh(refresh(first)[1]["refreshToken"])
    refresh(first)
    assert refresh(other)[0] == 200


def test_last_used_is_written_at_most_once_a_minute(make_user: MakeUser, sign_in: SignIn, refresh: Refresh) -> None:
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        token = sign_in()["refreshToken"]
        seen = []
        for _ in range(4):
            clock.shift(20)
            refresh(token)
            seen.append(Session.objects.get().last_used_at.timestamp() - 1_000_000)
    assert seen == [0, 0, 60, 60]


def test_a_live_session_never_looks_idle_before_its_newest_token_expires(
    make_user: MakeUser, sign_in: SignIn, refresh: Refresh
) -> None:
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        token = sign_in()["refreshToken"]
        clock.shift(59)
        token = refresh(token)[1]["refreshToken"]
        clock.shift(86_399)
        assert refresh(token)[0] == 200


def test_a_refresh_does_not_wait_for_ever_for_another_of_its_process(
    first: str, refresh: Refresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Lock()
    taken.acquire()
    monkeypatch.setattr(sessions, "_QUEUES", [taken])
    assert refresh(first)[0] == 200


@pytest.fixture
def twins(make_user: MakeUser, sign_in: SignIn, refresh: Refresh) -> Iterator[tuple[Claims, Claims]]:
    """Two successors of one token, issued a minute apart."""
    make_user()
    with time_machine.travel(1_000_000, tick=False) as clock:
        token = sign_in()["refreshToken"]
        owners = read(RefreshToken, refresh(token)[1]["refreshToken"])
        clock.shift(60)
        yield owners, read(RefreshToken, refresh(token)[1]["refreshToken"])


def swap(seen: Refreshable, claims: Claims) -> bool:
    """What a request does to the session that had read it like this."""
    return Session.objects.swap(seen, sessions._moved(seen, claims, timezone.now())._replace(refreshes=99))


def session_of(claims: Claims) -> Refreshable:
    found = Session.objects.live_one(session_id=claims.session_id, user_id=claims.user_id, now=timezone.now())
    assert found is not None
    return found


def test_of_two_twins_that_are_judged_at_once_only_one_is_confirmed(twins: tuple[Claims, Claims]) -> None:
    owners, thiefs = twins
    seen = session_of(owners)
    assert [swap(seen, claims) for claims in (owners, thiefs)] == [True, False]
    assert Session.objects.get().current_issued_at == owners.issued_at


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param({"generation": 1}, id="confirmed by a copy of the server that counts no refreshes yet"),
        pytest.param({"refreshes": 98}, id="refreshed with the same token"),
        pytest.param({"revoked_at": "2020-01-01T00:00Z"}, id="ended"),
    ],
)
def test_a_session_that_is_no_more_as_it_was_read_is_not_written(
    twins: tuple[Claims, Claims], meanwhile: dict[str, Any]
) -> None:
    seen = session_of(twins[0])
    Session.objects.update(**meanwhile)
    assert not swap(seen, twins[0])


def test_a_session_opened_by_a_copy_of_the_server_that_counts_no_refreshes_yet_is_refreshed(
    first: str, refresh: Refresh
) -> None:
    """As while a new version is brought in: the columns are there, and the version before names them nowhere."""
    before = MigrationExecutor(connection).loader.project_state(("accounts", "0007_indexes")).apps
    sessions_before = before.get_model("accounts", "Session").objects
    opened = sessions_before.values().get()
    Session.objects.all().delete()
    sessions_before.create(**opened)
    assert [refresh(first)[0] for _ in range(2)] == [200, 200]
    assert Session.objects.get().refreshes == 2


def test_processes_that_were_forked_give_tokens_other_ids() -> None:
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, tokens._jti.getrandbits(128).to_bytes(16, "big"))
        os._exit(0)
    os.waitpid(child, 0)
    assert int.from_bytes(os.read(reader, 16), "big") != tokens._jti.getrandbits(128)
