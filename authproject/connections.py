"""When a database connection is asked whether it still stands: where it has not been used for a moment."""

from time import monotonic
from typing import Any

from django.core.signals import request_started
from django.db import connections
from django.dispatch import receiver

# Seconds. Django asks at each request, which takes one more round trip to the database.
SURELY = 5.0


@receiver(request_started)
def trust_what_was_used_lately(**kwargs: Any) -> None:
    """Called after Django's own receiver, which has closed what is too old or broke at its last use."""
    now = monotonic()
    connection: Any
    for connection in connections.all(initialized_only=True):
        if now - getattr(connection, "asked_at", 0.0) < SURELY:
            connection.health_check_done = True
        else:
            connection.asked_at = now
