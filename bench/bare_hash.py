"""What a password hash costs by itself, without any server: what a sign-in cannot go below.

`python -m bench.bare_hash argon2id 2` prints the milliseconds of CPU of one hash, over two seconds of hashing.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import bcrypt
from argon2.low_level import Type, hash_secret

from bench.api import PASSWORD

COST = 8


def argon2id() -> None:
    hash_secret(PASSWORD.encode(), os.urandom(16), 2, 19 * 1024, 1, 32, Type.ID)


def bcrypt_8() -> None:
    bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(COST))


HASHES: dict[str, Callable[[], None]] = {"argon2id": argon2id, "bcrypt_8": bcrypt_8}


def measure(name: str, processes: int, seconds: float) -> float:
    """Milliseconds of CPU of one hash, while so many processes do nothing but hash; the mean of them."""
    command = (sys.executable, "-m", "bench.bare_hash", name, str(seconds))
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return sum(float(process.communicate()[0]) for process in running) / processes


def cost(hashed: Callable[[], None], seconds: float) -> float:
    hashed()
    cpu, until, times = time.process_time(), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        hashed()
        times += 1
    return (time.process_time() - cpu) / times * 1000


if __name__ == "__main__":
    print(cost(HASHES[sys.argv[1]], float(sys.argv[2])))
