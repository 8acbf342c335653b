"""The real server for measurements: `script/server`'s processes on a database of their own, without rate limits."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["DJANGO_SETTINGS_MODULE"] = "authproject.settings"
os.environ.setdefault("ENV_FILE", os.devnull)

from tests.live import Server

# The variables that switch off what would refuse hundreds of sign-ins from one address.
NO_LIMITS = dict.fromkeys(
    ("GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT", "SIGN_UP_RATE", "PASSWORD_CHECK_RATE"), "off"
)


@contextmanager
def started(**variables: str) -> Iterator[Server]:
    with TemporaryDirectory() as folder:
        server = Server.start(Path(folder), {**NO_LIMITS, **variables})
        try:
            yield server
        finally:
            server.stop()
