"""A file of variables."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def env_file(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "env"
        path.write_text(text)
        return str(path)

    return write
