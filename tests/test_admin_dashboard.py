"""The first page of the admin: what is counted of the last days, what is remembered, and how it is drawn."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import dashboard, services
from accounts.chart import Bar, Scale, columns, short
from accounts.models import Action, Actor, AuditEntry, DailyCount, Session, User
from accounts.services import activity

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=90)


@pytest.fixture(autouse=True)
def clock() -> Any:
    """It is noon, and stays it unless a test moves it."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def admin(make_user: MakeUser) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(make_user("root", "admin"))
    return browser


def at(moment: datetime, action: Action = Action.SIGNED_IN, number: int = 1, **fields: Any) -> None:
    """So many entries of that moment."""
    for _ in range(number):
        entry = AuditEntry(at=moment, action=action, via="api", **fields)
        entry.mac = entry.expected_mac()
        entry.save(force_insert=True)


def counts() -> dict[date, tuple[int, int, int] | str]:
    """By day; of a day without a count, why."""
    found: dict[date, tuple[int, int, int] | str] = {}
    for day in services.last_days():
        count = day.count
        why = "not yet" if day.is_on_record else "no record"
        found[day.day] = (count.sign_ins, count.failures, count.new_accounts) if count else why
    return found


def days_ago(number: int) -> date:
    return NOON.date() - timedelta(days=number)


# --- what is counted


def test_there_are_thirty_days_and_today_is_the_last() -> None:
    assert list(counts()) == [days_ago(number) for number in range(29, -1, -1)]


def test_each_kind_is_counted_by_itself() -> None:
    at(LONG_AGO)
    yesterday = NOON - timedelta(days=1)
    at(yesterday, Action.SIGNED_IN, 3)
    at(yesterday, Action.SIGN_IN_FAILED, 2)
    at(yesterday, Action.SIGNED_UP)
    at(yesterday, Action.ACCOUNT_CREATED)
    at(yesterday, Action.SIGNED_OUT)
    assert counts()[days_ago(1)] == (3, 2, 2)


def test_a_day_begins_at_midnight_utc_and_ends_before_the_next() -> None:
    at(LONG_AGO)
    midnight = NOON.replace(hour=0)
    for moment in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=11)):
        at(moment)
    found = counts()
    assert (found[days_ago(1)], found[days_ago(0)]) == ((1, 0, 0), (2, 0, 0))


def test_a_day_on_which_nothing_happened_is_zero() -> None:
    at(LONG_AGO)
    assert counts()[days_ago(7)] == (0, 0, 0)


def test_of_days_before_the_first_entry_there_is_no_record() -> None:
    at(NOON - timedelta(days=3))
    found = counts()
    assert (found[days_ago(4)], found[days_ago(3)], found[days_ago(2)]) == ("no record", (1, 0, 0), (0, 0, 0))


# --- what is remembered


def test_a_day_that_is_over_is_counted_once(clock: time_machine.Traveller) -> None:
    at(LONG_AGO)
    at(NOON - timedelta(days=2))
    before = counts()
    with CaptureQueriesContext(connection) as captured:
        assert counts() == before
    assert sum("COUNT(" in query["sql"] for query in captured) == 1


def test_today_is_not_remembered() -> None:
    at(NOON)
    counts()
    at(NOON, number=2)
    assert counts()[days_ago(0)] == (3, 0, 0)


def test_yesterday_is_remembered_an_hour_after_midnight(clock: time_machine.Traveller) -> None:
    at(LONG_AGO)
    midnight = NOON.replace(hour=0)
    for moment, remembered in ((midnight + timedelta(minutes=59), False), (midnight + timedelta(minutes=60), True)):
        clock.move_to(moment)
        counts()
        assert DailyCount.objects.filter(day=days_ago(1)).exists() is remembered


def test_two_who_count_at_once_remember_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    at(LONG_AGO)
    count_of = activity._count_of

    def overtaken(day: date) -> DailyCount:
        DailyCount.objects.bulk_create([count_of(day)], ignore_conflicts=True)
        return count_of(day)

    monkeypatch.setattr(activity, "_count_of", overtaken)
    counts()
    assert DailyCount.objects.count() == 30


# --- what was pruned


def prune(before: datetime, detail: str = "") -> None:
    """As accounts/sealing.py leaves it: the pruning is recorded, and what is older is gone."""
    at(timezone.now(), Action.AUDIT_PRUNED, detail=detail or json.dumps({"before": before.isoformat(), "seals": 1}))
    AuditEntry.objects.filter(at__lt=before).delete()


