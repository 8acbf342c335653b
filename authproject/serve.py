"""`python -m authproject.serve`: checks the settings, then becomes the application server (granian)."""

import os
import socket
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authproject.settings")
    try:
        django.setup()
        BaseCommand().check()
        _refuse_taken_port(settings.HOST, settings.PORT)
    except (ImproperlyConfigured, CommandError) as error:
        sys.exit(f"authproject: {error}")
    print(f"authproject ({settings.ENVIRONMENT}): http://{settings.HOST}:{settings.PORT}", flush=True)
    command = [sys.executable, "-m", "granian", *_options(), "authproject.wsgi:application"]
    os.execv(sys.executable, command)  # noqa: S606


def _options() -> list[str]:
    return [
        *("--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--host", settings.HOST, "--port", str(settings.PORT)),
        *("--workers", str(settings.WORKERS), "--blocking-threads", str(settings.THREADS)),
        *("--log-level", "warning"),
    ]


def _refuse_taken_port(host: str, port: int) -> None:
    """Two granians can listen on one port (SO_REUSEPORT) and would share its requests unnoticed."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(address[0], address[1]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address[4])
    except (OSError, OverflowError) as error:
        raise CommandError(f"cannot listen on HOST={host}, PORT={port}: {error}") from None


if __name__ == "__main__":
    main()
