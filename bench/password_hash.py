"""What a password hash costs: `python -m bench.password_hash`.

First in processes of their own, for each set of parameters that OWASP calls equivalent, and Django's default: CPU and
memory of one hash, and memory of as many at once as the server works on. Then 200 sign-ins at once to the real server.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import httpx
from argon2.low_level import Type, hash_secret

from bench.cpu import family
from bench.memory import at_once, peak, resident
from bench.real_server import started

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
    command = [sys.executable, "-m", "bench.password_hash", *map(str, numbers)]
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

    before = peak(os.getpid())
    with ThreadPoolExecutor(threads) as pool:
        cpu = median(pool.map(hashed, range(40 * threads)))
    return cpu, peak(os.getpid()) - before


def burst() -> None:
    with started(WORKERS=str(WORKERS), THREADS=str(THREADS)) as server:
        server.manage("create_user", "alice", "alice@example.com", stdin=PASSWORD)
        url, body = f"{server.url}/api/auth/signin", {"username": "alice", "password": PASSWORD}
        httpx.post(url, json=body).raise_for_status()
        _, *workers = family(server.process.pid)
        rest = sum(map(resident, workers))
        for attempt in range(3):
            clock = time.perf_counter()
            statuses = at_once(url, body, BURST)
            print(
                f"burst {attempt + 1}: {BURST} sign-ins at once, answered {dict(statuses)}, "
                f"{time.perf_counter() - clock:.1f} s; MiB of the {len(workers)} workers: {rest:.0f} before, "
                f"{sum(map(peak, workers)):.0f} at the peak, {sum(map(resident, workers)):.0f} after",
                flush=True,
            )


if __name__ == "__main__":
    main()
