"""What can be done with accounts: the decisions. The web, the admin and the commands all come in here."""

from accounts.services.accounts import (
    DEFAULT_ROLE,
    change_account,
    change_own_account,
    create_user,
    delete_account,
    delete_own_account,
    find_user,
    set_active,
)
from accounts.services.keys import SOONEST, Rotation, rotate_signing_key
from accounts.services.passwords import change_own_password, remove_password, set_password
from accounts.services.reading import Kept, kept_about, live_sessions
from accounts.services.roles import (
    change_role,
    create_role,
    delete_role,
    grant_role,
    revoke_role,
    seed_roles,
    set_roles,
)
from accounts.services.signing import (
    authenticate,
    enter_admin,
    leave_admin,
    refresh,
    revoke_all_sessions,
    revoke_own_session,
    revoke_sessions,
    sign_in,
    sign_out,
    sign_up,
)

__all__ = [
    "DEFAULT_ROLE",
    "SOONEST",
    "Kept",
    "Rotation",
    "authenticate",
    "change_account",
    "change_own_account",
    "change_own_password",
    "change_role",
    "create_role",
    "create_user",
    "delete_account",
    "delete_own_account",
    "delete_role",
    "enter_admin",
    "find_user",
    "grant_role",
    "kept_about",
    "leave_admin",
    "live_sessions",
    "refresh",
    "remove_password",
    "revoke_all_sessions",
    "revoke_own_session",
    "revoke_role",
    "revoke_sessions",
    "rotate_signing_key",
    "seed_roles",
    "set_active",
    "set_password",
    "set_roles",
    "sign_in",
    "sign_out",
    "sign_up",
]
