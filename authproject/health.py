"""Whether this copy is alive, and whether it can serve: what proxies and process managers ask every few seconds."""

import time
from contextlib import closing
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, ChoiceField, Serializer
from rest_framework.viewsets import ViewSet

from accounts import counters
from accounts.connections import new
from accounts.serializers.answers import Message

# Seconds to connect to the database, and as many for each of its answers.
PATIENCE = 2
# Seconds for which what was found is told to all who ask: so nobody keeps the database busy with asking.
GOOD_FOR = 1.0
COME_BACK = 2  # seconds


class Checks(Serializer[Any]):
    database = ChoiceField(["ok", "away"])
    migrations = ChoiceField(["ok", "missing", "unknown"])
    cache = ChoiceField(["ok", "away", "unused"])


class Readiness(Serializer[Any]):
    message = CharField()
    checks = Checks()


class HealthViewSet(ViewSet):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(responses=Message)
    def live(self, request: Request) -> Response:
        """That this process answers. It asks nobody else: a restart would not help against what others lack."""
        return Response({"message": "Alive."})

    @extend_schema(responses={200: Readiness, 503: Readiness})
    def ready(self, request: Request) -> Response:
        """Whether requests can be served: 503 while the database does not answer or lacks migrations. A cache that
        is away is told and no more, because the database counts meanwhile."""
        checks = _checks.now()
        failed = [name for name in ("database", "migrations") if checks[name] != "ok"]
        if not failed:
            return Response({"message": "Ready.", "checks": checks})
        body = {"message": f"Not ready: {' and '.join(failed)}.", "checks": checks}
        response = Response(body, HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": str(COME_BACK)})
        # An answer, and no error of the server's, which Django would log.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


class _Checks:
    """What was found last. One of those who ask at once looks, with one connection, and the others wait for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[str, str] = {}
        self._good_until = 0.0

    def now(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._found = {**_database(), "cache": _cache()}
                self._good_until = time.monotonic() + GOOD_FOR
            return self._found


_checks = _Checks()


def _database() -> dict[str, str]:
    """By a connection of its own, so that those of the requests, and their patience, have no say."""
    with closing(_connection()) as connection:
        try:
            migrations = "ok" if _on_disk() <= _applied(connection) else "missing"
        except Error:
            return {"database": "away", "migrations": "unknown"}
    return {"database": "ok", "migrations": migrations}


def _connection() -> BaseDatabaseWrapper:
    connection = new().copy()
    if connection.vendor == "mysql":
        patience = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), PATIENCE)
        connection.settings_dict["OPTIONS"].update(patience)
    return connection


def _applied(connection: BaseDatabaseWrapper) -> set[tuple[str, str]]:
    """A few rows of a table, and not just a number: a node that has lost its cluster may still answer that."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            return set(cursor.fetchall())
    except Error:
        if MigrationRecorder(connection).has_table():
            raise
        return set()


@cache
def _on_disk() -> set[tuple[str, str]]:
    """Those of this version. The database may know of more: a newer version's leave the older one able to serve."""
    return set(MigrationLoader(None).disk_migrations)


def _cache() -> str:
    answers = counters.store().answers()
    return {True: "ok", False: "away", None: "unused"}[answers]
