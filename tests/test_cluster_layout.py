"""deploy/cluster puts each thing on a port of its own, and writes configurations that the programs understand."""

import shutil
import subprocess
from dataclasses import astuple, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.cluster import proxy
from deploy.cluster.galera import Node, configuration
from deploy.cluster.layout import NODES, Layout, Refused

pytestmark = pytest.mark.no_database


@pytest.fixture
def layout() -> Layout:
    return Layout(Path("/tmp/c"), 20_000, 3, 1, "a-password", "a-key", "another-key")


def test_no_port_is_given_twice(layout: Layout) -> None:
    ports = [layout.server_port, layout.database_port, layout.redis_port]
    ports += [port for number in NODES for port in astuple(layout.node(number))]
    ports += [layout.copy_port(number) for number in range(1, 51)]
    assert len(set(ports)) == len(ports)


def test_all_ports_lie_in_the_block_of_a_hundred(layout: Layout) -> None:
    assert {20_000, 20_099} == {layout.server_port, layout.copy_port(50)}


def test_what_was_created_is_loaded_again(tmp_path: Path) -> None:
    created = Layout.create(tmp_path / "c", copies=2, base_port=20_000)
    assert Layout.load(tmp_path / "c") == created


def test_nobody_else_reads_the_secrets(tmp_path: Path) -> None:
    Layout.create(tmp_path / "c", copies=2, base_port=20_000)
    assert (tmp_path / "c" / "cluster.json").stat().st_mode & 0o777 == 0o600


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter").touch()
    with pytest.raises(Refused, match="is in use"):
        Layout.create(tmp_path, copies=2, base_port=20_000)


def test_a_folder_without_a_cluster_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="`up` starts one"):
        Layout.load(tmp_path)


def test_the_copies_ask_the_proxy_and_not_a_node(layout: Layout) -> None:
    assert urlsplit(layout.database_url()).port == layout.database_port


def test_each_node_knows_all_three(layout: Layout) -> None:
    members = {configuration(Node(layout, number)).partition("gcomm://")[2].splitlines()[0] for number in NODES}
    assert members == {"127.0.0.1:20012,127.0.0.1:20022,127.0.0.1:20032"}


def test_the_timeouts_of_the_group_stay_at_their_defaults(layout: Layout) -> None:
    assert "evs." not in configuration(Node(layout, 1))


def test_a_packet_begins_with_its_length_and_number() -> None:
    assert proxy.packet(1, b"abc") == b"\x03\x00\x00\x01abc"


def test_haproxy_takes_its_configuration(layout: Layout, tmp_path: Path) -> None:
    if not shutil.which("haproxy", path="/usr/sbin:/usr/bin"):
        pytest.skip("haproxy was not found (Debian: apt-get install haproxy)")
    path = tmp_path / "haproxy.cfg"
    path.write_text(proxy.configuration(replace(layout, folder=tmp_path)))
    done = subprocess.run(["/usr/sbin/haproxy", "-c", "-f", str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
