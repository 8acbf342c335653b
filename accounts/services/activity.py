"""How much went on in the last days, as the audit trail tells: sign-ins, failures, new accounts."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count
from django.utils import timezone

from accounts.models import Action, AuditEntry, DailyCount
from accounts.transactions import retrying

DAYS = 30
ONE_DAY = timedelta(days=1)
COUNTED_AS = {
    Action.SIGNED_IN: "sign_ins",
    Action.SIGN_IN_FAILED: "failures",
    Action.SIGNED_UP: "new_accounts",
    Action.ACCOUNT_CREATED: "new_accounts",
}
# After that no entry of the day is on its way any more, nor do the servers' clocks differ by so much.
SETTLED_AFTER = timedelta(hours=1)
# Seconds for which days are counted that are not remembered; the others wait until somebody asks again.
PATIENCE = 2.0


@dataclass(frozen=True)
class Day:
    """`count` is None for a day of which the trail has no record, and for one that was not counted yet."""

    day: date
    count: DailyCount | None
    is_on_record: bool


@retrying
def last_days() -> list[Day]:
    """The last DAYS days in UTC, today included, oldest first."""
    now = timezone.now()
    today = now.astimezone(UTC).date()
    days = [today - ONE_DAY * number for number in range(DAYS)]
    counts = DailyCount.objects.in_bulk(days)
    begin = _on_record_since(days[-1], today)
    counted = _count([day for day in days if day >= begin and day not in counts])
    _remember([count for count in counted if _midnight(count.day) + ONE_DAY + SETTLED_AFTER <= now], days[-1], today)
    counts |= {count.day: count for count in counted}
    return [Day(day, counts.get(day), is_on_record=day >= begin or day in counts) for day in reversed(days)]


def _on_record_since(first: date, today: date) -> date:
    """The first day, not before `first`, of which the trail has all: nothing was pruned of it, and the trail had begun.
    A pruning before `first` reached only what is older still."""
    oldest = AuditEntry.objects.order_by("at").values_list("at", flat=True).first()
    prunings = AuditEntry.objects.filter(action=Action.AUDIT_PRUNED, at__gte=_midnight(first)).order_by()
    whole = [_first_whole_day(*pruning) for pruning in prunings.values_list("at", "detail")]
    return max([first, oldest.astimezone(UTC).date() if oldest else today, *whole])


def _first_whole_day(at: datetime, detail: str) -> date:
    """After a pruning. Where its entry does not say until when, nothing before it is taken for whole."""
    try:
        pruned_until = datetime.fromisoformat(json.loads(detail)["before"])
    except (ValueError, TypeError, KeyError):
        pruned_until = at
    return pruned_until.astimezone(UTC).date() + ONE_DAY


def _count(days: Iterable[date]) -> list[DailyCount]:
    """Of the days as far as PATIENCE goes, and of the first in any case."""
    counted: list[DailyCount] = []
    ends = time.monotonic() + PATIENCE
    for day in days:
        if counted and time.monotonic() > ends:
            break
        counted.append(_count_of(day))
    return counted


def _count_of(day: date) -> DailyCount:
    """By the index of actions and moments, and nothing else of the entries."""
    begin = _midnight(day)
    entries = AuditEntry.objects.filter(action__in=list(COUNTED_AS), at__gte=begin, at__lt=begin + ONE_DAY)
    count = DailyCount(day=day, sign_ins=0, failures=0, new_accounts=0)
    for action, number in entries.order_by().values_list("action").annotate(number=Count("*")):
        name = COUNTED_AS[Action(action)]
        setattr(count, name, getattr(count, name) + number)
    return count


def _remember(counts: list[DailyCount], first: date, today: date) -> None:
    """For good, so not where they were being pruned while they were counted: a pruning is recorded before it begins."""
    if counts:
        begin = _on_record_since(first, today)
        whole = [count for count in counts if count.day >= begin]
        DailyCount.objects.bulk_create(whole, ignore_conflicts=True)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
