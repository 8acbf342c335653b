"""Where tries are counted: the database or a Redis, and the one while the other is away."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts import counters, counters_in_redis
from accounts.counters import DatabaseStore, Kept, Seen, Store, Tallies
from accounts.counters_in_redis import RedisOrDatabase, RedisStore
from accounts.errors import TooManyRequests
from accounts.models import Counter
from accounts.rates import Tally
from tests import live
from tests.redis_server import RedisServer

NOON = datetime(2026, 11, 23, 12, 0, 0, 123_457, tzinfo=UTC)
SOON = timedelta(hours=1)
AT_ONCE, EACH = 20, 5
as_other_threads_see_it = pytest.mark.django_db(transaction=True)
pytestmark = pytest.mark.django_db


@pytest.fixture(params=["database", "redis"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the two."""
    if request.param == "redis":
        return RedisStore(request.getfixturevalue("redis_server").url)
    return DatabaseStore()


def tally(level: float = 0) -> Tally:
    now = timezone.now()
    return Tally(level, now, now)


def keep(store: Store, key: str, tally: Tally, until: datetime | None = None) -> None:
    store.swap([key], lambda _: {key: Kept(tally, until or timezone.now() + SOON)})


def count(store: Store, *keys: str) -> None:
    """One more for each of them, in one swap."""

    def change(tallies: Tallies) -> dict[str, Kept]:
        new = {key: replace(tallies.get(key, tally()), level=levels(tallies, key) + 1) for key in keys}
        return {key: Kept(each, timezone.now() + SOON) for key, each in new.items()}

    store.swap(list(keys), change)


def levels(tallies: Tallies, key: str) -> float:
    return tallies[key].level if key in tallies else 0


def read(store: Store, *keys: str) -> Tallies:
    """What is kept under these keys."""
    seen: list[Tallies] = []

    def look(tallies: Tallies) -> dict[str, Kept]:
        seen.append(dict(tallies))
        return {}

    store.swap(list(keys), look)
    return seen[-1]


# --- one swap


def test_a_key_under_which_nothing_is_kept_has_no_tally(store: Store) -> None:
    assert read(store, "new") == {}


@pytest.mark.parametrize("familiar_until", [None, NOON + SOON], ids=["not familiar", "familiar"])
def test_what_is_kept_is_found_again_to_the_last_digit(store: Store, familiar_until: datetime | None) -> None:
    exact = Tally(10.1 + 1 / 3, NOON, NOON + timedelta(microseconds=1), familiar_until)
    keep(store, "key", exact)
    keep(store, "key", exact)
    assert read(store, "key") == {"key": exact}


def test_several_keys_change_together(store: Store) -> None:
    count(store, "b")
    count(store, "b", "a", "c")
    assert {key: each.level for key, each in read(store, "a", "b", "c", "d").items()} == {"a": 1, "b": 2, "c": 1}


def test_what_a_change_leaves_out_stays_as_it_is(store: Store) -> None:
    count(store, "a", "b")
    store.swap(["a", "b"], lambda tallies: {"a": Kept(replace(tallies["a"], level=9), timezone.now() + SOON)})
    assert [read(store, "a", "b")[key].level for key in ("a", "b")] == [9, 1]


def test_a_change_that_raises_changes_nothing_and_what_it_raises_is_raised(store: Store) -> None:
    def refuse(tallies: Tallies) -> dict[str, Kept]:
        raise LookupError

    count(store, "a")
    with pytest.raises(LookupError):
        store.swap(["a", "b"], refuse)
    assert {key: each.level for key, each in read(store, "a", "b").items()} == {"a": 1}


@pytest.mark.parametrize("kept_before", [True, False], ids=["an old key", "a new key"])
def test_what_is_put_replaces_whatever_is_kept(store: Store, kept_before: bool) -> None:
    if kept_before:
        count(store, "key")
    store.put("key", Kept(tally(7), timezone.now() + SOON))
    assert read(store, "key")["key"].level == 7


