"""How each contestant is called on: its command, its environment, and what has to be done before."""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from authproject import affinity, processor
from bench import compiled_hash
from bench.api import DJOSER, ENDPOINTS, OURS, REFERENCE, ROLES, Api

BENCH = Path(__file__).parent
ROOT = BENCH.parent
PROCESSES = "2"

MANAGE = (sys.executable, "manage.py")
MIGRATE = (*MANAGE, "migrate", "--verbosity", "0")
LIMITS = "GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT", "SIGN_UP_RATE", "REFRESH_RATE", "PASSWORD_CHECK_RATE"
# The limits are on, so that they cost what they cost, but nothing here comes near them. Log lines as in production.
AS_DEPLOYED = {**dict.fromkeys(LIMITS, "1000000/s"), "LOG_FORMAT": "json"}


@dataclass(frozen=True)
class Program:
    """`before` are commands that run before the start, `grants` once the people of bench.api have signed up, and
    `tidy` is SQL that takes away what a load left behind. PORT and DATABASE_URL are in the environment of all."""

    title: str
    command: tuple[str, ...]
    api: Api = OURS
    endpoints: tuple[str, ...] = ENDPOINTS
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT
    before: tuple[tuple[str, ...], ...] = ()
    grants: tuple[tuple[str, ...], ...] = ()
    tidy: tuple[str, ...] = ()


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Nothing of what is set outside but where programs are found, so that all runs are alike."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    secret = secrets.token_urlsafe(48)
    return {**kept, "ENV_FILE": os.devnull, "SECRET_KEY": secret, "SECRET": secret, "WORKERS": PROCESSES, **variables}


def ours(title: str, **options: object) -> Program:
    """This server, with the settings that it starts with, limits apart."""
    defaults: dict[str, object] = {
        "command": (sys.executable, "-m", "authproject.serve"),
        "variables": AS_DEPLOYED,
        "before": (MIGRATE,),
        "grants": tuple((*MANAGE, "grant_role", name, role) for name, role in ROLES.items()),
    }
    return Program(title, **{**defaults, **options})  # type: ignore[arg-type]


def on_our_server(title: str, application: str, **variables: str) -> Program:
    command = (sys.executable, "-m", "bench.on_granian", application)
    return Program(title, command, endpoints=("all",), variables=variables)


_DJOSER_GRANTS = f"""
from django.contrib.auth.models import Group, User
for name, role in {ROLES!r}.items():
    User.objects.get(username=name).groups.add(Group.objects.get_or_create(name=role)[0])
"""

PROGRAMS = {
    "ours": ours("this server"),
    # It insists on a worker for each core.
    **(
        {"ours_pinned": ours("this server, PIN_WORKERS=on", variables={**AS_DEPLOYED, "PIN_WORKERS": "on"})}
        if len(affinity.cores()) <= int(PROCESSES)
        else {}
    ),
    **(
        {
            "ours_compiled": ours(
                "this server, Argon2 for x86-64-v3",
                endpoints=("sign_in", "sign_up"),
                command=(str(compiled_hash.PYTHON), "-m", "authproject.serve"),
                before=((sys.executable, "-m", "bench.compiled_hash"), MIGRATE),
                grants=(),
            )
        }
        if processor.is_new_enough()
        else {}
    ),
    "ours_bcrypt": ours(
        "this server, bcrypt 8",
        endpoints=("sign_in", "sign_up"),
        variables={**AS_DEPLOYED, "DJANGO_SETTINGS_MODULE": "bench.bcrypt_settings"},
        grants=(),
    ),
    "empty_view": on_our_server("empty Django view", "bench.empty_view.wsgi:application", EMPTY_VIEW_MIDDLEWARE="off"),
    "empty_view_middleware": on_our_server(
        "empty view, usual middleware", "bench.empty_view.wsgi:application", EMPTY_VIEW_MIDDLEWARE="on"
    ),
    "bare_wsgi": on_our_server("bare WSGI", "bench.bare_wsgi:application"),
    "express": Program(
        "Express, as the reference",
        ("node", "server.js"),
        REFERENCE,
        variables={"PROCESSES": PROCESSES, "BCRYPT_COST": "8"},
        folder=BENCH / "express_peer",
        # It has no index on these, so that every row that a load leaves would slow down the loads that follow.
        tidy=(
            "DELETE FROM refreshTokens",
            "DELETE user_roles FROM user_roles JOIN users ON users.id = userId WHERE username LIKE 'new-%'",
            "DELETE FROM users WHERE username LIKE 'new-%'",
        ),
    ),
    "djoser": Program(
        "djoser on gunicorn",
        (sys.executable, "-m", "gunicorn", "peer.wsgi"),
        DJOSER,
        # It gives no successor for a refresh token.
        endpoints=tuple(name for name in ENDPOINTS if name != "refresh_rotating"),
        variables={"PROCESSES": PROCESSES},
        folder=BENCH / "djoser_peer",
        before=(MIGRATE,),
        grants=((*MANAGE, "shell", "-c", _DJOSER_GRANTS),),
    ),
}
