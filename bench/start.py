"""How long it takes until the server answers, and until a command has done its work."""

import subprocess
import time
from pathlib import Path
from statistics import median

import httpx

from bench.contestants import Unfit
from bench.programs import MANAGE, ROOT, environment
from tests.live import free_port

COMMANDS = ("routes", "seed_roles", "prune_sessions")


def measure(folder: Path, times: int) -> dict[str, float]:
    """Seconds by what was started, the median; on SQLite, after a first start that makes the database."""
    port = free_port()
    variables = environment({"DATABASE_URL": f"sqlite:///{folder}/start.sqlite3", "PORT": str(port)})
    server(variables)
    found = {"script/server": median(server(variables) for _ in range(times))}
    for name in COMMANDS:
        found[f"manage.py {name}"] = median(command(name, variables) for _ in range(times))
    return found


def server(variables: dict[str, str]) -> float:
    """Seconds until it answers; it is stopped then."""
    clock = time.perf_counter()
    process = subprocess.Popen(["script/server"], cwd=ROOT, env=variables, stderr=subprocess.DEVNULL)
    try:
        # A client for each try would read the world's certificates each time, and keep a core from the server.
        with httpx.Client(base_url=f"http://127.0.0.1:{variables['PORT']}", verify=False) as client:
            while time.perf_counter() - clock < 60 and process.poll() is None:
                try:
                    client.get("/")
                except httpx.TransportError:
                    time.sleep(0.01)
                else:
                    return time.perf_counter() - clock
        raise Unfit("script/server did not answer within a minute")
    finally:
        process.terminate()
        process.wait(timeout=30)


def command(name: str, variables: dict[str, str]) -> float:
    clock = time.perf_counter()
    subprocess.run([*MANAGE, name], cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - clock
