"""One node of the database: its configuration, how it starts, and what it says of itself."""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.cluster.layout import LOOPBACK, NODES, Layout, Refused
from deploy.cluster.processes import Process, wait_until

PROVIDER = "/usr/lib/galera/libgalera_smm.so"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
STATUS = ("wsrep_cluster_status", "wsrep_cluster_size", "wsrep_local_state_comment", "wsrep_last_committed")


@dataclass(frozen=True)
class Position:
    """How far a node got: the history it belongs to, and the number of its last transaction (-1: not known)."""

    history: str
    seqno: int

    @classmethod
    def read(cls, log: str) -> "Position | None":
        """Out of what `mariadbd --wsrep-recover` logs."""
        found = re.findall(r"WSREP: Recovered position: *([0-9a-f-]{36}):(-?\d+)", log)
        return cls(found[-1][0], int(found[-1][1])) if found else None

    def __str__(self) -> str:
        return f"{self.history}:{self.seqno}"


@dataclass(frozen=True)
class Node:
    layout: Layout
    number: int

    @property
    def name(self) -> str:
        return f"n{self.number}"

    @property
    def folder(self) -> Path:
        return self.layout.folder / self.name

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def process(self) -> Process:
        return Process(self.name, self.layout.folder)

    @property
    def _command(self) -> list[str]:
        return [_program("mariadbd"), f"--defaults-file={self.folder}/my.cnf"]

    def create(self) -> None:
        """Its folder and configuration; the first node's data too. The others get theirs from it when they join."""
        self.data.mkdir(parents=True)
        (self.folder / "tmp").mkdir()
        (self.folder / "my.cnf").write_text(configuration(self))
        if os.geteuid() == 0:
            for path in (self.folder, self.data, self.folder / "tmp"):
                shutil.chown(path, "mysql")
        if self.number == NODES[0]:
            command = ["mariadb-install-db", f"--defaults-file={self.folder}/my.cnf", "--skip-test-db"]
            command += ["--auth-root-authentication-method=socket", f"--auth-root-socket-user={_own_name()}"]
            with (self.folder / "install.log").open("wb") as log:
                subprocess.run(command, check=True, stdout=log, stderr=log)

    def recover_position(self) -> Position | None:
        """What InnoDB has, after a crash too; None for a node that was in no cluster yet. Raises Refused."""
        if not (self.data / "grastate.dat").exists():
            return None
        log = self.folder / "recover.log"
        log.unlink(missing_ok=True)
        subprocess.run(
            [*self._command, "--wsrep-recover", f"--log-error={log}"], capture_output=True, timeout=300, check=False
        )  # fmt: skip
        found = Position.read(log.read_text() if log.exists() else "")
        if found is None:
            raise Refused(f"{self.name} does not say how far it got; see {log}")
        return found

    def start(self, *options: str) -> None:
        """Synced when it returns. A node that crashed joins at the position that it had reached, so that it is sent
        what it missed and not everything. Raises Refused if it does not come up."""
        if position := self.recover_position():
            options = (*options, f"--wsrep-start-position={position}")
        self.process.start([*self._command, *options])
        wait_until(lambda: self.is_synced or not self.process.pid, 120, f"{self.name} does not join; see {self.log}")
        if not self.process.pid:
            raise Refused(f"{self.name} ended at its start; see {self.log}")

    @property
    def log(self) -> Path:
        return self.folder / "error.log"

    def bootstrap(self) -> None:
        """Starts it as the first of a cluster, on its own word that nobody is ahead of it."""
        state = self.data / "grastate.dat"
        if state.exists():
            state.write_text(state.read_text().replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
        self.start("--wsrep-new-cluster")

    @property
    def is_synced(self) -> bool:
        return "Synced" in self.status().values()

    @property
    def is_primary(self) -> bool:
        return "Primary" in self.status().values()

    def status(self) -> dict[str, str]:
        """What it says of itself and of its cluster; empty if it does not answer."""
        import MySQLdb

        with suppress(MySQLdb.Error):
            return dict(self.query(f"SHOW STATUS WHERE Variable_name IN {STATUS}"))
        return {}

    def query(self, statement: str, database: str = "") -> list[tuple[Any, ...]]:
        """As root, over the socket. Raises MySQLdb.Error."""
        with self._connection(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    @contextmanager
    def _connection(self, database: str) -> Iterator[Any]:
        # Here, so that what needs no node, such as a test, needs no compiler for it either.
        import MySQLdb

        server = {"unix_socket": f"{self.folder}/socket", "user": _own_name(), "connect_timeout": 2, "read_timeout": 10}
        with closing(MySQLdb.connect(**server, database=database, autocommit=True)) as connection:
            yield connection


def configuration(node: Node) -> str:
    """README.md says what each line is for."""
    ports = node.layout.node(node.number)
    members = ",".join(f"{LOOPBACK}:{node.layout.node(number).group}" for number in NODES)
    account = "user=mysql\n" if os.geteuid() == 0 else ""
    return f"""\
[mysqld]
{account}datadir={node.data}
tmpdir={node.folder}/tmp
socket={node.folder}/socket
pid-file={node.folder}/pid
log-error={node.log}
bind-address={LOOPBACK}
port={ports.sql}
extra-port={ports.check}
skip-name-resolve
character-set-server=utf8mb4
max-connections={100 + 40 * node.layout.copies}

binlog-format=ROW
default-storage-engine=InnoDB
innodb-autoinc-lock-mode=2
innodb-flush-log-at-trx-commit=1
innodb-buffer-pool-size=64M
innodb-log-file-size=32M

wsrep-on=ON
wsrep-provider={PROVIDER}
wsrep-cluster-name=authproject
wsrep-cluster-address=gcomm://{members}
wsrep-node-name={node.name}
wsrep-node-address={LOOPBACK}:{ports.group}
wsrep-sst-method=rsync
wsrep-sst-receive-address={LOOPBACK}:{ports.snapshot}
wsrep-slave-threads=2
wsrep-sync-wait={node.layout.sync_wait}
wsrep-provider-options="base_port={ports.group};gmcast.listen_addr=tcp://{LOOPBACK}:{ports.group};\
ist.recv_addr={LOOPBACK}:{ports.incremental};ist.recv_bind={LOOPBACK}:{ports.incremental};gcache.size=64M"
"""


def _program(name: str) -> str:
    return shutil.which(name, path=PATH) or name


def _own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