def test_a_swap_sees_what_was_put_between_its_reading_and_its_writing(store: Store) -> None:
    asked: list[float] = []

    def change(tallies: Tallies) -> dict[str, Kept]:
        asked.append(levels(tallies, "key"))
        if len(asked) == 1:
            store.put("key", Kept(tally(7), timezone.now() + SOON))
        return {"key": Kept(tally(levels(tallies, "key") + 1), timezone.now() + SOON)}

    count(store, "key")
    store.swap(["key"], change)
    assert (asked, read(store, "key")["key"].level) == ([1, 7], 8)


def test_a_look_finds_what_is_kept_under_up_to_three_keys(store: Store) -> None:
    count(store, "a", "b", "c", "d")
    assert [sorted(store.look(keys).tallies) for keys in (["a"], ["a", "x"], ["c", "a", "b"])] == [
        ["a"],
        ["a"],
        ["a", "b", "c"],
    ]


def test_a_swap_of_what_was_just_seen_goes_on_from_there(store: Store) -> None:
    count(store, "key")
    seen: list[Tallies] = []

    def change(tallies: Tallies) -> dict[str, Kept]:
        seen.append(tallies)
        return {"key": Kept(tally(9), timezone.now() + SOON)}

    looked = store.look(["other", "key"])
    store.swap(["key"], change, looked)
    assert (seen, read(store, "key")["key"].level) == ([looked.tallies], 9)


def test_a_swap_of_what_was_seen_before_another_changed_it_goes_on_from_what_is_kept(store: Store) -> None:
    count(store, "key")
    looked = store.look(["key"])
    someone_else_changes(store, "key")
    store.swap(["key"], lambda tallies: {"key": Kept(tally(levels(tallies, "key") + 1), timezone.now() + SOON)}, looked)
    assert read(store, "key")["key"].level == 8


def test_a_swap_of_what_a_redis_saw_that_is_away_by_now_goes_on_from_what_the_database_keeps() -> None:
    database = DatabaseStore()
    database.put("key", Kept(tally(3), timezone.now() + SOON))
    database.swap(
        ["key"],
        lambda tallies: {"key": Kept(tally(levels(tallies, "key") + 1), timezone.now() + SOON)},
        Seen({"key": tally(99)}, {}),
    )
    assert read(database, "key")["key"].level == 4


def someone_else_changes(store: Store, key: str) -> None:
    """As another server would, between the reading and the writing of a swap."""
    if isinstance(store, RedisStore):
        store.redis.set(f"{store.PREFIX}{key}", counters_in_redis._dumped(tally(7)))
    else:
        Counter.objects.update_or_create(
            key=key, defaults={**vars(tally(7)), "expires_at": timezone.now() + SOON, "version": uuid4()}
        )


@pytest.mark.parametrize("kept_before", [True, False], ids=["an old key", "a new key"])
def test_a_swap_during_which_another_came_between_is_done_again(store: Store, kept_before: bool) -> None:
    asked: list[Tallies] = []

    def change(tallies: Tallies) -> dict[str, Kept]:
        asked.append(dict(tallies))
        if len(asked) == 1:
            someone_else_changes(store, "key")
        return {"key": Kept(tally(1), timezone.now() + SOON)}

    if kept_before:
        count(store, "key")
    store.swap(["other", "key"], change)
    assert (len(asked), read(store, "key")["key"].level) == (2, 1)


def test_a_swap_that_never_gets_through_asks_to_come_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(tallies: Tallies) -> dict[str, Kept]:
        someone_else_changes(store, "key")
        return {"key": Kept(tally(1), timezone.now() + SOON)}

    monkeypatch.setattr(counters, "ROUNDS", 3)
    with pytest.raises(TooManyRequests) as refused:
        store.swap(["key"], change)
    assert refused.value.retry_after == 1


# --- many at once


def all_at_once(call: Callable[[int], None]) -> None:
    def in_a_thread(number: int) -> None:
        try:
            call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(in_a_thread, range(AT_ONCE)))


@as_other_threads_see_it
def test_threads_that_count_the_same_new_keys_at_once_lose_no_count(store: Store) -> None:
    def several(_: int) -> None:
        for _ in range(EACH):
            count(store, "a", "b", "c")

    all_at_once(several)
    assert [each.level for each in read(store, "a", "b", "c").values()] == [AT_ONCE * EACH] * 3


