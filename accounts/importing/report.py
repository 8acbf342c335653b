"""What there is to say of a run: numbers and a few examples, so that it stays short however many rows there are."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO

from accounts.hashers import bcrypt_cost
from accounts.importing.judging import Choices
from accounts.importing.rows import Finding, Kind, Outcome, State
from accounts.models import ADMIN
from accounts.names import name_key

EXAMPLES = 5
# OWASP's minimum for bcrypt (Password Storage Cheat Sheet).
WEAK_BELOW = 10
LEAVES_OUT = list(Kind)[: list(Kind).index(Kind.COLLATION)]


class Report:
    """`every` is a file for what `lines` has only examples of: an object of JSON a line."""

    def __init__(self, choices: Choices, every: IO[str] | None = None) -> None:
        self._states: Counter[State] = Counter()
        self._kinds: Counter[Kind] = Counter()
        self._costs: Counter[int] = Counter()
        self._held: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()
        self._examples: dict[Kind, list[str]] = {}
        self._admins_to_come = dict(choices.admins)
        self._every = every

    @property
    def missing_admins(self) -> list[str]:
        """Who was named as an admin and is none in the old database, or does not come in."""
        return sorted(self._admins_to_come.values())

    def add(self, page: Iterable[Outcome]) -> None:
        for outcome in page:
            self._count(outcome)
            for finding in outcome.findings:
                self._note(outcome, finding)

    def _count(self, outcome: Outcome) -> None:
        held = {grant.role for grant in outcome.row.grants}
        self._states[outcome.state] += 1
        self._held.update(held)
        if outcome.state is State.COMES:
            self._costs[bcrypt_cost(outcome.password) or 0] += 1
            self._kept.update(grant.role for grant in outcome.grants)
        if ADMIN in held and self._admins_to_come and outcome.state is not State.LEFT_OUT:
            self._admins_to_come.pop(name_key((outcome.row.username or "").strip()), None)

    def _note(self, outcome: Outcome, finding: Finding) -> None:
        row, examples = outcome.row, self._examples.setdefault(finding.kind, [])
        self._kinds[finding.kind] += 1
        if len(examples) < EXAMPLES:
            # repr, because a name may hold what a terminal takes for a command.
            examples.append(f"id {row.id} {row.username!r}{f', {finding.about}' if finding.about else ''}")
        if self._every:
            told = {"id": row.id, "username": row.username, "email": row.email, "state": outcome.state.value}
            told |= {"finding": finding.kind.name.lower(), "about": finding.about, "id_here": outcome.user_id or None}
            self._every.write(json.dumps(told) + "\n")

    # --- in words

    def lines(self) -> Iterator[str]:
        yield "Accounts"
        yield from (_line(self._states[state], state.value) for state in State)
        yield from self._found("Left out", LEAVES_OUT)
        yield from self._found("Comes in, and deserves a look", [kind for kind in Kind if kind not in LEAVES_OUT])
        if self._held or self._kept:
            yield "\nRoles: held in the old database, and brought by those who come in"
            for role in sorted(self._held | self._kept):
                yield _line(self._held[role], f"{role!r}, of which {self._kept[role]:,} come in")
        yield from self._hashes()

    def _found(self, title: str, kinds: list[Kind]) -> Iterator[str]:
        found = [kind for kind in kinds if self._kinds[kind]]
        if found:
            yield f"\n{title}"
        for kind in found:
            yield _line(self._kinds[kind], kind.text)
            more = self._kinds[kind] - EXAMPLES
            said = [f"proposed: {kind.proposal}", *self._examples[kind], *([f"and {more:,} more"] if more > 0 else [])]
            yield from (f"             {line}" for line in said)

    def _hashes(self) -> Iterator[str]:
        if self._costs:
            yield "\nPassword hashes of those who come in, by the cost of bcrypt"
        for cost, number in sorted(self._costs.items()):
            weak = f", weak: below {WEAK_BELOW}" if cost < WEAK_BELOW else ""
            yield _line(number, f"cost {cost}{weak}; upgraded to Argon2id as each person signs in")
        if self._costs:
            costliest = max(self._costs)
            yield f"Until then each sign-in of anyone costs the work of a bcrypt hash of cost {costliest} on top."


def _line(number: int, text: str) -> str:
    return f"  {number:>9,}  {text}"
