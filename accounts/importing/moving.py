"""One run over the old database: page by page, each page one transaction, and settled anew if it lost a race."""

from collections.abc import Iterator

from django.db import IntegrityError
from django.db.models import Max

from accounts.importing.claims import Claims
from accounts.importing.judging import Choices, judge
from accounts.importing.rows import Outcome, Row, State
from accounts.importing.settling import HIGHEST_ID, settle
from accounts.importing.source import ExpressDatabase
from accounts.importing.writing import write
from accounts.models import Actor, Role, User
from accounts.services import seed_roles
from accounts.services.roles import is_good_name
from accounts.transactions import once

# Each lost race means that somebody signed up with a name, an email or an id of the page, so more than these are none.
LOST_RACES = 20


class Move:
    """Always over all of the old database, whatever came in before: so a run that was stopped is run again."""

    def __init__(self, source: ExpressDatabase, choices: Choices, *, by: Actor) -> None:
        self._source, self._choices, self._by = source, choices, by
        self._claims = Claims()
        # New ids are above all the old ones, so that none is taken from a row that is still to come.
        self._highest_id = source.highest_id(HIGHEST_ID)
        self._good_roles = frozenset(name for name in source.roles() if is_good_name(name))

    def rehearse(self) -> Iterator[list[Outcome]]:
        """What would become of each row, page by page. Writes nothing."""
        for page in self._source.pages():
            yield self._gone_by(self._settled(self._judged(page)))

    def carry_out(self) -> Iterator[list[Outcome]]:
        """What became of each row, page by page, each of which is done by then."""
        seed_roles(sorted(self._good_roles), by=self._by)
        self._role_ids = dict(Role.objects.values_list("name", "id"))
        for page in self._source.pages():
            yield self._gone_by(self._bring(self._judged(page)))

    def _judged(self, page: list[Row]) -> list[Outcome]:
        return [judge(row, self._claims, self._choices, self._good_roles) for row in page]

    def _settled(self, judged: list[Outcome]) -> list[Outcome]:
        highest = User.objects.aggregate(highest=Max("pk"))["highest"] or 0
        return settle(judged, self._source.name, max(self._highest_id, highest), self._choices)

    def _gone_by(self, settled: list[Outcome]) -> list[Outcome]:
        """A rehearsal's new ids are nowhere but here."""
        self._highest_id = max([self._highest_id, *(outcome.user_id for outcome in settled)])
        return settled

    def _bring(self, judged: list[Outcome]) -> list[Outcome]:
        lost = 0
        while True:
            try:
                return self._settle_and_write(judged)
            except IntegrityError:
                if (lost := lost + 1) > LOST_RACES:
                    raise

    @once
    def _settle_and_write(self, judged: list[Outcome]) -> list[Outcome]:
        settled = self._settled(judged)
        if coming := [outcome for outcome in settled if outcome.state is State.COMES]:
            write(coming, self._role_ids, self._source.name, self._by)
        return settled
