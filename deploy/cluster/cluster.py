"""The whole of it: what is started in which order, what can be killed and brought back, and how all is recovered."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from deploy.cluster import copies, proxy
from deploy.cluster.galera import PATH, PROVIDER, Node
from deploy.cluster.layout import NODES, Layout, Refused
from deploy.cluster.processes import Process, wait_until

PROGRAMS = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "rsync": "rsync",
    "haproxy": "haproxy",
    "redis-server": "redis-server",
}


def refuse_what_is_missing() -> None:
    """Raises Refused with the command that installs what is not there."""
    missing = {package for program, package in PROGRAMS.items() if not shutil.which(program, path=PATH)}
    missing |= set() if Path(PROVIDER).exists() else {"galera-4"}
    if missing:
        raise Refused(f"Please run: sudo apt-get install -y {' '.join(sorted(missing))}")


class Cluster:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.nodes = {number: Node(layout, number) for number in NODES}
        self.copies = range(1, layout.copies + 1)

    # --- all of it

    def up(self) -> None:
        """Everything, ready to serve. Raises Refused; what has been started by then stays for a look at it."""
        # mariadbd, which may run under another account, passes through to its own folder; nobody else reads here.
        self.layout.folder.chmod(0o711)
        for node in self.nodes.values():
            node.create()
        self.nodes[NODES[0]].bootstrap()
        self._make_accounts()
        proxy.start(self.layout)
        copies.start_redis(self.layout)
        with ThreadPoolExecutor() as others:
            joining = [others.submit(self.nodes[number].start) for number in NODES[1:]]
            self._migrate()
            self.start_copies()
            for each in joining:
                each.result()
        self.wait_until_fit(*(node.name for node in self.nodes.values()), *(f"copy{number}" for number in self.copies))

    def _make_accounts(self) -> None:
        first = self.nodes[NODES[0]]
        first.query("CREATE DATABASE authproject CHARACTER SET utf8mb4")
        first.query(f"CREATE USER authproject@'127.0.0.1' IDENTIFIED BY '{self.layout.database_password}'")
        first.query("GRANT ALL ON authproject.* TO authproject@'127.0.0.1'")
        # It may do nothing but ask how the node is.
        first.query(f"CREATE USER {proxy.CHECK_USER}@'127.0.0.1'")

    def _migrate(self) -> None:
        if copies.manage(self.layout, "migrate", "--verbosity", "0"):
            raise Refused("The tables could not be made.")

    def start_copies(self, **variables: str) -> None:
        for number in self.copies:
            copies.start_copy(self.layout, number, **variables)
        for number in self.copies:
            copies.wait_for_copy(self.layout, number)

    def wait_until_fit(self, *names: str) -> None:
        """In the eyes of the proxy. Raises Refused if one of them is not so after 30 s."""

        def all_are_up() -> bool:
            found = proxy.states(self.layout)
            return all(found.get(name) == "UP" for name in names)

        wait_until(all_are_up, 30, f"The proxy does not find all of {', '.join(names)} fit to serve; see `status`.")

    def down(self) -> None:
        """Ends everything that it started, and removes the folder."""
        for process in self._services().values():
            process.stop()
        for node in reversed(self.nodes.values()):
            node.process.stop(within=60)
        shutil.rmtree(self.layout.folder)

    def destroy(self) -> None:
        """As `down`, at once, and the folder stays: for where nobody will want the data."""
        for process in [*self._services().values(), *(node.process for node in self.nodes.values())]:
            if process.pid:
                process.kill()

    # --- one of it

    def _services(self) -> dict[str, Process]:
        """What is no node, by name, in the order in which it can be stopped."""
        found = [copies.copy(self.layout, number) for number in self.copies]
        found += [copies.redis(self.layout), proxy.process(self.layout)]
        return {process.name: process for process in found}

    def process(self, name: str) -> Process:
        """Raises Refused for a name that nothing has."""
        known = {node.name: node.process for node in self.nodes.values()} | self._services()
        if name not in known:
            raise Refused(f"There is no {name}, only {', '.join(known)}.")
        return known[name]

    def kill(self, name: str) -> None:
        """As a crash would: SIGKILL."""
        self.process(name).kill()

    def kill_a_worker(self, copy: int) -> None:
        """One of the copy's, which it will replace."""
        os.kill(copies.copy(self.layout, copy).children()[0], signal.SIGKILL)

    def restart(self, name: str) -> None:
        """A copy, redis or the proxy; one that runs is stopped first."""
        if name not in self._services():
            raise Refused(f"`restart` is for {', '.join(self._services())}; a node comes back with `rejoin`.")
        self.process(name).stop()
        if name == "redis":
            copies.start_redis(self.layout)
        elif name == "proxy":
            proxy.start(self.layout)
        else:
            number = int(name.removeprefix("copy"))
            copies.start_copy(self.layout, number)
            copies.wait_for_copy(self.layout, number)
            self.wait_until_fit(name)

    def rejoin(self, name: str) -> None:
        """A node that was killed. What it lacks it is sent by one that takes no writes, if there is one."""
        node = next((node for node in self.nodes.values() if node.name == name), None)
        if node is None:
            raise Refused(f"`rejoin` is for {', '.join(node.name for node in self.nodes.values())}.")
        if not any(other.is_primary for other in self.nodes.values()):
            raise Refused("No node is left that it could join; `recover` starts all of them again.")
        donors = [other.name for number, other in self.nodes.items() if number != self.writer and other.is_synced]
        node.start(f"--wsrep-sst-donor={','.join(donors)},")
        self.wait_until_fit(name)

    @classmethod
    @contextmanager
    def temporary(cls, copies: int, sync_wait: int = 1) -> Iterator["Cluster"]:
        """One that is up, in a folder of its own, and gone afterwards; where something goes wrong, the folder stays."""
        refuse_what_is_missing()
        cluster = cls(Layout.create(Path(mkdtemp(prefix="cluster-")), copies, sync_wait=sync_wait))
        try:
            cluster.up()
            yield cluster
        except BaseException:
            print(f"The logs are in {cluster.layout.folder}", file=sys.stderr)
            raise
        finally:
            cluster.destroy()
        shutil.rmtree(cluster.layout.folder)

    @property
    def writer(self) -> int | None:
        with suppress(OSError):
            return proxy.writer(self.layout)
        return None
