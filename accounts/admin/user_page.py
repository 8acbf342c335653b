"""What a user's page shows below its form: grants, where they are signed in, and what the audit trail says lately."""

from dataclasses import dataclass

from accounts import services
from accounts.admin.devices import device
from accounts.models import AuditEntry, RoleGrant, Session, User

SESSIONS, ENTRIES = 10, 20


@dataclass(frozen=True)
class About:
    """Each session comes with a name for its device."""

    grants: list[RoleGrant]
    sessions: list[tuple[Session, str]]
    has_more_sessions: bool
    entries: list[AuditEntry]


def about(user: User) -> About:
    grants = RoleGrant.with_expired.filter(user=user).select_related("role", "granted_by").order_by("role_id")
    sessions = list(services.live_sessions(user)[: SESSIONS + 1])
    return About(
        grants=list(grants),
        sessions=[(session, device(session.user_agent)) for session in sessions[:SESSIONS]],
        has_more_sessions=len(sessions) > SESSIONS,
        entries=services.newest_about(user, ENTRIES),
    )
