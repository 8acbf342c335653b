"""What the import decides without asking a database: about names and hashes, and about what the operator typed."""

import io
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import assume, example, given
from hypothesis import strategies as st

from accounts.errors import InvalidUsername
from accounts.importing import Choices, ExpressDatabase, Kind, Move, Report
from accounts.importing.claims import Claims
from accounts.importing.judging import judge
from accounts.importing.rows import OldGrant, Outcome, Row, State
from accounts.management import progress
from accounts.models import Actor, User
from accounts.names import clean_username, name_key, old_username

pytestmark = pytest.mark.no_database

HASH = "$2a$08$abcdefghijklmnopqrstuuwezlW09AGl.Qc8oiYvHEzrpumH/GaSu"
WHEN = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
ROLES = frozenset({"user", "moderator", "admin", "editor"})


def row(id_: int = 1, username: str | None = "bob", **other: Any) -> Row:
    values = {"email": f"user{id_}@example.com", "password": HASH, "created_at": WHEN, **other}
    return Row(id_, username, **values)


def judged(*rows: Row, choices: Choices = Choices()) -> list[Outcome]:  # noqa: B008
    claims = Claims()
    return [judge(each, claims, choices, ROLES) for each in rows]


def kinds(outcome: Outcome) -> list[Kind]:
    return [finding.kind for finding in outcome.findings]


def old_name(raw: str) -> str:
    """Only the good ones."""
    try:
        return old_username(raw)
    except InvalidUsername:
        assume(False)
        raise


# --- names


@given(raw=st.text(max_size=20))
@example("mary jane")
@example("¨bob")
@example("\u00a0bob\u3000smith")
def test_a_name_that_comes_in_has_the_key_of_what_its_owner_types(raw: str) -> None:
    assert name_key(old_name(raw)) == name_key(raw.strip())


@given(raw=st.text(max_size=20))
def test_a_name_that_came_in_would_come_in_as_itself(raw: str) -> None:
    assert old_username(old_name(raw)) == old_name(raw)


@given(raw=st.text(min_size=3, max_size=20))
def test_whatever_may_be_chosen_today_may_come_in(raw: str) -> None:
    try:
        today = clean_username(raw)
    except InvalidUsername:
        return
    assert old_username(raw) == today


@given(hidden=st.characters(categories=["C", "Zl", "Zp"]))
@example("\x00")
@example("\u202e")
@example("\ufe0f")
@example("\u3164")
def test_what_is_not_seen_does_not_come_in(hidden: str) -> None:
    with pytest.raises(InvalidUsername):
        old_username(f"bo{hidden}by")


@given(rows=st.lists(st.text("aAeEéß \0", max_size=3), max_size=12))
def test_no_two_that_come_in_have_one_username(rows: list[str]) -> None:
    outcomes = judged(*(row(number, name) for number, name in enumerate(rows, 1)))
    keys = [name_key(outcome.username) for outcome in outcomes if outcome.state is State.COMES]
    assert len(keys) == len(set(keys))


@given(emails=st.lists(st.sampled_from([None, "", "a@x.io", "A@x.io", "user-3@moved-in.invalid", "x"]), max_size=8))
def test_no_two_that_come_in_have_one_email(emails: list[str | None]) -> None:
    rows = [row(number, f"person{number}", email=email) for number, email in enumerate(emails, 1)]
    outcomes = judged(*rows, choices=Choices(placeholder_emails=True))
    keys = [name_key(outcome.email) for outcome in outcomes if outcome.state is State.COMES]
    assert len(keys) == len(set(keys))


@pytest.mark.django_db
def test_the_admin_lets_it_stay() -> None:
    user = User.objects.create(username="mary jane", email="mary@example.com")
    user.clean()
    user.username = "mary  jane"
    with pytest.raises(ValidationError, match="Username may hold only"):
        user.clean()


# --- which row is the one


def test_the_first_row_has_the_name() -> None:
    assert [outcome.state for outcome in judged(row(1), row(2))] == [State.COMES, State.LEFT_OUT]


@pytest.mark.parametrize(
    ("weights", "kind"),
    [(("same", "same"), Kind.SAME_BUT_FOR_CASE), (("one", "other"), Kind.SAME_HERE_ONLY)],
    ids=["merged there", "told apart there"],
)
def test_of_two_letter_cases_it_says_whether_both_could_sign_in(weights: tuple[str, str], kind: Kind) -> None:
    _, later = judged(row(1, "bob", weight=weights[0]), row(2, "BOB", weight=weights[1]))
    assert kinds(later) == [kind]


def test_a_collation_merges_nobody() -> None:
    first, later = judged(row(1, "jose", weight="same"), row(2, "josé", weight="same"))
    assert (first.state, later.state, kinds(later)) == (State.COMES, State.COMES, [Kind.COLLATION])


