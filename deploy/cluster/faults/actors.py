"""How a user of the service goes about it: one thing after the other, noting what an honest client would mind."""

import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from deploy.cluster.client import Answer, Client
from deploy.cluster.faults.ledger import Ledger, Person

PASSWORD = "correct horse battery"
# Seconds between two tries of what was not answered, and after how many an actor gives up.
PAUSE, GIVES_UP = 0.5, 30.0
numbers = itertools.count()


class Broken(Exception):
    """A promise that was not kept."""


@dataclass
class Actor(ABC):
    ledger: Ledger
    port: int
    stop: Event
    every: float  # seconds
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(self.port, address(next(numbers)))
        # Of the session of who stays.
        self.tokens: Any = None

    def run(self) -> None:
        """Until `stop`; nothing that goes wrong in a step ends it unseen."""
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                self.step()
            except Exception as error:
                self.ledger.complain(f"{type(self).__name__} did not expect {error!r}")
            self.stop.wait(max(self.every - (time.monotonic() - began), 0.02))

    @abstractmethod
    def step(self) -> None: ...

    def ask(self, kind: str, request: Callable[[], Answer], *good: int) -> Answer | None:
        """The first answer that was not lost, tried for GIVES_UP and at least once; None if there was none. `good`
        are the statuses that an undisturbed service gives."""
        deadline = time.monotonic() + GIVES_UP
        while True:
            answer = request()
            self.ledger.note(kind, answer, good=answer.status in good)
            if not answer.is_lost:
                return answer
            if time.monotonic() > deadline or self.stop.is_set():
                return None
            time.sleep(PAUSE)

    def expect(self, kind: str, request: Callable[[], Answer], status: int, promise: str) -> Any:
        """The body of the answer, None without one. Raises Broken, with the promise, for any other status."""
        answer = self.ask(kind, request, status)
        if answer and answer.status != status:
            raise Broken(f"{promise}: {answer}")
        return answer.body if answer else None

    def sign_in(self, person: Person) -> Any:
        promise = f"{person.name} had signed up and may not sign in"
        return self.expect("sign-in", lambda: self.client.sign_in(person.name, PASSWORD), 200, promise)


def address(number: int) -> str:
    """One of the loopback's, for each a different one."""
    return f"127.{1 + number // 65_536 % 250}.{number // 256 % 256}.{number % 256}"
