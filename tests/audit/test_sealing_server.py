"""The real server seals by itself."""

import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from accounts import sealing
from accounts.models import AuditEntry, AuditSeal
from authproject import sealer
from tests.conftest import PASSWORD
from tests.live import Server, unless_busy


@pytest.fixture(scope="module")
def sealing_server(start_server: Callable[..., Server]) -> Server:
    server = start_server(AUDIT_SEAL_INTERVAL="1")
    server.manage("create_user", "chief", "chief@example.com", "--role", "admin", stdin=f"{PASSWORD}\n")
    return server


def entries(server: Server, query: str) -> list[dict[str, Any]]:
    with server.client() as http:
        body = {"username": "chief", "password": PASSWORD}
        token = http.post("/api/auth/signin", json=body).json()["accessToken"]
        return http.get(f"/api/audit?pageSize=100&{query}", headers={"x-access-token": token}).json()["results"]


def test_50_sign_ins_at_once_while_two_sealers_run_leave_50_entries_and_a_whole_trail(sealing_server: Server) -> None:
    with sealing_server.client() as http, ThreadPoolExecutor(22) as pool:
        crowd = {"username": "crowd", "email": "crowd@example.com", "password": PASSWORD}
        http.post("/api/auth/signup", json=crowd)
        sealers = [pool.submit(lambda: [sealing_server.manage("seal_audit") for _ in range(3)]) for _ in range(2)]
        sign_in = partial(http.post, "/api/auth/signin", json=crowd)
        answers = list(pool.map(lambda _: unless_busy(sign_in), range(50)))
        assert all(sealer.result() for sealer in sealers)
    [number] = {answer.json()["id"] for answer in answers}
    assert len(entries(sealing_server, f"action=signed_in&subject={number}")) == 50
    assert sealing_server.manage("verify_audit") == "The audit trail is whole.\n"


def test_the_server_seals_at_intervals(sealing_server: Server) -> None:
    [newest, *_] = entries(sealing_server, "action=signed_in")
    deadline = monotonic() + 15
    while monotonic() < deadline:
        [now] = [entry for entry in entries(sealing_server, "action=signed_in") if entry["id"] == newest["id"]]
        if now["sealed"]:
            return
        sleep(0.3)
    pytest.fail(f"not sealed: {now}\n{sealing_server.log.read_text()}")


def test_verify_audit_fails_and_names_what_was_edited(sealing_server: Server) -> None:
    edit = "from accounts.models import *; AuditEntry.objects.filter(subject_id=1, action='account_created').update({})"
    sealing_server.manage("shell", "-c", edit.format("via='admin'"))
    with pytest.raises(subprocess.CalledProcessError) as failed:
        sealing_server.manage("verify_audit")
    sealing_server.manage("shell", "-c", edit.format("via='command'"))
    [edited] = entries(sealing_server, "action=account_created")
    assert failed.value.returncode == 1
    assert failed.value.stdout.endswith(f"entry {edited['id']}\n")


def in_thread(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_round_that_fails_is_logged_and_does_not_end_the_sealer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: timedelta) -> bool:
        raise OperationalError("gone away")

    monkeypatch.setattr(sealing, "sealed_within", fail)
    in_thread(lambda: sealer.seal_if_due(timedelta(seconds=1)))
    assert ["could not be sealed" in line for line in caplog.messages] == [True]


def test_a_round_leaves_no_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Any] = []
    monkeypatch.setattr(sealing, "seal", connection.ensure_connection)

    def round_() -> None:
        sealer.seal_if_due(timedelta(seconds=1))
        left.append(connection.connection)

    in_thread(round_)
    assert left == [None]


def test_one_seal_in_an_interval_is_enough(sealed: list[AuditEntry]) -> None:
    assert sealing.sealed_within(timedelta(minutes=1))
    assert not sealing.sealed_within(timedelta(0))


def test_a_seal_from_the_future_does_not_stop_the_sealers(sealed: list[AuditEntry]) -> None:
    AuditSeal.objects.update(sealed_at=timezone.now() + timedelta(days=1))
    assert not sealing.sealed_within(timedelta(minutes=1))


@pytest.mark.parametrize(("interval", "threads"), [(0, []), (60, [60])])
def test_the_server_seals_only_if_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, interval: int, threads: list[int]
) -> None:
    started: list[int] = []
    monkeypatch.setattr(sealer, "_run", started.append)
    settings.AUDIT_SEAL_INTERVAL = interval
    sealer.start()
    assert started == threads
