"""What users may read of what is kept about them."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
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
