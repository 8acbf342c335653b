"""`python -m bench.import_express [--users 100000]`: seconds and memory that moving in takes, on MariaDB and SQLite.

The old database is filled with people against whom nothing is to be said, and with a few of each kind of trouble.
Each step is `manage.py` in a process of its own, whose peak of resident memory the operating system counts: a command
that does next to nothing is there for comparison.
"""

import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench.programs import MANAGE, environment
from tests.express_database import ExpressTables, express_database
from tests.mariadb import mariadb

# bcrypt of cost 8; of which password, does not matter here.
HASH = "CONCAT('$2a$08$abcdefghijklmnopqrstuu', RIGHT(MD5(seq), 31))"
STEPS = {
    "routes, for comparison": ("routes",),
    "dry run": ("import_express", "{url}", "--dry-run", "--placeholder-emails"),
    "import": ("import_express", "{url}", "--placeholder-emails"),
    "import again": ("import_express", "{url}", "--placeholder-emails"),
}


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.import_express", description="What does moving in take?")
    parser.add_argument("--users", type=int, default=100_000, metavar="N")
    users = parser.parse_args().users
    pool = ["--innodb-buffer-pool-size=1G"]
    with mariadb(pool) as url, TemporaryDirectory() as folder, express_database(url, "express") as old:
        fill(old, users)
        for target in (url, f"sqlite:///{folder}/db"):
            _measure(old, target, Path(folder))


def fill(old: ExpressTables, users: int) -> None:
    """One in a thousand has each of: an earlier one's name, one in capitals, no email, no hash; and holds admin."""
    old.create()
    old.run(
        f"""INSERT INTO users SELECT seq,
            CASE seq % 1000 WHEN 1 THEN 'racer' WHEN 2 THEN CONCAT('PERSON', seq - 2) ELSE CONCAT('person', seq) END,
            IF(seq % 1000 = 3, NULL, CONCAT('person', seq, '@example.com')), IF(seq % 1000 = 4, NULL, {HASH}),
            '2021-03-04 05:06:07', '2021-03-04 05:06:07' FROM seq_1_to_{users}"""
    )
    for role, which in ((1, "TRUE"), (3, "id % 1000 = 5")):
        old.run(f"INSERT INTO user_roles SELECT createdAt, updatedAt, id, {role} FROM users WHERE {which}")


def _measure(old: ExpressTables, target: str, folder: Path) -> None:
    variables = environment({"DATABASE_URL": target})
    _run(("migrate", "--verbosity", "0"), variables, folder)
    print(
        f"\n{urlsplit(target).scheme}\n\n| step | seconds | of its own CPU | peak of memory, MiB |\n|---|---|---|---|"
    )
    for title, command in STEPS.items():
        seconds, cpu, memory = _run([part.format(url=old.url) for part in command], variables, folder)
        print(f"| {title} | {seconds:.0f} | {cpu:.0f} | {memory:.0f} |", flush=True)
    print((folder / "printed").read_text(), file=sys.stderr)


def _run(
    command: list[str] | tuple[str, ...], variables: Mapping[str, str], folder: Path
) -> tuple[float, float, float]:
    """Seconds by the clock and of the processors, and MiB at most."""
    began_at = time.monotonic()
    with (folder / "printed").open("w") as printed:
        to_file = [(os.POSIX_SPAWN_DUP2, printed.fileno(), 1)]
        pid = os.posix_spawn(MANAGE[0], [*MANAGE, *command], variables, file_actions=to_file)
        _, status, used = os.wait4(pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    return time.monotonic() - began_at, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
