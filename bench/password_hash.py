"""What a password hash costs: `python bench/password_hash.py`.

First in processes of their own, for each set of parameters that OWASP calls equivalent, and Django's default: CPU and
memory of one hash, and memory of as many at once as the server works on. Then 200 sign-ins at once to the real server.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import httpx
from argon2.low_level import Type, hash_secret
from real_server import Server, started

# Memory in KiB, passes, lanes.
PARAMETERS = [
    (47_104, 1, 1),
    (19_456, 2, 1),
    (12_288, 3, 1),
    (9_216, 4, 1),
    (7_168, 5, 1),
    (102_400, 2, 8),
]
WORKERS, THREADS, BURST = 2, 4, 200
PASSWORD = "correct horse battery"


def main() -> None:
    if len(sys.argv) > 1:
        print(*cost_of(*map(int, sys.argv[1:])))
        return
    print(f"| MiB, passes, lanes | ms of CPU | MiB for one | MiB for {WORKERS} workers x {THREADS} threads |")
    print("|---|---|---|---|")
    for memory, passes, lanes in PARAMETERS:
        cpu, alone = in_its_own_process(memory, passes, lanes, 1)
        _, together = in_its_own_process(memory, passes, lanes, THREADS)
        name = f"{memory / 1024:.0f}, {passes}, {lanes}"
        print(f"| {name} | {cpu:.1f} | {alone:.0f} | {together * WORKERS:.0f} |", flush=True)
    burst()


def in_its_own_process(*numbers: int) -> tuple[float, float]:
    command = [sys.executable, __file__, *map(str, numbers)]
    cpu, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(cpu), float(memory)


def cost_of(memory: int, passes: int, lanes: int, threads: int) -> tuple[float, float]:
    """Milliseconds of CPU for one hash, and by how many MiB this process grew while each thread made 40."""

    def hashed(_: int) -> float:
        clock = time.process_time()
        hash_secret(
            PASSWORD.encode(),
            os.urandom(16),
            time_cost=passes,
            memory_cost=memory,
            parallelism=lanes,
            hash_len=32,
            type=Type.ID,
        )
        return (time.process_time() - clock) * 1000

    before = peak_memory(os.getpid())
    with ThreadPoolExecutor(threads) as pool:
        cpu = median(pool.map(hashed, range(40 * threads)))
    return cpu, peak_memory(os.getpid()) - before


def burst() -> None:
    with started(WORKERS=str(WORKERS), THREADS=str(THREADS)) as server:
        server.manage("create_user", "alice", "alice@example.com", stdin=PASSWORD)
        with server.client() as client:
            sign_in(client)
        workers = children(server)
        rest = sum(memory_now(pid) for pid in workers)
        for attempt in range(3):
            clock = time.perf_counter()
            statuses = at_once(server)
            print(
                f"burst {attempt + 1}: {BURST} sign-ins at once, {statuses} answered 200, "
                f"{time.perf_counter() - clock:.1f} s; MiB of the {len(workers)} workers: {rest:.0f} before, "
                f"{sum(peak_memory(pid) for pid in workers):.0f} at the peak, "
                f"{sum(memory_now(pid) for pid in workers):.0f} after",
                flush=True,
            )


def at_once(server: Server) -> int:
    """How many of the sign-ins, each on a connection of its own and all begun together, were answered 200."""
    limits = httpx.Limits(max_connections=BURST)
    with server.client(limits=limits) as client, ThreadPoolExecutor(BURST) as threads:
        return list(threads.map(lambda _: sign_in(client), range(BURST))).count(200)


def sign_in(client: httpx.Client) -> int:
    return client.post("/api/auth/signin", json={"username": "alice", "password": PASSWORD}).status_code


def children(server: Server) -> list[int]:
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def peak_memory(pid: int) -> float:
    """MiB that were resident at most."""
    return _status(pid, "VmHWM")


def memory_now(pid: int) -> float:
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
