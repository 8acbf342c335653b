"""After all three nodes died, or lost the majority: which of them goes first."""

from deploy.cluster.cluster import Cluster
from deploy.cluster.galera import Position
from deploy.cluster.layout import Refused


def recover(cluster: Cluster) -> str:
    """Starts the database from the node that got furthest, whose name it gives. Raises Refused if one of them still
    serves, for then there is nothing to recover."""
    nodes = cluster.nodes
    if serving := [node.name for node in nodes.values() if node.is_primary]:
        raise Refused(f"{serving[0]} still serves; `rejoin` brings the others back.")
    # What is left over from a majority cannot go on by itself, and must not go on beside the new one.
    for node in nodes.values():
        node.process.stop(within=60)
    first = nodes[most_advanced({number: node.recover_position() for number, node in nodes.items()})]
    first.bootstrap()
    for node in nodes.values():
        if node is not first:
            node.start(f"--wsrep-sst-donor={first.name}")
    cluster.wait_until_fit(*(node.name for node in nodes.values()))
    return first.name


def most_advanced(positions: dict[int, Position | None]) -> int:
    """The number of the node that has every transaction that any of them has. Raises Refused where they do not tell
    of one history: then none of them has it all, and somebody has to look."""
    known = {number: position for number, position in positions.items() if position and position.seqno >= 0}
    if len({position.history for position in known.values()}) != 1:
        told = ", ".join(f"n{number} at {position}" for number, position in positions.items())
        raise Refused(f"The nodes do not share one history: {told}.")
    return max(known, key=lambda number: known[number].seqno)