def test_of_a_day_that_was_pruned_there_is_no_record() -> None:
    for number in range(12):
        at(NOON - timedelta(days=number))
    prune(NOON - timedelta(days=9))
    found = counts()
    assert (found[days_ago(10)], found[days_ago(9)], found[days_ago(8)]) == ("no record", "no record", (1, 0, 0))


def test_a_day_that_was_kept_by_chance_is_not_taken_for_whole() -> None:
    at(NOON - timedelta(days=20))
    at(NOON, Action.AUDIT_PRUNED, detail=json.dumps({"before": (NOON - timedelta(days=10)).isoformat()}))
    assert counts()[days_ago(20)] == "no record"


def test_what_was_remembered_outlives_the_pruning() -> None:
    at(LONG_AGO)
    at(NOON - timedelta(days=9))
    before = counts()
    prune(NOON - timedelta(days=5))
    assert counts() == before


def test_a_day_that_is_pruned_while_it_is_counted_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    at(LONG_AGO)
    at(NOON - timedelta(days=5))
    count = activity._count

    def slow(days: Any) -> list[DailyCount]:
        prune(NOON - timedelta(days=5))
        return count(days)

    monkeypatch.setattr(activity, "_count", slow)
    counts()
    assert sorted(DailyCount.objects.values_list("day", flat=True)) == [days_ago(number) for number in (4, 3, 2, 1)]


@pytest.mark.parametrize("detail", ["", "{", "[]", "7", '{"before": 7}', '{"before": "soon"}'])
def test_a_pruning_that_does_not_say_how_far_it_went_leaves_nothing_certain(detail: str) -> None:
    at(LONG_AGO)
    at(NOON - timedelta(days=2), Action.AUDIT_PRUNED, detail=detail)
    found = counts()
    assert (found[days_ago(2)], found[days_ago(1)]) == ("no record", (0, 0, 0))


# --- when there is too much


def test_what_takes_too_long_is_counted_at_the_next_visits(monkeypatch: pytest.MonkeyPatch) -> None:
    at(LONG_AGO)
    monkeypatch.setattr(activity, "PATIENCE", -1)
    found = counts()
    assert (found[days_ago(0)], found[days_ago(1)]) == ((0, 0, 0), "not yet")
    monkeypatch.setattr(activity, "PATIENCE", 60)
    assert "not yet" not in counts().values()


def test_of_very_many_sessions_it_says_that_there_are_at_least_so_many(
    monkeypatch: pytest.MonkeyPatch, make_user: MakeUser, sign_in: SignIn
) -> None:
    make_user("alice")
    for _ in range(3):
        sign_in("alice")
    assert dashboard._live_sessions() == "3"
    monkeypatch.setattr(dashboard, "SESSIONS_LOOKED_AT", 2)
    assert dashboard._live_sessions() == "3+"


def test_sessions_that_are_over_are_not_live(make_user: MakeUser, sign_in: SignIn) -> None:
    alice = make_user("alice")
    sign_in("alice")
    sign_in("alice")
    services.revoke_sessions(Session.objects.filter(pk=Session.objects.latest("opened_at").pk), user=alice, by=Actor())
    assert dashboard._live_sessions() == "1"
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert dashboard._live_sessions() == "0"


# --- the page


def page(admin: Client) -> str:
    response = admin.get("/admin/")
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_asks_a_fixed_number_of_times(admin: Client, make_user: MakeUser, sign_in: SignIn) -> None:
    page(admin)
    for number in range(3):
        make_user(f"user{number}")
        sign_in(f"user{number}")
        services.set_active(user=User.objects.get(username=f"user{number}"), active=False, by=Actor(via="admin"))
    with CaptureQueriesContext(connection) as captured:
        page(admin)
    session, user, role = 1, 1, 1
    remembered, oldest, prunings, today = 1, 1, 1, 1
    people, inactive, admins, live, newest = 1, 1, 1, 1, 1
    asked = session + user + role + remembered + oldest + prunings + today
    assert len(captured) == asked + people + inactive + admins + live + newest


def test_each_day_has_its_numbers_in_the_drawing_and_in_the_table(admin: Client) -> None:
    at(LONG_AGO)
    at(NOON - timedelta(days=1), Action.SIGN_IN_FAILED, 1234)
    found = page(admin)
    assert "<title>Saturday, 14 March 2026: 0 sign-ins, 1,234 failed sign-ins, 0 new accounts</title>" in found
    assert re.search(r'2026-03-14">Sat, 14 Mar 2026</time></th><td>0</td><td>1,234</td><td>0</td>', found)


