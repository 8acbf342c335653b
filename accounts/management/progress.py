"""A line at the terminal that says how far a long command is."""

import sys
import time
from types import TracebackType

WIDTH = 30  # characters
REDRAWN_EVERY = 0.2  # seconds


class Progress:
    """On standard error, and only where that is a terminal: a log wants the outcome alone."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._began_at, self._drawn_at = time.monotonic(), 0.0
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._is_shown:
            self._draw()
            print(file=sys.stderr)

    def add(self, number: int) -> None:
        self._done += number
        if self._is_shown and time.monotonic() - self._drawn_at >= REDRAWN_EVERY:
            self._draw()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        part = min(self._done / self._total, 1) if self._total else 1
        bar = "#" * int(part * WIDTH)
        said = f"{self._done:,} of {self._total:,}, {self._drawn_at - self._began_at:.0f} s"
        print(f"\r[{bar:.<{WIDTH}}] {part:4.0%}  {said}  ", end="", file=sys.stderr, flush=True)
