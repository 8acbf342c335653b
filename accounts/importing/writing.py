"""A page of accounts, written as they were: with their ids, moments, hashes and grants."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from accounts.importing.rows import Outcome
from accounts.models import Action, Actor, AuditEntry, ImportedUser, RoleGrant, User
from accounts.services import DEFAULT_ROLE

REASON = "Brought over from the Express server."
Said = tuple[Action, int, dict[str, Any]]


def write(page: list[Outcome], role_ids: dict[str, int], source: str, by: Actor) -> None:
    """To be called in a transaction. Raises IntegrityError where something of it was taken meanwhile."""
    User.objects.keep_as_they_are([_user(outcome) for outcome in page])
    RoleGrant.objects.bulk_create(grant for outcome in page for grant in _grants(outcome, role_ids))
    ImportedUser.objects.bulk_create(
        ImportedUser(source=source, source_id=outcome.row.id, user_id=outcome.user_id) for outcome in page
    )
    AuditEntry.objects.record_all((said for outcome in page for said in _entries(outcome, source)), by=by)


def _user(outcome: Outcome) -> User:
    return User(
        id=outcome.user_id,
        username=outcome.username,
        email=outcome.email,
        password=outcome.password,
        created_at=outcome.row.created_at,
        updated_at=timezone.now(),
    )


def _grants(outcome: Outcome, role_ids: dict[str, int]) -> Iterator[RoleGrant]:
    for grant in outcome.grants:
        role_id = role_ids[grant.role]
        yield RoleGrant(user_id=outcome.user_id, role_id=role_id, granted_at=grant.granted_at, reason=REASON)


def _entries(outcome: Outcome, source: str) -> Iterator[Said]:
    """As for any account that is made, and where it is from."""
    user_id, roles = outcome.user_id, [grant.role for grant in outcome.grants]
    yield Action.ACCOUNT_CREATED, user_id, {"roles": roles, "source": source, "source_id": outcome.row.id}
    for role in roles:
        # What everyone has is nobody's decision.
        if role != DEFAULT_ROLE:
            yield Action.ROLE_GRANTED, user_id, {"role": role, "reason": REASON}
