"""What is kept: people, roles and grants, sessions, and the audit trail."""

from accounts.models.activity import DailyCount
from accounts.models.audit import Action, Actor, AuditEntry, AuditSeal, Via
from accounts.models.counters import Counter, CounterRow
from accounts.models.ids import new_id, new_session_id
from accounts.models.imports import ImportedUser
from accounts.models.roles import ADMIN, BUILT_IN_ROLES, COUNTED, AdminGuard, Role, RoleGrant, RoleManager
from accounts.models.sessions import Refreshable, Session, SessionQuerySet
from accounts.models.users import NameKeyField, User

__all__ = [
    "ADMIN",
    "BUILT_IN_ROLES",
    "COUNTED",
    "Action",
    "Actor",
    "AdminGuard",
    "AuditEntry",
    "AuditSeal",
    "Counter",
    "CounterRow",
    "DailyCount",
    "ImportedUser",
    "NameKeyField",
    "Refreshable",
    "Role",
    "RoleGrant",
    "RoleManager",
    "Session",
    "SessionQuerySet",
    "User",
    "Via",
    "new_id",
    "new_session_id",
]
