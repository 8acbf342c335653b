"""A virtual environment that has all that this one has, and Argon2 compiled for newer processors beside it.

`python -m bench.compiled_hash` makes it: for the benchmark, and for tests/test_processor.py.
"""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "script" / "compile-hash"
VENV = Path(sys.prefix) / "compiled"
PYTHON = VENV / "bin" / "python"


def make() -> None:
    """Does nothing where that is done already. Raises CalledProcessError where it cannot be compiled."""
    venv.create(VENV, symlinks=True)
    [packages] = VENV.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text(sysconfig.get_path("platlib"))
    subprocess.run([SCRIPT, VENV], check=True)


if __name__ == "__main__":
    make()
