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


def make() -> int:
    """The exit code of the script, which says itself why it could not. Does nothing where that is done already."""
    venv.create(VENV, symlinks=True)
    [packages] = VENV.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text(sysconfig.get_path("platlib"))
    # As where new files are private: the tests look whether another user may read these all the same.
    return subprocess.run([SCRIPT, VENV], check=False, umask=0o077).returncode


if __name__ == "__main__":
    sys.exit(make())