# --- roles


@pytest.mark.parametrize(
    ("choices", "kept"),
    [
        (Choices(), ["user", "editor"]),
        (Choices.of(["BOB "], [], False), ["user", "admin", "editor"]),
        (Choices.of(["alice"], [], False), ["user", "editor"]),
        (Choices.of([], ["moderator"], False), ["user", "moderator", "editor"]),
        (Choices.of([], ["moderator", "admin"], False), ["user", "moderator", "admin", "editor"]),
    ],
    ids=["as a rule", "named", "somebody else named", "one trusted", "both trusted"],
)
def test_the_operator_decides_who_keeps_what_anyone_could_take(choices: Choices, kept: list[str]) -> None:
    grants = tuple(OldGrant(name, WHEN) for name in ("user", "moderator", "admin", "editor"))
    [outcome] = judged(row(grants=grants), choices=choices)
    assert [grant.role for grant in outcome.grants] == kept


# --- into whatever database this server has


class Listed(ExpressDatabase):
    """An old database that is a list."""

    def __init__(self, *rows: Row) -> None:
        self.name, self._listed = "list", list(rows)

    def highest_id(self, limit: int) -> int:
        return max(each.id for each in self._listed)

    def roles(self) -> dict[str, int]:
        return {"user": len(self._listed)}

    def pages(self, size: int = 500) -> Iterator[list[Row]]:
        yield self._listed


def test_whoever_comes_in_signs_in(db: None, sign_in: Callable[..., dict[str, Any]]) -> None:
    list(Move(Listed(row(7, "mary jane")), Choices(), by=Actor()).carry_out())
    assert sign_in("mary jane")["id"] == 7


def test_they_keep_the_moment_of_their_sign_up(db: None) -> None:
    list(Move(Listed(row(7)), Choices(), by=Actor()).carry_out())
    assert User.objects.get().created_at == WHEN


def test_nobody_comes_in_twice(db: None) -> None:
    for _ in range(2):
        list(Move(Listed(row(7), row(8, "alice")), Choices(), by=Actor()).carry_out())
    assert list(User.objects.values_list("id", flat=True)) == [7, 8]


def test_ids_that_are_none_are_given_anew(db: None) -> None:
    old = Listed(row(-1, "minus"), row(0, "zero"), row(9, "bob"), row(2**53, "beyond"))
    list(Move(old, Choices(), by=Actor()).carry_out())
    assert User.objects.get(username="bob").pk == 9
    assert all(0 < id_ < 2**60 for id_ in User.objects.values_list("id", flat=True))


# --- the report


def test_the_costliest_hash_is_what_every_sign_in_costs() -> None:
    report = Report(Choices())
    report.add(judged(row(1, "alice"), row(2, "bob", password=HASH.replace("$08$", "$12$"))))
    assert "Until then each sign-in of anyone costs the work of a bcrypt hash of cost 12 on top." in report.lines()


def test_the_report_does_not_grow_with_the_rows() -> None:
    few, many = (Report(Choices()) for _ in range(2))
    few.add(judged(*(row(number) for number in range(1, 20))))
    many.add(judged(*(row(number) for number in range(1, 2000))))
    assert len(list(few.lines())) == len(list(many.lines()))


# --- what the operator typed


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    ["postgres://a:topsecret@b/c", "mysql://a:topsecret@b:port/c", "mysql://a:topsecret@b", "topsecret", ""],
    ids=["another database", "no port", "no name", "no URL", "nothing"],
)
def test_a_wrong_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("import_express", url)
    assert str(refused.value) == "The old database must be given as mysql://USER:PASSWORD@HOST:PORT/NAME."


@pytest.mark.django_db
def test_the_url_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("MySQLdb")
    monkeypatch.setattr("sys.stdin", io.StringIO("mysql://a:topsecret@127.0.0.1:1/c\n"))
    with pytest.raises(CommandError, match=r"The old database: .*Can't connect") as refused:
        call_command("import_express", "-")
    assert "topsecret" not in str(refused.value)


# --- the progress bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, total: int = 40) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "REDRAWN_EVERY", 0)
    with progress.Progress(total) as bar:
        bar.add(10)
    return stream.getvalue()


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\r[#######.......................]  25%  10 of 40, 0 s" in shown(Terminal(), monkeypatch)


@pytest.mark.parametrize("total", [0, 5], ids=["nothing to do", "more than there was"])
def test_it_is_never_beyond_the_end(monkeypatch: pytest.MonkeyPatch, total: int) -> None:
    assert "100%" in shown(Terminal(), monkeypatch, total)


def test_a_log_sees_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(io.StringIO(), monkeypatch) == ""
