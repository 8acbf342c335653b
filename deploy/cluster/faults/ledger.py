"""What the clients were told: every answer, and what follows from the good ones."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock

from deploy.cluster.client import Answer


@dataclass(frozen=True)
class Seen:
    kind: str
    at: float
    status: int
    good: bool


@dataclass
class Person:
    """Somebody who asked for an account. `exists` is None while no answer has told."""

    name: str
    exists: bool | None = None
    # Whether they hold `moderator`, as far as an admin was told; None once an answer to that was lost.
    moderates: bool | None = False


@dataclass
class Ledger:
    seen: list[Seen] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    # Promises that were broken, each in a sentence.
    broken: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def note(self, kind: str, answer: Answer, *, good: bool) -> None:
        with self._lock:
            self.seen.append(Seen(kind, time.monotonic(), answer.status, good))

    def complain(self, text: str) -> None:
        with self._lock:
            self.broken.append(text)

    def admit(self, person: Person) -> None:
        with self._lock:
            self.people.append(person)

    def between(self, start: float, end: float) -> list[Seen]:
        with self._lock:
            return [each for each in self.seen if start <= each.at <= end]


def longest_gap(moments: Iterable[float], start: float, end: float) -> float:
    """Seconds in which none of the moments lies, at most, from `start` to `end`."""
    marks = [start, *sorted(moments), end]
    return max(after - before for before, after in pairwise(marks))


def failures(seen: Iterable[Seen]) -> dict[int, int]:
    """How many answers there were of each 5xx; 0 counts those that never came."""
    return dict(sorted(Counter(each.status for each in seen if each.status == 0 or each.status >= 500).items()))
