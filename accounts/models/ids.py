"""Ids that are never given twice."""

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562 section 5.7): rows are added in the order of their keys, and no id ever
    comes back after a backup was restored, as a counted one would."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


# The name under which the first migration knows it.
new_session_id = new_id
