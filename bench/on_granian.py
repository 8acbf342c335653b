"""`python -m bench.on_granian APPLICATION` serves another application as authproject.serve does its own: the same
granian with the same options, those from WORKERS, THREADS and PORT too."""

import os
import sys

import django

from authproject import serve


def main(application: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "authproject.settings"
    django.setup()
    options = serve._options("127.0.0.1")
    # Reading it would set Django up in each worker, with our settings and not with the application's.
    at = options.index("--log-config")
    del options[at : at + 2], os.environ["DJANGO_SETTINGS_MODULE"]
    os.execv(sys.executable, [sys.executable, "-m", "granian", *options, application])


if __name__ == "__main__":
    main(sys.argv[1])
