"""What is kept about users, for them and for admins."""

from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import AuditEntry, RoleGrant, Session, SessionQuerySet, User


def live_sessions(user: User) -> SessionQuerySet:
    """Where the user is signed in, newest first."""
    return Session.objects.live(timezone.now()).filter(user=user).order_by("-opened_at", "-id")


NEWEST = 1000


@dataclass(frozen=True)
class Kept:
    """What is kept about a user, the account itself included."""

    user: User
    grants: QuerySet[RoleGrant]
    sessions: QuerySet[Session]
    entries: QuerySet[AuditEntry]


def kept_about(user: User) -> Kept:
    """All of it, what has ended or run out too; of the audit trail what the user did and what was done to them, the
    newest NEWEST of that: strangers add to it with every wrong password."""
    return Kept(
        user=user,
        grants=RoleGrant.with_expired.filter(user=user).select_related("role").order_by("role_id"),
        sessions=user.sessions.order_by("-opened_at", "-id"),
        entries=AuditEntry.objects.filter(Q(subject_id=user.pk) | Q(actor_id=user.pk)).order_by("-at", "-id")[:NEWEST],
    )


def newest_about(user: User, number: int) -> list[AuditEntry]:
    """Of what the user did and what was done to them, the newest; with names. Asked for in two, each by its index:
    of one who did or suffered very much the database would otherwise sort it all."""
    found: dict[object, AuditEntry] = {}
    for whose in ({"subject_id": user.pk}, {"actor_id": user.pk}):
        entries = with_names(AuditEntry.objects.filter(**whose).order_by("-at", "-id"))[:number]
        found |= {entry.pk: entry for entry in entries}
    return sorted(found.values(), key=lambda entry: (entry.at, entry.pk), reverse=True)[:number]


def with_names(entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """With `actor_name` and `subject_name` of those who are still there; the entries hold ids only."""

    def name(field: str) -> Subquery:
        return Subquery(User.objects.filter(pk=OuterRef(field)).values("username")[:1])

    return entries.annotate(actor_name=name("actor_id"), subject_name=name("subject_id"))