def test_the_drawing_is_named_and_described(admin: Client) -> None:
    found = page(admin)
    assert 'role="img" aria-labelledby="chart-title chart-description"' in found
    assert "0 sign-ins, 0 failed sign-ins, 1 new accounts in 1 days." in found


def test_the_page_says_of_which_days_there_is_no_record(admin: Client) -> None:
    assert "Monday, 9 March 2026: no record" in page(admin)
    assert "No record</li>" in page(admin)


def test_what_marks_those_days_covers_no_title_and_no_scale(admin: Client) -> None:
    drawing = page(admin).partition("<svg role")[2].partition("</svg>")[0]
    assert drawing.rindex('class="unknown"') < drawing.index('class="part"')


def test_the_page_says_that_not_all_is_counted_yet(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    at(LONG_AGO)
    monkeypatch.setattr(activity, "PATIENCE", -1)
    assert "Some days are not counted yet." in page(admin)


def test_nothing_in_the_page_has_a_style_of_its_own(admin: Client) -> None:
    found = page(admin)
    assert (found.count("style="), found.count("<style")) == (0, 0)


def test_numbers_lead_to_their_lists(admin: Client) -> None:
    for url in re.findall(r'<li><a href="([^"]+)"><span class="name">', page(admin)):
        assert admin.get(url).status_code == 200


def test_what_was_done_in_the_admin_of_late_names_who_and_whom(admin: Client, make_user: MakeUser) -> None:
    by = Actor(user_id=User.objects.get(username="root").pk, via="admin")
    services.set_active(user=make_user("alice"), active=False, by=by)
    assert re.search(r"Account deactivated</a>: alice\s+<span class=\"note\">by root, ", page(admin))


def test_who_holds_no_admin_role_sees_nothing_of_it(client: Client, make_user: MakeUser) -> None:
    client.force_login(make_user("alice", "moderator"))
    response = client.get("/admin/")
    assert (response.status_code, response["Location"]) == (302, "/admin/login/?next=/admin/")


def test_a_database_that_is_lost_while_it_counts_is_said_on_the_page(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(day: date) -> DailyCount:
        raise OperationalError(2013, "Lost connection to server during query")

    monkeypatch.setattr(activity, "_count_of", lost)
    response = admin.get("/admin/")
    assert (response.status_code, response["Retry-After"]) == (503, "2")


# --- the drawing


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (4, ["0", "1", "2", "3", "4"]),
        (5, ["0", "2", "4", "6"]),
        (17, ["0", "5", "10", "15", "20"]),
        (690, ["0", "200", "400", "600", "800"]),
        (99_501, ["0", "50k", "100k"]),
        (5_200_000, ["0", "2M", "4M", "6M"]),
    ],
)
def test_a_scale_has_round_steps(largest: int, ticks: list[str]) -> None:
    assert [tick.label for tick in Scale(largest, 0, 100).ticks] == ticks


@pytest.mark.parametrize("largest", [0, 1, 3, 9, 10, 11, 399, 401, 999_999, 10**9])
def test_the_largest_number_fits_on_its_scale(largest: int) -> None:
    scale = Scale(largest, 0, 100)
    assert scale.end >= largest
    assert 2 <= len(scale.ticks) <= 6


def test_bars_stand_on_each_other() -> None:
    bars = Scale(100, 0, 200).stacked({"sign_ins": 50, "failures": 25})
    assert bars == [Bar("sign_ins", 100, 100), Bar("failures", 50, 50)]


def test_nothing_is_drawn_for_none() -> None:
    assert Scale(100, 0, 200).stacked({"sign_ins": 0, "failures": 100}) == [Bar("failures", 0, 200)]


def test_columns_fill_the_width() -> None:
    assert [(column.x, column.width, column.middle) for column in columns(4)] == [
        (0, 25, 12.5),
        (25, 25, 37.5),
        (50, 25, 62.5),
        (75, 25, 87.5),
    ]


@pytest.mark.parametrize(("number", "said"), [(999, "999"), (1000, "1k"), (2500, "2.5k"), (2_500_000, "2.5M")])
def test_large_numbers_are_short(number: int, said: str) -> None:
    assert short(number) == said
