"""Seals the audit trail at intervals, in a thread of each server process that loads the application.

Threads do not survive a fork: a server that loads first and forks then (gunicorn --preload) needs cron instead.
"""

import logging
import random
import time
from datetime import timedelta
from threading import Thread

from django.conf import settings
from django.db import connections

from accounts import sealing

log = logging.getLogger(__name__)


def start() -> None:
    """Does nothing where AUDIT_SEAL_INTERVAL is 0."""
    if settings.AUDIT_SEAL_INTERVAL > 0:
        Thread(target=_run, args=(settings.AUDIT_SEAL_INTERVAL,), name="audit-sealer", daemon=True).start()


def _run(interval: int) -> None:
    # So that the processes, started at the same moment, do not go on in step.
    time.sleep(random.uniform(0, interval))  # noqa: S311
    while True:
        seal_if_due(timedelta(seconds=interval))
        time.sleep(interval)


def seal_if_due(interval: timedelta) -> None:
    """One round; it never raises, so that the next one comes. One seal in an interval is enough for all processes
    together."""
    try:
        try:
            if not sealing.sealed_within(interval):
                sealing.seal()
        finally:
            # The next round comes after the database's patience with an idle connection.
            connections.close_all()
    except Exception:
        log.exception("The audit trail could not be sealed; the next try is in %s.", interval)
