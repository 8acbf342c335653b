"""The faults: what is broken, for how long, and how it is mended."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.cluster.cluster import Cluster
from deploy.cluster.processes import wait_until
from deploy.cluster.recovery import recover


@dataclass(frozen=True)
class Fault:
    name: str
    # Breaks it and mends it; nothing is broken when it returns.
    happens: Callable[[Cluster], None]
    in_short: bool = False


def _writer(cluster: Cluster) -> int:
    wait_until(lambda: cluster.writer is not None, 10, "The proxy does not say which node takes the sessions.")
    return cluster.writer or 0


def kill_a_node_without_sessions(cluster: Cluster) -> None:
    _kill_and_rejoin(cluster, next(number for number in cluster.nodes if number != _writer(cluster)))


def kill_the_writer(cluster: Cluster) -> None:
    _kill_and_rejoin(cluster, _writer(cluster))


def _kill_and_rejoin(cluster: Cluster, number: int) -> None:
    cluster.kill(f"n{number}")
    # The others go on without it after five seconds; a node that comes back sooner makes them wait longer.
    time.sleep(6)
    cluster.rejoin(f"n{number}")


def kill_a_worker(cluster: Cluster) -> None:
    cluster.kill_a_worker(1)
    time.sleep(2)


def kill_a_copy(cluster: Cluster) -> None:
    cluster.kill("copy1")
    time.sleep(3)
    cluster.restart("copy1")


def stop_the_database(cluster: Cluster) -> None:
    """SIGSTOP: the nodes keep their connections and answer nobody, which is worse than being gone."""
    for node in cluster.nodes.values():
        node.process.send(signal.SIGSTOP)
    time.sleep(10)
    for node in cluster.nodes.values():
        node.process.send(signal.SIGCONT)
    wait_until(lambda: any(node.is_primary for node in cluster.nodes.values()), 60, "The database does not come back.")


def kill_all_nodes(cluster: Cluster) -> None:
    for node in cluster.nodes.values():
        node.process.send(signal.SIGKILL)
    wait_until(lambda: not any(node.process.pid for node in cluster.nodes.values()), 10, "A node does not die.")
    recover(cluster)


def kill_redis(cluster: Cluster) -> None:
    cluster.kill("redis")
    time.sleep(3)
    cluster.restart("redis")


FAULTS = [
    Fault("kill -9 a node without sessions", kill_a_node_without_sessions),
    Fault("kill -9 the node with the sessions", kill_the_writer, in_short=True),
    Fault("kill -9 a worker", kill_a_worker, in_short=True),
    Fault("kill -9 a copy of the server", kill_a_copy),
    Fault("SIGSTOP all nodes for 10 s", stop_the_database),
    Fault("kill -9 all nodes, recover", kill_all_nodes),
    Fault("kill -9 Redis", kill_redis, in_short=True),
]
