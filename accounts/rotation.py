"""What a presented refresh token means: 'rotation confirmed by use', as one pure function."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto


@dataclass(frozen=True)
class Known:
    """What a session knows of its refresh tokens.

    `generation` is the highest one whose possession a client has proved, `current_issued_at` when the very
    token that proved it was issued, `confirmed_at` when it was presented first.
    """

    generation: int
    current_issued_at: datetime
    confirmed_at: datetime


class Verdict(Enum):
    CONFIRMS = auto()
    """The first use of a successor: from now on all tokens before it are retired."""
    REPEATS = auto()
    """The current token again (its answer was lost, or the client keeps no successors), or a twin of it."""
    REUSED = auto()
    """A retired token: two parties hold copies of this session's tokens."""


def judge(known: Known, *, generation: int, issued_at: datetime, now: datetime, grace: timedelta) -> Verdict:
    """What follows when the refresh token of `generation`, issued at `issued_at`, is presented `now`.

    Every answer holds a successor of generation `known.generation + 1`, so a thief who keeps in step with the
    owner gets a successor of his own; they differ in when they were issued, and the second to be used is REUSED.
    Within `grace`, which zero turns off, such twins are taken for two tabs or a lost answer.
    """
    if generation > known.generation:
        return Verdict.CONFIRMS
    if generation == known.generation and abs(issued_at - known.current_issued_at) <= grace:
        return Verdict.REPEATS
    if generation == known.generation - 1 and now - known.confirmed_at < grace:
        return Verdict.REPEATS
    return Verdict.REUSED