@as_other_threads_see_it
def test_threads_that_count_overlapping_keys_in_any_order_lose_no_count(store: Store) -> None:
    keys = ["a", "b", "c", "d"]

    def several(number: int) -> None:
        for step in range(EACH):
            first = (number + step) % 4
            count(store, keys[first], keys[first - 1], f"own {number} {step}")

    all_at_once(several)
    assert [each.level for each in read(store, *keys).values()] == [AT_ONCE * EACH / 2] * 4


@as_other_threads_see_it
def test_of_the_first_counts_of_a_key_at_once_none_is_lost(store: Store) -> None:
    for key in ("k1", "k2", "k3", "k4", "k5"):
        all_at_once(lambda _: count(store, key))  # noqa: B023
    assert {each.level for each in read(store, "k1", "k2", "k3", "k4", "k5").values()} == {AT_ONCE}


@as_other_threads_see_it
def test_sweeping_while_others_count_loses_no_count(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DatabaseStore, "SWEEPS_ONE_IN", 1)

    def several(number: int) -> None:
        for step in range(EACH):
            keep(store, f"old {number} {step}", tally(), until=timezone.now() - SOON)
            count(store, "a", "b")

    all_at_once(several)
    assert [each.level for each in read(store, "a", "b").values()] == [AT_ONCE * EACH] * 2


IN_A_PROCESS = """
import sys, django
django.setup()
from tests.test_counters import count
from accounts.counters import store
print("ready", flush=True)
sys.stdin.readline()
for _ in range(25):
    count(store(), "a", "b")
"""
LOOK = """
import json, django
django.setup()
from tests.test_counters import read
from accounts.counters import store
print(json.dumps([each.level for each in read(store(), "a", "b").values()]))
"""


@pytest.mark.parametrize("where", ["database", "redis"])
def test_processes_that_count_at_once_lose_no_count(
    server: live.Server, where: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("redis_server").url if where == "redis" else ""
    environment = {**server.environment, "DJANGO_SETTINGS_MODULE": "authproject.settings", "CACHE_URL": url}
    python = partial(
        subprocess.Popen, cwd=live.ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    counting = [python([sys.executable, "-c", IN_A_PROCESS]) for _ in range(4)]
    assert [process.stdout.readline() for process in counting if process.stdout] == ["ready\n"] * 4
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda process: process.communicate("go\n", timeout=60), counting))
    said, _ = python([sys.executable, "-c", LOOK]).communicate(timeout=60)
    assert ([process.returncode for process in counting], json.loads(said)) == ([0] * 4, [100, 100])


# --- forgetting


@pytest.mark.parametrize("hours", [-9000, 9000], ids=["behind", "ahead"])
def test_a_redis_with_another_clock_forgets_no_sooner_and_no_later(redis_server: RedisServer, hours: int) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours), tick=False):
        keep(RedisStore(redis_server.url), "key", tally(), until=timezone.now() + timedelta(seconds=100))
    assert 90 < int(redis_server.client().ttl("authproject:key")) <= 101


def test_what_has_run_out_is_gone_from_redis_in_a_moment(redis_server: RedisServer) -> None:
    keep(RedisStore(redis_server.url), "key", tally(), until=timezone.now() - SOON)
    assert int(redis_server.client().pttl("authproject:key")) <= 1


def test_a_sweep_removes_from_the_database_what_has_run_out_and_nothing_else() -> None:
    store = DatabaseStore()
    with time_machine.travel(NOON, tick=False):
        for name, until in (("past", -SOON), ("now", timedelta(0)), ("to come", SOON)):
            keep(store, name, tally(), until=NOON + until)
        store.sweep(NOON)
    assert set(Counter.objects.values_list("key", flat=True)) == {"now", "to come"}


@pytest.mark.django_db(transaction=True)
def test_now_and_then_a_count_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DatabaseStore, "SWEEPS_ONE_IN", 1)
    keep(DatabaseStore(), "old", tally(), until=timezone.now() - SOON)
    count(DatabaseStore(), "new")
    assert set(Counter.objects.values_list("key", flat=True)) == {"new"}


