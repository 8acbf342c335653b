"""`python -m authproject.serve`: checks the settings, then becomes the application server (granian). With `--migrate`
it migrates the database in between, for who starts one copy: another process would take the better part of a second.
"""

import os
import socket
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from structlog import get_logger

from authproject import affinity, processor

log = get_logger("authproject.serve")
# Seconds for the requests at hand, some of which may wait their turn (accounts/turns.py); process managers wait for
# ten before they kill.
STOP_WITHIN = 8
# How glibc is to keep memory, unless the environment says otherwise.
OF_GLIBC = {
    # With arenas each thread that once hashed a password would keep 19 MiB for the next; from a single one they all
    # take the same, without asking the system for it anew.
    "MALLOC_ARENA_MAX": "1",
    # In huge pages, where Linux gives them to who asks: a hash reads its 19 MiB in no order.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def main(application: str = "authproject.worker:application", *, migrate: bool = False) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authproject.settings")
    try:
        django.setup()
        from authproject import metrics  # its models need the setup

        BaseCommand().check()
        _refuse_numbers_out_of_range()
        if settings.PIN_WORKERS:
            _refuse_idle_cores()
        if migrate:
            call_command("migrate", verbosity=0)
        address = _free_address(settings.HOST, settings.PORT)
        path = processor.python_path(*processor.compiled_for_it())
        environment = {**OF_GLIBC, **metrics.environment(), **os.environ, "PYTHONPATH": path}
    except (ImproperlyConfigured, CommandError) as error:
        sys.exit(f"authproject: {error}")
    host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
    log.info("listening", environment=settings.ENVIRONMENT, url=f"http://{host}:{settings.PORT}")
    command = [sys.executable, "-m", "granian", *_options(address), application]
    os.execve(sys.executable, command, environment)  # noqa: S606


def _refuse_numbers_out_of_range() -> None:
    """granian would call them by the names of its own options."""
    for name, largest in (("PORT", 65_535), ("WORKERS", 1000), ("THREADS", 1000)):
        if not 1 <= getattr(settings, name) <= largest:
            raise CommandError(f"{name} must be from 1 to {largest}, but is {getattr(settings, name)}.")


def _refuse_idle_cores() -> None:
    try:
        cores = len(affinity.cores())
    except OSError as error:
        raise CommandError(f"PIN_WORKERS cannot be on: {error}.") from None
    if cores > settings.WORKERS:
        raise CommandError(
            f"PIN_WORKERS keeps each worker on one core, and there are {cores}: with WORKERS={settings.WORKERS} some "
            f"would be idle. Set WORKERS={cores}, or PIN_WORKERS=off."
        )


def _options(address: str) -> list[str]:
    return [
        *("--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--host", address, "--port", str(settings.PORT)),
        *("--workers", str(settings.WORKERS), "--blocking-threads", str(settings.THREADS)),
        # Else one worker that the kernel kills would end them all.
        "--respawn-failed-workers",
        # A client that never finishes its request must not keep the server from stopping.
        *("--workers-kill-timeout", str(STOP_WITHIN)),
        *("--log-level", "warning", "--log-config", str(settings.BASE_DIR / "authproject" / "granian.json")),
    ]


def _free_address(host: str, port: int) -> str:
    """The IP address of `host`, for granian knows no names. Raises CommandError if nothing can listen there: two
    granians can listen on one port (SO_REUSEPORT) and would share its requests unnoticed."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(f"cannot listen on HOST={host}, PORT={port}: {error}") from None
    return str(address[0])


if __name__ == "__main__":
    main(migrate="--migrate" in sys.argv[1:])
