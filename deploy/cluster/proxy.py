"""HAProxy in front of the database's nodes and of the server's copies: its configuration, and what it says."""

import socket
from pathlib import Path

from deploy.cluster.layout import LOOPBACK, NODES, Layout
from deploy.cluster.processes import Process, wait_until

CHECK_USER = "proxy_check"
# Counts to two where the node may be asked: it is part of the majority, and has everything (4, Synced) or is sending
# a joining node what it lacks meanwhile (2, Donor).
IS_FIT = (
    "SET STATEMENT wsrep_sync_wait=0 FOR SELECT CONCAT('fit:', COUNT(*)) FROM information_schema.GLOBAL_STATUS "
    "WHERE (VARIABLE_NAME='WSREP_READY' AND VARIABLE_VALUE='ON') "
    "OR (VARIABLE_NAME='WSREP_LOCAL_STATE' AND VARIABLE_VALUE IN ('2','4'))"
)
# The protocol's words: a command, and its number.
QUERY, QUIT = 3, 1
# The 4.1 protocol, with the 4.1 form of passwords, of which there is none here.
CAPABILITIES = 0x0200 | 0x8000


def process(layout: Layout) -> Process:
    return Process("proxy", layout.folder)


def start(layout: Layout) -> None:
    path = layout.folder / "haproxy.cfg"
    path.write_text(configuration(layout))
    process(layout).start(["haproxy", "-db", "-f", str(path)])
    wait_until(lambda: bool(states(layout)), 10, f"HAProxy does not start; see {process(layout).log}")


def ask(layout: Layout, command: str) -> str:
    """What HAProxy answers to a command of its management guide. Raises OSError if it is not there."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(layout.folder / "proxy.socket"))
        connection.sendall(f"{command}\n".encode())
        with connection.makefile() as answer:
            return answer.read()


def states(layout: Layout) -> dict[str, str]:
    """UP, DOWN or so, by the name of the node or copy; empty if HAProxy does not run."""
    try:
        lines = ask(layout, "show stat").removeprefix("# ").splitlines()
    except OSError:
        return {}
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:] if line]
    return {row["svname"]: row["status"] for row in rows}


def writer(layout: Layout) -> int | None:
    """The number of the node that all sessions go to; None before the first one."""
    for word in ask(layout, "show table database").split():
        if word.startswith("server_key=n"):
            return int(word.removeprefix("server_key=n"))
    return None


def packet(sequence: int, content: bytes) -> bytes:
    """A packet of MariaDB's client protocol."""
    return len(content).to_bytes(3, "little") + bytes([sequence]) + content


def _login() -> bytes:
    fixed = CAPABILITIES.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + bytes([33]) + bytes(23)
    return packet(1, fixed + CHECK_USER.encode() + b"\0" + b"\0")


def _check() -> str:
    """The lines that log in at a node, ask it, and take leave, so that a node which is not fit is known to be so at
    the end of its answer and not only at the check's timeout."""
    head = packet(0, bytes([QUERY]) + IS_FIT.encode())[:5]
    return f"""\
    option tcp-check
    tcp-check send-binary {_login().hex()}
    tcp-check send-binary {head.hex()}
    tcp-check send "{IS_FIT}"
    tcp-check send-binary {packet(0, bytes([QUIT])).hex()}
    tcp-check expect string fit:2
"""


def configuration(layout: Layout) -> str:
    """README.md says what each line is for."""
    nodes = "\n".join(
        f"    server n{number} {LOOPBACK}:{layout.node(number).sql} check port {layout.node(number).check} "
        f"on-marked-down shutdown-sessions{'' if number == NODES[0] else ' backup'}"
        for number in NODES
    )
    copies = "\n".join(
        f"    server copy{number} {LOOPBACK}:{layout.copy_port(number)} check" for number in range(1, layout.copies + 1)
    )
    template = Path(__file__).with_name("haproxy.cfg").read_text()
    values = {
        "FOLDER": layout.folder,
        "DATABASE": f"{LOOPBACK}:{layout.database_port}",
        "SERVER": f"{LOOPBACK}:{layout.server_port}",
        "CHECK_OF_A_NODE": _check().strip(),
        "NODES": nodes.strip(),
        "COPIES": copies.strip(),
    }
    for name, value in values.items():
        template = template.replace(f"@{name}@", str(value))
    return template
