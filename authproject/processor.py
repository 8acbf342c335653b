"""Argon2 compiled for newer processors (script/compile-hash), beside the wheel that any can run: which one to take."""

import platform
import sys
from importlib.metadata import distributions, version
from pathlib import Path

from structlog import get_logger

log = get_logger(__name__)
# A level of x86-64 (System V ABI, AMD64, section 3.1.1), and what Linux calls that which it asks for: abm is LZCNT.
LEVEL = "x86-64-v3"
_ASKED = {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
_BINDINGS = "argon2-cffi-bindings"
_CPU = Path("/proc/cpuinfo")


def compiled_for_it() -> list[str]:
    """The folder that Python is to look into first; none where nothing was compiled, where the processor cannot run
    it, or where it is of another version than what is installed."""
    folder = Path(sys.prefix) / LEVEL
    compiled = [found.version for found in distributions(name=_BINDINGS, path=[str(folder)])]
    if not compiled or not is_new_enough():
        return []
    if compiled != [version(_BINDINGS)]:
        log.warning("the compiled hash is of another version and is not used; script/compile-hash makes a new one")
        return []
    log.info("passwords are hashed by what was compiled for this processor", made_for=LEVEL)
    return [str(folder)]


def is_new_enough() -> bool:
    """Whether this processor knows all instructions of that level, as far as Linux says."""
    if platform.machine() != "x86_64" or not _CPU.exists():
        return False
    flags = next((line for line in _CPU.read_text().splitlines() if line.startswith("flags")), "")
    return set(flags.split()) >= _ASKED
