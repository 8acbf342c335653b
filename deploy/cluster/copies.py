"""The copies of the server, Redis which they share, and the environment that makes them one service."""

import os
import subprocess
import sys
import urllib.error
import urllib.request

from deploy.cluster.layout import LOOPBACK, ROOT, Layout, Refused
from deploy.cluster.processes import Process, wait_until

WORKERS, THREADS = 2, 16


def environment(layout: Layout) -> dict[str, str]:
    """What all copies are started with. Nothing of the caller's own settings is in it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "ENV_FILE": os.devnull,
        "ENVIRONMENT": "production",
        "ALLOWED_HOSTS": f"localhost,{LOOPBACK}",
        "SECRET_KEY": layout.secret_key,
        "AUDIT_KEY": layout.audit_key,
        "DATABASE_URL": layout.database_url(),
        "CACHE_URL": f"redis://{LOOPBACK}:{layout.redis_port}/0",
        "TRUSTED_PROXY_COUNT": "1",
        "WORKERS": str(WORKERS),
        "THREADS": str(THREADS),
    }


def manage(layout: Layout, *arguments: str, stdin: str | None = None) -> int:
    """Runs manage.py on the cluster's database; gives its exit status."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(layout), input=stdin, text=True, check=False
    ).returncode  # fmt: skip


def copy(layout: Layout, number: int) -> Process:
    return Process(f"copy{number}", layout.folder)


def start_copy(layout: Layout, number: int, **variables: str) -> None:
    """Returns before it answers: see `wait_for_copy`. `variables` come on top of the common environment."""
    port = {"PORT": str(layout.copy_port(number))}
    command = [sys.executable, "-m", "authproject.serve"]
    copy(layout, number).start(command, {**environment(layout), **port, **variables}, ROOT)


def wait_for_copy(layout: Layout, number: int) -> None:
    """Raises Refused if it does not answer within 60 s."""
    process = copy(layout, number)
    wait_until(
        lambda: answers(layout.copy_port(number)) or not process.pid, 60, f"{process.name} does not answer."
    )  # fmt: skip
    if not process.pid:
        raise Refused(f"{process.name} ended at its start; see {process.log}")


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/health/ready", timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


def redis(layout: Layout) -> Process:
    return Process("redis", layout.folder)


def start_redis(layout: Layout) -> None:
    """It keeps nothing on disk: counters of tries may be forgotten."""
    command = ["redis-server", "--port", str(layout.redis_port), "--bind", LOOPBACK, "--dir", str(layout.folder)]
    redis(layout).start([*command, "--save", "", "--appendonly", "no"])
