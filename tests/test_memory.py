"""A process that works on no passwords does not keep the memory that it worked on them in."""

import ctypes

import pytest

from tests.test_settings import run

pytestmark = pytest.mark.no_database
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
    done = run("-c", SCRIPT, DJANGO_SETTINGS_MODULE="authproject.settings", MALLOC_ARENA_MAX="1")
    assert int(done.stdout) > 15, "of some 19 MiB"
