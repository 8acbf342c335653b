"""/metrics: what all workers of this copy have counted, in Prometheus' format, for who holds METRICS_TOKEN."""

import os
import tempfile
from functools import cache
from pathlib import Path
from shutil import rmtree
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpResponse
from django.utils.crypto import constant_time_compare
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from accounts import authentication, metrics
from accounts.errors import InvalidToken
from accounts.models import Session
from accounts.serializers.answers import Error

# Where prometheus_client looks for the folder in which the workers of one copy keep their numbers.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "authproject-metrics-"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
REQUEST_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
HASH_SECONDS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2)
WORDS = {
    metrics.SIGN_INS: "Sign-ins, the Django admin's too",
    metrics.SIGN_UPS: "Sign-ups",
    metrics.REFRESHES: "Refreshes",
    metrics.REVOKED: "Sessions that were ended before they ran out",
    metrics.RETRIES: "Times that the database was asked again",
}
OUTCOMES = {**metrics.OUTCOMES, metrics.REVOKED: Session.Reason.values}
LABELS = {metrics.REVOKED: "reason", metrics.RETRIES: "cause"}


class Prometheus:
    """The numbers of this process. Labels are routes and words of ours, never anything that a caller made up."""

    def __init__(self) -> None:
        # Here, because most do without, and would pay for it at each start.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"namespace": "authproject", "registry": self.registry}
        requests = Histogram(
            "request_seconds", "Requests", ["method", "route", "status"], buckets=REQUEST_SECONDS, **own
        )
        self._requests = cache(requests.labels)
        self._counters = {what: Counter(what, WORDS[what], [LABELS.get(what, "outcome")], **own) for what in WORDS}
        for what, counter in self._counters.items():
            for outcome in OUTCOMES[what]:
                counter.labels(outcome)  # is 0 from the start
        self._hashes = Histogram("hash_seconds", "Work on one password", buckets=HASH_SECONDS, **own)
        self._in_line = Gauge("passwords_in_line", "Who waits for a turn", multiprocess_mode="livesum", **own)

    def request(self, method: str | None, route: str | None, status: int, seconds: float) -> None:
        known = method if method in METHODS else "other"
        self._requests(known, route or "none", status).observe(seconds)

    def count(self, what: str, outcome: str, number: int) -> None:
        self._counters[what].labels(outcome).inc(number)

    def hashed(self, seconds: float) -> None:
        self._hashes.observe(seconds)

    def in_line(self, change: int) -> None:
        self._in_line.inc(change)

    def exposition(self) -> HttpResponse:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

        registry = self.registry
        if FOLDER in os.environ:
            _forget_who_waited_in_ended_workers(Path(os.environ[FOLDER]))
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _forget_who_waited_in_ended_workers(folder: Path) -> None:
    for path in folder.glob("gauge_live*_*.db"):
        if not _is_running(path.stem.rpartition("_")[2]):
            path.unlink(missing_ok=True)


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


prometheus: Prometheus | None = None


def start() -> None:
    """Does nothing where METRICS_TOKEN is not set."""
    global prometheus
    prometheus = Prometheus() if settings.METRICS_TOKEN else None
    metrics.tell(prometheus)


def environment() -> dict[str, str]:
    """For the server's process, whose workers then share a folder; what servers that have ended left is removed.
    Raises ImproperlyConfigured."""
    if not settings.METRICS_TOKEN or FOLDER in os.environ:
        return {}
    try:
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
            if left.stat().st_uid == os.getuid() and not _is_running(left.name.split("-")[2]):
                rmtree(left, ignore_errors=True)
        return {FOLDER: tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")}
    except OSError as error:
        raise ImproperlyConfigured(f"METRICS_TOKEN is set, and there is no room for the numbers: {error}") from None


class HoldsMetricsToken(BasePermission):
    """Where the setting has none, there is no such page. Raises Http404, InvalidToken."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if prometheus is None:
            raise Http404
        if not constant_time_compare(authentication.bearer(request), settings.METRICS_TOKEN):
            raise InvalidToken()
        return True


class MetricsViewSet(ViewSet):
    authentication_classes = []
    permission_classes = [HoldsMetricsToken]

    @extend_schema(
        auth=[{"metrics": []}],  # type: ignore[list-item]  # as in the document, whatever drf-spectacular calls it
        responses={(200, "text/plain"): str, 401: OpenApiResponse(Error), 404: OpenApiResponse(Error)},
    )
    def numbers(self, request: Request) -> HttpResponse:
        """Of all workers of this copy, those that have ended included."""
        assert prometheus
        return prometheus.exposition()
