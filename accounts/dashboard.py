"""What the first page of the admin shows: the last days as a chart and a table, and how many there are of what."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.chart import Bar, Column, Scale, columns
from accounts.models import ADMIN, AuditEntry, RoleGrant, Session, User, Via
from accounts.pagination import counted, up_to
from accounts.services import Day

# How many of the sessions whose time has not run out are looked at for those that are live.
SESSIONS_LOOKED_AT = 5_000
NEWEST = 10
# Pixels from the top: where the two parts of the chart begin and end. The style sheet knows the height of the whole.
SIGN_INS, NEW_ACCOUNTS = (28, 208), (262, 322)
# So many days apart are the labels below the chart, counted from today; on a phone there is room for every other one.
LABELLED = 7
NAMES = {"sign_ins": "sign-ins", "failures": "failed sign-ins", "new_accounts": "new accounts"}


@dataclass(frozen=True)
class Number:
    name: str
    value: str
    note: str
    url: str


@dataclass(frozen=True)
class ShownDay:
    """`numbers` are in the order of NAMES; for a day of which they are not known, there are none, and `unknown` says
    why."""

    day: date
    numbers: tuple[int, ...]
    unknown: str
    bars: list[Bar]
    column: Column
    age: int  # in days

    @property
    def is_labelled(self) -> bool:
        return self.age % LABELLED == 0

    @property
    def is_labelled_on_phones(self) -> bool:
        return self.age % (2 * LABELLED) == 0

    @property
    def cells(self) -> list[str]:
        return [f"{number:,}" for number in self.numbers]

    @property
    def said(self) -> str:
        return f"{self.day:%A, %-d %B %Y}: {self.unknown or _told(self.numbers)}"


@dataclass(frozen=True)
class Chart:
    parts: dict[str, Scale]
    days: list[ShownDay]
    description: str
    has_gaps: bool
    is_unfinished: bool


def shown() -> dict[str, Any]:
    """For the page's template."""
    return {"chart": chart(), "numbers": numbers(), "newest": newest()}


def chart() -> Chart:
    days = services.last_days()
    known = [day.count for day in days if day.count]
    parts = {
        "Sign-ins": Scale(max(day.sign_ins + day.failures for day in known), *SIGN_INS),
        "New accounts": Scale(max(day.new_accounts for day in known), *NEW_ACCOUNTS),
    }
    places = zip(days, columns(len(days)), strict=True)
    shown = [_shown(day, column, parts, days[-1].day) for day, column in places]
    return Chart(
        parts=parts,
        days=shown,
        description=_described([day for day in shown if day.numbers]),
        has_gaps=not all(day.is_on_record for day in days),
        is_unfinished=any(day.is_on_record and not day.count for day in days),
    )


def numbers() -> list[Number]:
    people = reverse("admin:accounts_user_changelist")
    inactive = counted(User.objects.filter(is_active=False))
    admins = RoleGrant.objects.filter(role__name=ADMIN, user__is_active=True)
    return [
        Number("People", up_to(counted(User.objects.all())), f"{up_to(inactive)} of them not active", people),
        Number("Admins", up_to(counted(admins)), "who are active", f"{people}?role={ADMIN}"),
        Number("Live sessions", _live_sessions(), "of all people", reverse("admin:accounts_session_changelist")),
    ]


def newest() -> QuerySet[AuditEntry]:
    """What was done in the admin of late."""
    return services.with_names(AuditEntry.objects.filter(via=Via.ADMIN).order_by("-at", "-id"))[:NEWEST]


def _shown(day: Day, column: Column, parts: dict[str, Scale], today: date) -> ShownDay:
    count, bars = day.count, list[Bar]()
    if count:
        bars = parts["Sign-ins"].stacked({"sign_ins": count.sign_ins, "failures": count.failures})
        bars += parts["New accounts"].stacked({"new_accounts": count.new_accounts})
    return ShownDay(
        day=day.day,
        numbers=(count.sign_ins, count.failures, count.new_accounts) if count else (),
        unknown="" if count else "not counted yet" if day.is_on_record else "no record",
        bars=bars,
        column=column,
        age=(today - day.day).days,
    )


def _told(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"{number:,} {name}" for number, name in zip(numbers, NAMES.values(), strict=True))


def _described(days: list[ShownDay]) -> str:
    """Days of which the numbers are known."""
    sums = tuple(sum(column) for column in zip(*(day.numbers for day in days), strict=True))
    busiest = max(days, key=lambda day: day.numbers)
    return f"{_told(sums)} in {len(days)} days. Most sign-ins on {busiest.said}."


def _live_sessions() -> str:
    """Those beyond the first SESSIONS_LOOKED_AT may be revoked, all of them: so that there are at least so many."""
    now = timezone.now()
    is_live = Q(revoked_at=None, expires_at__gt=now, user__is_active=True, user__sessions_version=F("sessions_version"))
    looked_at = Session.objects.filter(idle_expires_at__gt=now).order_by()[: SESSIONS_LOOKED_AT + 1]
    found = looked_at.aggregate(all=Count("pk"), live=Count("pk", filter=is_live))
    return f"{found['live']:,}" + ("+" if found["all"] > SESSIONS_LOOKED_AT else "")
