"""`deploy/cluster/cluster COMMAND`: the command line."""

import signal
import subprocess
import sys
import tempfile
from argparse import REMAINDER, ArgumentParser, Namespace
from collections import defaultdict
from pathlib import Path

from deploy.cluster import copies, proxy, read_after_write
from deploy.cluster.cluster import Cluster, refuse_what_is_missing
from deploy.cluster.faults.run import main as run_faults
from deploy.cluster.layout import Layout, Refused
from deploy.cluster.recovery import recover

NODE = "{wsrep_local_state_comment}, {wsrep_cluster_status} of {wsrep_cluster_size}, at {wsrep_last_committed}"
FOLDER = Path(tempfile.gettempdir()) / "authproject-cluster"


def main() -> None:
    options = _options()
    # As an error: so that what was started for a measurement is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        if options.command == "up":
            up(options)
        elif options.command == "faults":
            run_faults(short=options.short, sync_wait=options.sync_wait, results=options.results)
        elif options.command == "read-after-write":
            read_after_write.main(options.tries)
        else:
            run(Cluster(Layout.load(options.folder)), options)
    except (Refused, subprocess.SubprocessError) as error:
        sys.exit(f"cluster: {error}")


def _options() -> Namespace:
    parser = ArgumentParser(prog="deploy/cluster/cluster", description="A whole installation on this machine.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where all of it is kept; default: %(default)s")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="starts everything")
    up.add_argument("--copies", type=int, default=2, metavar="N", help="of the server; default: %(default)s")
    up.add_argument("--base-port", type=int, metavar="PORT", help="of 100 in a row; else the first that are free")
    up.add_argument("--sync-wait", type=int, choices=(0, 1), default=1, help="the nodes' wsrep_sync_wait; default: 1")
    commands.add_parser("status", help="shows what runs")
    named = {
        "kill": "as a crash would: n1 n2 n3 copy1 … redis proxy",
        "rejoin": "brings a node back: n1 n2 n3",
        "restart": "copy1 … redis proxy",
    }
    for name, text in named.items():
        commands.add_parser(name, help=text).add_argument("name", metavar="NAME")
    commands.add_parser("recover", help="starts the database again when all three nodes have died")
    race = commands.add_parser("read-after-write", help="measures, on a cluster of its own, what another node sees")
    race.add_argument("--tries", type=int, default=200, metavar="N", help="default: %(default)s")
    faults = commands.add_parser("faults", help="breaks a cluster of its own under load; fails if a promise is broken")
    faults.add_argument("--short", action="store_true", help="three faults in place of all")
    faults.add_argument("--sync-wait", type=int, choices=(0, 1), default=1, help="as of `up`")
    faults.add_argument("--results", type=Path, metavar="FILE", help="where the figures go as JSON")
    commands.add_parser("manage", help="runs manage.py on it").add_argument("arguments", nargs=REMAINDER)
    commands.add_parser("down", help="ends everything it started, and removes the folder")
    return parser.parse_args()


def up(options: Namespace) -> None:
    refuse_what_is_missing()
    cluster = Cluster(Layout.create(options.folder, options.copies, options.base_port, options.sync_wait))
    cluster.up()
    status(cluster)


def run(cluster: Cluster, options: Namespace) -> None:
    if options.command == "manage":
        sys.exit(copies.manage(cluster.layout, *options.arguments))
    if options.command == "recover":
        print(f"{recover(cluster)} had got furthest; the others joined it.")
    elif options.command == "status":
        status(cluster)
    elif options.command == "down":
        cluster.down()
    else:
        getattr(cluster, options.command)(options.name)


def status(cluster: Cluster) -> None:
    layout = cluster.layout
    fit = proxy.states(layout)
    row = "{:<7}{:<8}{:<7}{}".format
    print(row("name", "pid", "port", "state"))
    for number, node in cluster.nodes.items():
        said = node.status()
        state = NODE.format_map(defaultdict(lambda: "?", said)) if said else "does not answer"
        state += f", proxy: {fit.get(node.name)}"
        state += ", takes the sessions" if number == cluster.writer else ""
        print(row(node.name, node.process.pid or "-", layout.node(number).sql, state))
    for number in cluster.copies:
        process = copies.copy(layout, number)
        state = f"proxy: {fit.get(process.name)}"
        print(row(process.name, process.pid or "-", layout.copy_port(number), state))
    print(row("redis", copies.redis(layout).pid or "-", layout.redis_port, ""))
    print(row("proxy", proxy.process(layout).pid or "-", layout.server_port, f"{layout.url}, in {layout.folder}"))


if __name__ == "__main__":
    main()
