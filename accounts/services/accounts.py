"""Accounts: made, changed, closed."""

from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from django.utils import timezone

from accounts import sessions
from accounts.errors import RoleNotSelfAssignable, UserNotFound
from accounts.models import Action, Actor, AuditEntry, Session, User
from accounts.names import clean_email, clean_username, new_username
from accounts.services.guard import keeping_an_admin
from accounts.services.passwords import confirm, refuse_weak
from accounts.services.roles import roles_called
from accounts.transactions import once

DEFAULT_ROLE = "user"
record = AuditEntry.objects.record


def create_user(*, username: str, email: str, password: str, by: Actor, roles: Iterable[str] = ()) -> User:
    """A new account, made by who may give any role; with the role `user` if none is named. Raises as `sign_up`."""
    names = list(roles) or [DEFAULT_ROLE]
    return add_account(username, email, password, names, by=by, action=Action.ACCOUNT_CREATED)


def add_account(
    username: str,
    email: str,
    password: str,
    role_names: list[str],
    *,
    by: Actor,
    action: Action,
    assignable: frozenset[str] | None = None,
) -> User:
    """What `sign_up` and `create_user` share; `assignable` are the roles that may be given, None for all."""
    username, email = clean_username(username), clean_email(email)
    refuse_weak(password, User(username=username, email=email))
    User.objects.refuse_taken(username=username, email=email)
    roles = roles_called(role_names)
    for name in role_names:
        if assignable is not None and name not in assignable:
            raise RoleNotSelfAssignable(name)

    # Not in the transaction, which would wait for it.
    encoded = make_password(password)

    @once
    def write() -> User:
        user = User(username=username, email=email, password=encoded)
        User.objects.keep(user, roles=roles, granted_by_id=by.user_id)
        record(action, by=by, subject_id=user.pk, roles=[role.name for role in roles])
        for role in roles:
            # What everyone has is nobody's decision.
            if role.name != DEFAULT_ROLE:
                record(Action.ROLE_GRANTED, by=by, subject_id=user.pk, role=role.name)
        return user

    try:
        return write()
    except IntegrityError:
        # Someone was faster, with that name, or with deleting a role.
        User.objects.refuse_taken(username=username, email=email)
        roles_called(role_names)
        raise


def change_account(*, user: User, by: Actor, username: str | None = None, email: str | None = None) -> User:
    """The user, with another username or email. Raises InvalidUsername, InvalidEmail, UsernameTaken, EmailTaken, and
    UserNotFound for one who is gone by now."""
    wanted = {
        "username": user.username if username is None else new_username(username, user.username),
        "email": user.email if email is None else clean_email(email),
    }
    changed = [name for name, value in wanted.items() if value != getattr(user, name)]
    if not changed:
        return user
    User.objects.refuse_taken(**wanted, by_other_than=user.pk)
    try:
        return _rename(user, wanted, changed, by)
    except IntegrityError:
        User.objects.refuse_taken(**wanted, by_other_than=user.pk)
        raise


@once
def _rename(user: User, wanted: dict[str, str], changed: list[str], by: Actor) -> User:
    renamed = _fresh(user)
    renamed.username, renamed.email = wanted["username"], wanted["email"]
    renamed.save(update_fields=[*changed, "updated_at"])
    record(Action.ACCOUNT_CHANGED, by=by, subject_id=user.pk, changed=changed)
    return renamed


def _fresh(user: User) -> User:
    """The user as the database has them now, locked for the transaction. Raises UserNotFound."""
    found = User.objects.select_for_update().filter(pk=user.pk).first()
    if found is None:
        raise UserNotFound()
    return found


def change_own_account(
    *, user: User, by: Actor, current_password: str, username: str | None = None, email: str | None = None
) -> User:
    """As `change_account`, by the user, who proves to be the owner. Raises WrongCurrentPassword too."""
    confirm(user, current_password, by)
    return change_account(user=user, by=by, username=username, email=email)


@once
def set_active(*, user: User, active: bool, by: Actor) -> bool:
    """Lets the user sign in, or not; False if it was so already. Deactivating ends the sessions, so that none comes
    back with the account, and keeps all else. Raises LastAdmin."""
    with keeping_an_admin(user):
        values = {"is_active": active, "updated_at": timezone.now()}
        changed = User.objects.filter(pk=user.pk, is_active=not active).update(**values)
        if changed:
            if not active:
                sessions.revoke_all(user=user, reason=Session.Reason.DEACTIVATED)
            action = Action.ACCOUNT_ACTIVATED if active else Action.ACCOUNT_DEACTIVATED
            record(action, by=by, subject_id=user.pk)
    user.is_active = active
    return bool(changed)


@once
def delete_account(*, user: User, by: Actor) -> None:
    """Removes the account with its sessions and grants; the audit trail keeps its id, which names nobody any more.
    Raises LastAdmin."""
    user_id = user.pk
    with keeping_an_admin(user):
        # Who signs in, or is granted a role, locks the user's row too: neither may come after the sessions and grants
        # were deleted and before the account is, which would then be refused.
        if User.objects.select_for_update().filter(pk=user_id).first():
            User.objects.filter(pk=user_id).delete()
            record(Action.ACCOUNT_DELETED, by=by, subject_id=user_id)


def delete_own_account(*, user: User, password: str, by: Actor) -> None:
    """As `delete_account`, by the user, who proves to be the owner. Raises WrongCurrentPassword too."""
    confirm(user, password, by)
    delete_account(user=user, by=by)


def find_user(username: str) -> User:
    """Raises UserNotFound."""
    try:
        return User.objects.get_by_natural_key(username.strip())
    except User.DoesNotExist:
        raise UserNotFound(f"There is no user called {username!r}.") from None