def test_a_count_in_somebodys_transaction_does_not_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose rows it would keep from others for longer; and what befalls a sweep must not undo the rest."""
    monkeypatch.setattr(DatabaseStore, "SWEEPS_ONE_IN", 1)
    keep(DatabaseStore(), "old", tally(), until=timezone.now() - SOON)
    with transaction.atomic():
        count(DatabaseStore(), "new")
    assert set(Counter.objects.values_list("key", flat=True)) == {"old", "new"}


def test_a_sweep_takes_no_more_than_a_bite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DatabaseStore, "SWEEP", 2)
    for number in range(5):
        keep(DatabaseStore(), f"old {number}", tally(), until=timezone.now() - SOON)
    DatabaseStore().sweep(timezone.now())
    assert Counter.objects.count() == 3


def test_a_sweep_that_fails_neither_fails_the_count_nor_has_it_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def deadlock(*_: object) -> None:
        raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")

    monkeypatch.setattr(DatabaseStore, "SWEEPS_ONE_IN", 1)
    monkeypatch.setattr(DatabaseStore, "sweep", deadlock)
    count(DatabaseStore(), "key")
    assert read(DatabaseStore(), "key")["key"].level == 1


# --- a Redis that is away


def level_in_database(key: str = "key") -> float | None:
    return Counter.objects.filter(key=key).values_list("level", flat=True).first()


def level_in_redis(server: RedisServer) -> float:
    return levels(read(RedisStore(server.url), "key"), "key")


def test_where_redis_answers_it_counts_and_not_the_database(redis_server: RedisServer) -> None:
    count(RedisOrDatabase(redis_server.url), "key")
    assert (level_in_redis(redis_server), level_in_database()) == (1, None)


def test_where_no_redis_is_the_database_counts() -> None:
    count(RedisOrDatabase(f"redis://127.0.0.1:{live.free_port()}/0"), "key")
    assert level_in_database() == 1


def test_a_redis_that_goes_away_and_comes_back_counts_again(
    redis_to_break: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisOrDatabase, "NOT_ASKED_FOR", 0)
    store = RedisOrDatabase(redis_to_break.url)
    count(store, "key")
    redis_to_break.go_away()
    count(store, "key")
    redis_to_break.come_back()
    count(store, "key")
    assert (level_in_redis(redis_to_break), level_in_database()) == (1, 1)


def test_a_connection_that_broke_meanwhile_is_made_again(redis_server: RedisServer) -> None:
    store = RedisOrDatabase(redis_server.url)
    count(store, "key")
    redis_server.client().client_kill_filter(_type="normal", skipme=True)
    count(store, "key")
    assert (level_in_redis(redis_server), level_in_database()) == (2, None)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("CONFIG", "SET", "maxmemory", "1"), id="out of memory"),
        pytest.param(("REPLICAOF", "127.0.0.1", "1"), id="read-only"),
        pytest.param(("CONFIG", "SET", "requirepass", "another"), id="wants a password"),
    ],
)
def test_a_redis_that_answers_with_an_error_leaves_it_to_the_database(
    redis_to_break: RedisServer, command: tuple[str, ...]
) -> None:
    redis_to_break.client().execute_command(*command)  # type: ignore[no-untyped-call]
    count(RedisOrDatabase(redis_to_break.url), "key")
    assert level_in_database() == 1


def test_a_wrong_password_of_redis_leaves_it_to_the_database_and_reaches_no_log(
    redis_to_break: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis_to_break.client().config_set("requirepass", "another")
    count(RedisOrDatabase(redis_to_break.url.replace("//", "//:hunter2@")), "key")
    assert (level_in_database(), "hunter2" in caplog.text) == (1, False)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections, and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening


def test_a_redis_that_takes_connections_and_never_answers_leaves_it_to_the_database(silent: socket.socket) -> None:
    count(RedisOrDatabase(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"), "key")
    assert level_in_database() == 1


def test_a_redis_that_did_not_answer_is_let_be_for_a_while_and_that_is_said_once(
    redis_to_break: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisOrDatabase, "NOT_ASKED_FOR", 1e9)
    store = RedisOrDatabase(redis_to_break.url)
    redis_to_break.go_away()
    count(store, "key")
    redis_to_break.come_back()
    count(store, "key")
    assert (level_in_redis(redis_to_break), level_in_database()) == (0, 2)
    assert caplog.messages == ["Redis does not answer (ConnectionError): the database counts instead"]
