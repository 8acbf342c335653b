"""What is where: the folder of a cluster, its ports and its secrets, written down once at its start."""

import json
import os
import random
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
NODES = (1, 2, 3)
# Below the range out of which Linux takes the ports of outgoing connections: those of a dead node must stay free.
FIRST_PORT, LAST_PORT, BLOCK = 20_000, 32_000, 100
# A socket's path has at most 107 bytes, and ours are called /n1/socket or so.
LONGEST_FOLDER = 80


class Refused(Exception):
    """What was asked for cannot be done; the text says why, in one sentence, to whoever asked."""


@dataclass(frozen=True)
class NodePorts:
    sql: int
    # A door of the health check's own, which is open when all connections are taken.
    check: int
    group: int
    incremental: int
    snapshot: int


@dataclass(frozen=True)
class Layout:
    folder: Path
    base_port: int
    copies: int
    # Whether each node waits before it reads until it has all that was acknowledged anywhere: 1, or 0.
    sync_wait: int
    database_password: str
    secret_key: str
    audit_key: str

    @classmethod
    def create(cls, folder: Path, copies: int, base_port: int | None = None, sync_wait: int = 1) -> "Layout":
        """A new one, in a folder that only this user can read. Raises Refused."""
        if (folder / "cluster.json").exists():
            raise Refused(f"There is a cluster in {folder} already; `down` ends it.")
        if len(os.fsencode(folder)) > LONGEST_FOLDER:
            raise Refused(f"The name of the folder is too long for the sockets in it: {folder}")
        if not 1 <= copies <= BLOCK - 50:
            raise Refused(f"From 1 to {BLOCK - 50} copies fit, not {copies}.")
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid != os.geteuid() or any(folder.iterdir()):
            raise Refused(f"{folder} is in use; name an empty folder of yours with --folder.")
        base = base_port or _free_block()
        layout = cls(folder.resolve(), base, copies, sync_wait, *(secrets.token_urlsafe(48) for _ in range(3)))
        values = {**asdict(layout), "folder": str(layout.folder)}
        layout._file.touch(mode=0o600)
        layout._file.write_text(json.dumps(values, indent=1) + "\n")
        return layout

    @classmethod
    def load(cls, folder: Path) -> "Layout":
        """The one that was created in the folder. Raises Refused."""
        try:
            values = json.loads((folder / "cluster.json").read_text())
        except FileNotFoundError:
            raise Refused(f"There is no cluster in {folder}; `up` starts one.") from None
        return cls(**{**values, "folder": Path(values["folder"])})

    @property
    def _file(self) -> Path:
        return self.folder / "cluster.json"

    @property
    def server_port(self) -> int:
        return self.base_port

    @property
    def database_port(self) -> int:
        return self.base_port + 1

    @property
    def redis_port(self) -> int:
        return self.base_port + 2

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def node(self, number: int) -> NodePorts:
        first = self.base_port + 10 * number
        return NodePorts(first, first + 1, first + 2, first + 3, first + 4)

    def copy_port(self, number: int) -> int:
        return self.base_port + 49 + number

    def database_url(self, port: int | None = None) -> str:
        """Of the proxy, or of what listens on that port."""
        return f"mysql://authproject:{self.database_password}@{LOOPBACK}:{port or self.database_port}/authproject"


def _free_block() -> int:
    """The first of BLOCK ports in a row of which none is in use; not the lowest, which another cluster that is just
    being started would choose too. Raises Refused if there are none."""
    for base in random.sample(range(FIRST_PORT, LAST_PORT, BLOCK), k=(LAST_PORT - FIRST_PORT) // BLOCK):
        if all(is_free(port) for port in range(base, base + BLOCK)):
            return base
    raise Refused(f"No {BLOCK} free ports in a row were found; name the first with --base-port.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
