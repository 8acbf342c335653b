"""A real Redis for tests: in a temporary folder, on a free port of the loopback, keeping nothing."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from tests.live import free_port


@dataclass
class RedisServer:
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, folder: Path) -> "RedisServer":
        """Skips the test where there is no redis-server; CI counts that as a failure."""
        if not shutil.which("redis-server"):
            say = pytest.fail if os.environ.get("CI") else pytest.skip
            say("redis-server was not found (Debian: apt-get install redis-server)")
        server = cls(folder, free_port())
        server.come_back()
        return server

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def come_back(self) -> None:
        """Ready to answer, and empty, when it returns; raises ConnectionError if it does not come up."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.client().ping()
            except redis.ConnectionError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def go_away(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(timeout=30)
            self.process = None
