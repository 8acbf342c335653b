"""Argon2 compiled for newer processors (script/compile-hash), beside the wheel that any can run: which one to take."""

import logging
import os
import platform
import subprocess
import sys
from importlib.metadata import distributions, version
from pathlib import Path

log = logging.getLogger(__name__)
# A level of x86-64 (System V ABI, AMD64, section 3.1.1), and what Linux calls that which it adds to the first level:
# pni is SSE3, abm is LZCNT.
LEVEL = "x86-64-v3"
ASKED = {
    *("cx16", "lahf_lm", "pni", "popcnt", "sse4_1", "sse4_2", "ssse3"),
    *("abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"),
}
_BINDINGS = "argon2-cffi-bindings"
_CPU = Path("/proc/cpuinfo")


def compiled_for_it() -> list[str]:
    """The folder that Python is to look into first; none where nothing was compiled, where the processor cannot run
    it, where it is of another version than what is installed, or where it does not hash as that does."""
    folder = Path(sys.prefix) / LEVEL
    if not folder.exists() or not is_new_enough():
        return []
    if [found.version for found in distributions(name=_BINDINGS, path=[str(folder)])] != [version(_BINDINGS)]:
        log.warning("What script/compile-hash made is not used, for it is of another version than what is installed")
        return []
    if not _hashes_alike(folder):
        log.warning("What script/compile-hash made is not used, for it does not work here")
        return []
    log.info("Passwords are hashed by what was compiled for processors of %s", LEVEL)
    return [str(folder)]


def is_new_enough() -> bool:
    """Whether this processor knows all instructions of that level, as far as Linux says."""
    try:
        said = _CPU.read_text(errors="replace")
    except OSError:
        return False
    flags = next((line for line in said.splitlines() if line.startswith("flags")), "")
    return platform.machine() == "x86_64" and set(flags.split()) >= ASKED


def python_path(*first: str) -> str:
    """PYTHONPATH with these before what it is. An empty entry would be the working folder."""
    return os.pathsep.join(filter(None, [*first, os.environ.get("PYTHONPATH")]))


def _hashes_alike(folder: Path) -> bool:
    """Tried in a process of its own, which what is wrong there may end."""
    environment = {**os.environ, "PYTHONPATH": python_path(str(folder))}
    command = [sys.executable, "-m", "authproject.processor"]
    tried = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    return tried.stdout.splitlines() == [str(folder), _sample()[1]]


def _sample() -> tuple[str, str]:
    """Where Argon2 is imported from, and a hash by it: the smallest, but with a second pass, which is other code."""
    from argon2.low_level import Type, hash_secret_raw

    hashed = hash_secret_raw(b"", bytes(16), time_cost=2, memory_cost=8, parallelism=1, hash_len=32, type=Type.ID)
    return str(Path(str(sys.modules["_argon2_cffi_bindings"].__file__)).parent.parent), hashed.hex()


if __name__ == "__main__":
    print(*_sample(), sep="\n")
