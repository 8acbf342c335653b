"""`python -m tests.mariadb COMMAND …` runs the command with DATABASE_URL naming a MariaDB made for it alone."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.live import free_port

# Tests need no durability.
FOR_TESTS = ("--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M")


@contextmanager
def mariadb(options: Sequence[str] = FOR_TESTS) -> Iterator[str]:
    """The URL of an empty database `app`, on a server in a temporary folder and on a free port of the loopback."""
    folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
    account = ["--user=mysql"] if os.geteuid() == 0 else []
    if account:
        shutil.chown(folder, "mysql")
    data, port, log = folder / "data", free_port(), folder / "log"
    install = [
        *("mariadb-install-db", "--no-defaults", f"--datadir={data}", *account),
        *("--auth-root-authentication-method=normal", "--skip-test-db"),
    ]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    server = subprocess.Popen(
        [
            *(_mariadbd(), "--no-defaults", f"--datadir={data}", *account, f"--log-error={log}"),
            *(f"--socket={folder}/socket", f"--pid-file={folder}/pid", "--bind-address=127.0.0.1", f"--port={port}"),
            # A MariaDB that starts removes what it finds of others' temporary tables.
            f"--tmpdir={folder}",
            *("--max-connections=2000", *options),
        ]
    )
    try:
        _run_sql(f"{folder}/socket", server, log)
        yield f"mysql://app:app@127.0.0.1:{port}/app"
    finally:
        server.terminate()
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _mariadbd() -> str:
    found = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return found or sys.exit("tests.mariadb: mariadbd was not found; apt-get install mariadb-server")


def _run_sql(socket: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Makes the account and the database, as soon as the server answers."""
    statements = (
        "CREATE USER app@127.0.0.1 IDENTIFIED BY 'app', app@localhost IDENTIFIED BY 'app';"
        "GRANT ALL ON *.* TO app@127.0.0.1; GRANT ALL ON *.* TO app@localhost;"
        "CREATE DATABASE app CHARACTER SET utf8mb4;"
    )
    client = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]
    deadline = time.monotonic() + 60
    while subprocess.run([*client, "-e", "SELECT 1"], capture_output=True, check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"tests.mariadb: the server did not come up\n{log.read_text()}")
        time.sleep(0.1)
    subprocess.run([*client, "-e", statements], check=True)


if __name__ == "__main__":
    with mariadb() as url:
        status = subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    sys.exit(status)
