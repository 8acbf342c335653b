"""What becomes of a page of rows beside the accounts that are here already: who has which id, username and email."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from accounts.importing.judging import PLACEHOLDER, Choices
from accounts.importing.rows import Finding, Kind, Outcome, State
from accounts.models import ImportedUser, User
from accounts.names import name_key

# JavaScript's clients know whole numbers up to this one; and an id at the end of the column's range would leave none
# for the next account.
HIGHEST_ID = 2**53 - 1


@dataclass(frozen=True)
class Here:
    """Of the ids, usernames and emails of one page, those that are taken; and which of its rows came in before."""

    user_ids: dict[int, int]
    ids: frozenset[int]
    usernames: frozenset[str]
    emails: frozenset[str]


def look(page: Iterable[Outcome], source: str) -> Here:
    ids = [outcome.row.id for outcome in page]
    coming = [outcome for outcome in page if outcome.state is State.COMES]
    emails = [email for outcome in coming for email in (outcome.email, PLACEHOLDER.format(outcome.row.id))]
    imported = ImportedUser.objects.filter(source=source, source_id__in=ids)
    taken = {
        "pk": ids,
        "username_key": [name_key(outcome.username) for outcome in coming],
        "email_key": [name_key(email) for email in emails],
    }
    found = {
        name: frozenset(User.objects.filter(**{f"{name}__in": values}).order_by().values_list(name, flat=True))
        for name, values in taken.items()
    }
    return Here(
        dict(imported.values_list("source_id", "user_id")), found["pk"], found["username_key"], found["email_key"]
    )


def settle(page: list[Outcome], source: str, highest_id: int, choices: Choices) -> list[Outcome]:
    """Each with its place; new ids are above `highest_id`."""
    here = look(page, source)
    settled = []
    for outcome in page:
        placed = _settled(outcome, here, highest_id + 1, choices)
        highest_id = max(highest_id, placed.user_id)
        settled.append(placed)
    return settled


def _settled(outcome: Outcome, here: Here, new_id: int, choices: Choices) -> Outcome:
    row = outcome.row
    if row.id in here.user_ids:
        return replace(outcome, state=State.HERE, findings=[], user_id=here.user_ids[row.id])
    if outcome.state is not State.COMES:
        return outcome
    if name_key(outcome.username) in here.usernames:
        return _left_out(outcome, Kind.USERNAME_TAKEN)
    findings, email = list(outcome.findings), outcome.email
    if name_key(email) in here.emails:
        email, old = PLACEHOLDER.format(row.id), email
        if not choices.placeholder_emails or email == old or name_key(email) in here.emails:
            return _left_out(outcome, Kind.EMAIL_TAKEN)
        findings.append(Finding(Kind.PLACEHOLDER_EMAIL, Kind.EMAIL_TAKEN.text))
    user_id = row.id if 0 < row.id <= HIGHEST_ID and row.id not in here.ids else new_id
    if user_id != row.id:
        findings.append(Finding(Kind.NEW_ID, f"id {user_id} here"))
    return replace(outcome, findings=findings, email=email, user_id=user_id)


def _left_out(outcome: Outcome, kind: Kind) -> Outcome:
    return replace(outcome, state=State.LEFT_OUT, findings=[Finding(kind)])
