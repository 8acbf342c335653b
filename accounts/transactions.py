"""Trying a write again when the database asks for it."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 5
LONGEST_PAUSE = 0.05  # seconds
# MySQL and MariaDB: a lock wait timed out (1205), a deadlock's victim (1213). The transaction was rolled back.
_TRY_AGAIN = {1205, 1213}


def retrying(write: Callable[P, T]) -> Callable[P, T]:
    """Decorates a function whose database work is one transaction: it is run again, up to ATTEMPTS times in
    all, when the database chose it as the victim. Inside somebody else's transaction only its owner can do that.
    """

    @wraps(write)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return write(*args, **kwargs)
            except OperationalError as error:
                if error.args[:1] not in {(code,) for code in _TRY_AGAIN} or connection.in_atomic_block:
                    raise
                if attempt == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, LONGEST_PAUSE * attempt))  # noqa: S311
        raise AssertionError("unreachable")

    return run
