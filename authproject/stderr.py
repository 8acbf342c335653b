"""Standard error, where all lines go: those of requests a moment late, so that many of them are one write.

While a thread writes, another one takes the interpreter, and the first has to wait for it: at each request that cost
more than all else about its line. Whatever else there is to say is written at once, after the lines that wait.
"""

import logging
import select
import time
from collections import deque
from contextlib import suppress
from multiprocessing import util
from threading import Event, Thread
from typing import Any

# Seconds. If the process is killed, the lines of so long are lost.
LATE = 0.05
# Lines. When so many wait, requests wait with them: whoever reads them is slow, or gone.
MOST = 10_000
# What a pipe takes as one piece, whoever else writes to it: so many bytes, which lines of JSON have as characters.
PIECE = select.PIPE_BUF


# What a logger finds out for each record, and no line of ours shows; somebody else's handler may ask for it.
_NOT_FOUND_OUT = {
    **dict.fromkeys(("pathname", "filename", "module"), ""),
    **dict.fromkeys(("lineno", "msecs", "relativeCreated"), 0),
    **dict.fromkeys(("exc_info", "exc_text", "stack_info", "funcName", "taskName"), None),
    **dict.fromkeys(("thread", "threadName", "process", "processName"), None),
}


class RequestLine(logging.LogRecord):
    """A record that may wait."""

    def __init__(self, name: str, level: int, event: dict[str, Any]) -> None:
        known = {"name": name, "msg": event, "args": (), "levelno": level, "levelname": logging.getLevelName(level)}
        self.__dict__ = {**_NOT_FOUND_OUT, **known, "created": time.time()}


class StderrHandler(logging.StreamHandler):
    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[str] = deque()
        self._some = Event()
        self._writer: Thread | None = None
        # The application server's workers do not end by way of `atexit`, which has logging flush its handlers.
        util.Finalize(None, self._flush_at_the_end, exitpriority=0)

    def handle(self, record: logging.LogRecord) -> bool:
        if not isinstance(record, RequestLine):
            return bool(super().handle(record))
        if not self.filter(record):
            return False
        try:
            self._waiting.append(self.format(record))
        except Exception:
            self.handleError(record)
        if not self._some.is_set():
            self._some.set()
            if self._writer is None:
                self._start_writer()
        if len(self._waiting) > MOST:
            self._flush_or_say_why_not()
        return True

    def emit(self, record: logging.LogRecord) -> None:
        if self._waiting:
            self._flush_or_say_why_not()
        super().emit(record)

    def flush(self) -> None:
        with self.lock:  # type: ignore[union-attr]
            piece = ""
            while self._waiting:
                line = self._waiting.popleft() + self.terminator
                if len(piece) + len(line) > PIECE:
                    self._write(piece)
                    piece = ""
                piece += line
            self._write(piece)

    def _write(self, piece: str) -> None:
        self.stream.write(piece)
        self.stream.flush()

    def _flush_or_say_why_not(self) -> None:
        try:
            self.flush()
        except Exception:
            self.handleError(logging.makeLogRecord({"msg": "Lines of requests could not be written."}))

    def _flush_at_the_end(self) -> None:
        """As logging.shutdown does; the stream may be closed already."""
        with suppress(OSError, ValueError):
            self.flush()

    def _start_writer(self) -> None:
        with self.lock:  # type: ignore[union-attr]
            if self._writer is None:
                self._writer = Thread(target=self._write_late, name="stderr", daemon=True)
                self._writer.start()

    def _write_late(self) -> None:
        while self._some.wait():
            time.sleep(LATE)
            self._some.clear()
            self._flush_or_say_why_not()
