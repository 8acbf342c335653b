"""Starting processes that outlive the command, and ending them: by their ids, and only those that we started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.cluster.layout import Refused

# In parentheses in /proc/PID/stat stands the program's name, which may hold anything; then the state, and much more.
STATE, USER_TICKS, SYSTEM_TICKS, STARTED = 0, 11, 12, 19
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One of the cluster's, known by a file that holds its id and when the system started it: an id alone may be
    somebody else's by now."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def pid(self) -> int | None:
        """None if it does not run."""
        with suppress(OSError, ValueError):
            pid, started = map(int, self._file.read_text().split())
            fields = _stat(pid)
            if int(fields[STARTED]) == started and fields[STATE] != "Z":
                return pid
        return None

    def start(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """In a session of its own, so that it and its children can be ended together. Raises Refused if it runs."""
        if self.pid:
            raise Refused(f"{self.name} runs already.")
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        self._file.write_text(f"{process.pid} {_stat(process.pid)[STARTED]}\n")
        # It is meant to outlive us: Python must not warn that it still runs.
        process.returncode = 0

    def send(self, number: signal.Signals) -> None:
        """To it and all its children. Raises Refused if it does not run."""
        if not (pid := self.pid):
            raise Refused(f"{self.name} does not run.")
        os.killpg(pid, number)

    def kill(self) -> None:
        """At once, as a crash would; returns when it is gone."""
        self.send(signal.SIGKILL)
        wait_until(lambda: not self.pid, 10, f"{self.name} does not die.")

    def stop(self, within: float = 30) -> None:
        """Asks it to end, and kills it after that many seconds. Nothing happens if it does not run."""
        if not (pid := self.pid):
            return
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        with suppress(Refused):
            wait_until(lambda: not self.pid, within, "")
            return
        self.kill()

    def children(self) -> list[int]:
        pid = self.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] if pid else []

    def cpu_seconds(self) -> float:
        """What it and its children have used."""
        used = [_stat(pid) for pid in [self.pid or 0, *self.children()]]
        return sum(int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS]) for fields in used) / TICKS


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def wait_until(holds: Callable[[], bool], seconds: float, complaint: str) -> None:
    """Raises Refused with the complaint if it does not come to hold in that many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise Refused(complaint)
        time.sleep(0.05)
