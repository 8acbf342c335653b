"""Roles, and granting them: by whom, why, and until when."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.errors import (
    BuiltInRole,
    InvalidExpiry,
    InvalidRoleName,
    OutlastsGranter,
    RoleDoesNotExist,
    RoleHeld,
    RoleNameTaken,
    UserNotFound,
)
from accounts.models import ADMIN, BUILT_IN_ROLES, Action, Actor, AuditEntry, Role, RoleGrant, User
from accounts.services.guard import keeping_an_admin, refuse_no_admin
from accounts.transactions import once

record = AuditEntry.objects.record


def grant_role(*, user: User, role_name: str, by: Actor, reason: str = "", expires_at: datetime | None = None) -> bool:
    """Gives the role, or gives it anew with another end or reason; False if the user holds it just so already.

    An `admin` grant may have an end only while somebody else's has none. Raises RoleDoesNotExist, InvalidExpiry
    for an end that has passed, LastAdmin; UserNotFound for a user who is deleted meanwhile.
    """
    [role] = roles_called([role_name])
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidExpiry()
    try:
        return _grant(user, role, by, reason, expires_at)
    except IntegrityError:
        roles_called([role_name])
        raise UserNotFound() from None


@once
def _grant(user: User, role: Role, by: Actor, reason: str, expires_at: datetime | None) -> bool:
    with _guarded(user, role):
        held = RoleGrant.objects.filter(user=user, role=role).first()
        if held and held.expires_at == expires_at and reason in {"", held.reason}:
            return False
        if role.name == ADMIN:
            _refuse_outlasting(by, expires_at)
        values = {"granted_at": timezone.now(), "granted_by_id": by.user_id, "reason": reason, "expires_at": expires_at}
        RoleGrant.with_expired.update_or_create(user=user, role=role, defaults=values)
        if role.name == ADMIN and expires_at:
            refuse_no_admin()
        until = {"until": expires_at.isoformat()} if expires_at else {}
        record(Action.ROLE_GRANTED, by=by, subject_id=user.pk, role=role.name, reason=reason, **until)
    return True


def _guarded(user: User, role: Role) -> AbstractContextManager[Any]:
    """What changes who holds `admin` waits for the others that do; nothing else has to."""
    return keeping_an_admin(user) if role.name == ADMIN else nullcontext()


def _refuse_outlasting(by: Actor, expires_at: datetime | None) -> None:
    """An admin whose own grant has an end makes nobody, least of all themselves, an admin for longer."""
    own = RoleGrant.objects.filter(user_id=by.user_id, role__name=ADMIN).first() if by.user_id else None
    if own and own.expires_at and (expires_at is None or expires_at > own.expires_at):
        raise OutlastsGranter()


@once
def revoke_role(*, user: User, role_name: str, by: Actor) -> bool:
    """Takes the role away, from the user's next request on; False if they did not hold it.

    Raises RoleDoesNotExist, LastAdmin.
    """
    [role] = roles_called([role_name])
    with _guarded(user, role):
        held = RoleGrant.objects.filter(user=user, role=role).exists()
        RoleGrant.with_expired.filter(user=user, role=role).delete()
        if held:
            record(Action.ROLE_REVOKED, by=by, subject_id=user.pk, role=role.name)
    return held


@once
def set_roles(*, user: User, roles: Iterable[Role], by: Actor, shown: Iterable[Role] | None = None) -> None:
    """Leaves the user with just these roles; a grant that stays keeps its date, reason and end. Raises LastAdmin.

    `shown` are the roles that were seen as held when these were chosen: what ran out or was changed by others since
    then stays as it is.
    """
    wanted = {role.name for role in roles}
    with keeping_an_admin(user):
        held = set(RoleGrant.objects.filter(user=user).values_list("role__name", flat=True))
        before = held if shown is None else {role.name for role in shown}
        for name in sorted(wanted - before - held):
            grant_role(user=user, role_name=name, by=by)
        for name in sorted((before - wanted) & held):
            revoke_role(user=user, role_name=name, by=by)


@once
def seed_roles(extra: Iterable[str], *, by: Actor) -> list[str]:
    """Creates the roles that are missing, the built-in ones and `extra`; says which. Changes none that exist.
    Raises InvalidRoleName."""
    for name in extra:
        _refuse_bad_name(name)
    created = Role.objects.create_missing(extra)
    for name in created:
        record(Action.ROLE_CREATED, by=by, role=name)
    return created


def create_role(*, name: str, description: str = "", by: Actor) -> Role:
    """Raises InvalidRoleName, RoleNameTaken."""
    _refuse_bad_name(name)
    try:
        return _create_role(name, description, by)
    except IntegrityError:
        raise RoleNameTaken(name) from None


@once
def _create_role(name: str, description: str, by: Actor) -> Role:
    role = Role.objects.create(name=name, description=description)
    record(Action.ROLE_CREATED, by=by, role=name)
    return role


def change_role(*, role: Role, by: Actor, name: str | None = None, description: str | None = None) -> Role:
    """Renames or describes a role. Raises BuiltInRole for renaming a built-in one, InvalidRoleName, RoleNameTaken;
    RoleDoesNotExist for one that is deleted meanwhile."""
    before: dict[str, Any] = {"name": role.name, "description": role.description}
    wanted = {"name": role.name if name is None else name}
    wanted["description"] = role.description if description is None else description
    changed = {field: value for field, value in wanted.items() if value != before[field]}
    if "name" in changed:
        _refuse_built_in(role)
        _refuse_bad_name(wanted["name"])
    try:
        _change_role(role, changed, by)
    except IntegrityError:
        raise RoleNameTaken(wanted["name"]) from None
    role.name, role.description = wanted["name"], wanted["description"]
    return role


@once
def _change_role(role: Role, changed: dict[str, Any], by: Actor) -> None:
    row = Role.objects.filter(pk=role.pk)
    # Only what is changed: else a rename would undo a description that was given at the same time.
    if not (row.update(**changed) if changed else row.exists()):
        raise RoleDoesNotExist(role.name)
    if changed:
        record(Action.ROLE_CHANGED, by=by, role=role.name, changed=changed)


def delete_role(*, role: Role, by: Actor) -> None:
    """Raises BuiltInRole, RoleHeld while somebody holds it, RoleDoesNotExist if it is gone already."""
    _refuse_built_in(role)
    try:
        _delete_role(role, by)
    except (ProtectedError, IntegrityError):
        raise RoleHeld(role.name) from None


@once
def _delete_role(role: Role, by: Actor) -> None:
    RoleGrant.with_expired.filter(role=role, expires_at__lte=timezone.now()).delete()
    if not Role.objects.filter(pk=role.pk).delete()[0]:
        raise RoleDoesNotExist(role.name)
    record(Action.ROLE_DELETED, by=by, role=role.name)


def roles_called(names: list[str]) -> list[Role]:
    """Raises RoleDoesNotExist for the first that does not."""
    found = Role.objects.called(names)
    for name in names:
        if name not in found:
            raise RoleDoesNotExist(name)
    return list(found.values())


def _refuse_built_in(role: Role) -> None:
    if role.name in BUILT_IN_ROLES:
        raise BuiltInRole(role.name)


def is_good_name(name: str) -> bool:
    """Whether a role can be called that."""
    try:
        _refuse_bad_name(name)
    except InvalidRoleName:
        return False
    return True


def _refuse_bad_name(name: str) -> None:
    try:
        Role._meta.get_field("name").clean(name, None)
    except ValidationError as error:
        raise InvalidRoleName(f"{name!r} cannot be a role's name: {error.messages[0]}") from None
