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
        attempt = 1
        while True:
            try:
                return write(*args, **kwargs)
            except OperationalError as error:
                asked = bool(error.args) and error.args[0] in _TRY_AGAIN and not connection.in_atomic_block
                if not asked or attempt == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, LONGEST_PAUSE * attempt))  # noqa: S311
                attempt += 1

    return run
