"""The memory that passwords are worked on in."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import pytest

from authproject.serve import OF_GLIBC
from bench.cpu import family
from tests.asking import run
from tests.live import Server
from tests.page_steps import sign_up

pytestmark = pytest.mark.no_database
GIVES_HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
SCRIPT = """
import time
import django
django.setup()
from accounts import memory
from django.contrib.auth.hashers import make_password

def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) // 1024

memory.IDLE = 0.5
for _ in range(4):
    make_password("correct horse battery")
used = resident()
time.sleep(2)
print(used - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="Only glibc can be asked to.")
def test_what_hashing_used_is_given_back_once_nobody_hashes() -> None:
    done = run("-c", SCRIPT, DJANGO_SETTINGS_MODULE="authproject.settings", **OF_GLIBC)
    assert int(done.stdout) > 15, "of some 19 MiB"


def in_huge_pages(server: Server) -> int:
    """Kilobytes, of all its processes."""
    said = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in family(server.process.pid)]
    return sum(int(text.partition("AnonHugePages:")[2].split()[0]) for text in said)


@pytest.mark.skipif(
    not GIVES_HUGE_PAGES.exists() or "[madvise]" not in GIVES_HUGE_PAGES.read_text(),
    reason="This system gives huge pages to nobody, or to everybody.",
)
def test_a_server_hashes_in_huge_pages(start_server: Callable[..., Server]) -> None:
    server = start_server(WORKERS="1")
    before = in_huge_pages(server)
    sign_up(server, "alice", "bob", "carol", "dave")
    assert in_huge_pages(server) - before > 14_000, "of some 19 MiB"
