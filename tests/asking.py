"""What settings.py, the server and the checks say of an environment."""

import os
import runpy
import subprocess
import sys
import traceback
from typing import Any
from unittest.mock import patch

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from tests.live import ROOT

GOOD_KEY = "Tj0R1ZlYk3nqg5vWJ8wD2cXh7mB4sLfP9uQeAoIyNtKrVxGiTj0R1ZlYk3nqg5vW"
PRODUCTION = {"ENVIRONMENT": "production", "SECRET_KEY": GOOD_KEY, "ALLOWED_HOSTS": "api.example.com"}


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A Python with just these variables in its environment, and no .env."""
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


def serve(**variables: str) -> tuple[int, str]:
    """Exit code and standard error of a server that does not come up."""
    done = run("-m", "authproject.serve", **variables)
    assert done.stdout == ""
    return done.returncode, done.stderr


def read_anew(**variables: str) -> dict[str, Any]:
    """What settings.py says with just these variables in the environment, and no .env."""
    environment = patch.dict(os.environ, {"ENV_FILE": os.devnull, **variables}, clear=True)
    # It sets up logging by the way, and the tests' own stays as it is.
    with environment, patch("authproject.logs.config"):
        return runpy.run_path(str(ROOT / "authproject" / "settings.py"))


def settings_of(*names: str, **variables: str) -> list[Any]:
    settings = read_anew(**variables)
    return [settings[name] for name in names]


def refusal(**variables: str) -> str:
    """The traceback of a program that reads settings.py."""
    with pytest.raises(ImproperlyConfigured) as refused:
        read_anew(**variables)
    return "".join(traceback.format_exception(refused.value))


def errors() -> list[str | None]:
    """The ids of what the checks at the start complain about."""
    return [message.id for message in run_checks() if not message.is_silenced()]
