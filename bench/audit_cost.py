"""What the audit trail costs: `python -m bench.audit_cost`, and again under `python -m tests.mariadb`.

One process signs the same user in through Django's request handling, with and without the record call, in rounds
that take turns; then it writes 10,000 entries and asks the database how much room they take.
"""

import sys
import time
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

from bench.in_process import Cost, compare, per_call, with_database

ROUNDS, SIGN_INS, ENTRIES = 120, 8, 10_000
DEVICE = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
PASSWORD = "correct horse battery"


def measure() -> None:
    from django.db import connection
    from rest_framework.test import APIClient

    from accounts.models import Actor
    from accounts.services import create_user, signing

    create_user(username="alice", email="alice@example.com", password=PASSWORD, by=Actor())
    client = APIClient(SERVER_NAME="localhost", REMOTE_ADDR="192.0.2.1", headers={"user-agent": DEVICE})

    def sign_in() -> None:
        body = {"username": "alice", "password": PASSWORD}
        assert client.post("/api/auth/signin", body, format="json").status_code == 200

    def silent(*_: Any, **__: Any) -> None:
        return None

    with_record: list[Cost] = []
    without: list[Cost] = []
    per_call(sign_in, 10)
    for _ in range(ROUNDS):
        for results, replaced in ((with_record, nullcontext()), (without, patch.object(signing, "record", silent))):
            with replaced:
                results.append(per_call(sign_in, SIGN_INS))
    print(f"{connection.vendor}, {ROUNDS} rounds of {SIGN_INS} sign-ins each way; medians")
    compare("a sign-in", with_record, without)
    storage()


def storage() -> None:
    from django.db import connection, transaction

    from accounts import sealing
    from accounts.models import Action, Actor, AuditEntry, new_id

    AuditEntry.objects.all().delete()
    by = Actor(via="api", address="192.0.2.1", user_agent=DEVICE)
    cpu, clock = time.process_time(), time.perf_counter()
    with transaction.atomic():
        for number in range(ENTRIES):
            AuditEntry.objects.record(Action.SIGNED_IN, by=by, subject_id=number % 500, session=str(new_id()))
    print(f"  record alone, in one transaction: {(time.process_time() - cpu) / ENTRIES * 1000:.3f} ms CPU")
    print(f"  bytes per entry before sealing: {bytes_of('accounts_auditentry') / ENTRIES:.0f}")
    for name, work in (("sealing", sealing.seal), ("verifying", lambda: list(sealing.verify()))):
        clock = time.perf_counter()
        work()
        print(f"  {name} {ENTRIES} entries: {time.perf_counter() - clock:.2f} s")
    tables = {name: bytes_of(f"accounts_{name}") / ENTRIES for name in ("auditentry", "auditseal")}
    print(f"  bytes per entry, sealed: {tables['auditentry']:.0f} and {tables['auditseal']:.0f} in its seal")
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()" if connection.vendor == "mysql" else "SELECT sqlite_version()")
        print(f"  {cursor.fetchone()[0]}, Python {sys.version.split()[0]}")


def bytes_of(table: str) -> int:
    """Data and indexes, as the database has allocated them."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
            cursor.execute(
                "SELECT data_length + index_length FROM information_schema.tables "
                "WHERE table_schema = DATABASE() AND table_name = %s",
                [table],
            )
        else:
            cursor.execute(
                "SELECT SUM(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = %s)",
                [table],
            )
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    with_database(measure)
