"""Passwords: set, changed, proved, taken away."""

from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import sessions, throttling
from accounts.errors import InvalidToken, PasswordRefused, UserNotFound, WrongCurrentPassword
from accounts.models import Action, Actor, AuditEntry, Session, User
from accounts.services.guard import keeping_an_admin
from accounts.transactions import once
from accounts.turns import turn

record = AuditEntry.objects.record


def set_password(*, user: User, password: str, by: Actor) -> int:
    """Gives the user a new password and ends all their sessions; says how many. Raises PasswordRefused."""
    refuse_weak(password, user)
    return _change_password(user, password, by)


def remove_password(*, user: User, by: Actor) -> int:
    """Leaves the user without a password to sign in with, and ends all their sessions; says how many."""
    return _change_password(user, None, by)


@turn()
def change_own_password(*, user: User, current_password: str, new_password: str, keep: UUID, by: Actor) -> int:
    """As `set_password`, by the user; the session whose id is `keep` goes on. Raises WrongCurrentPassword too."""
    checked = confirm(user, current_password, by)
    refuse_weak(new_password, user)
    return _change_password(user, new_password, by, checked=checked, keep=keep)


def _change_password(
    user: User, password: str | None, by: Actor, *, checked: str | None = None, keep: UUID | None = None
) -> int:
    """`checked` is the hash that the current password was found to fit: if it is another by now, nothing changes."""
    user.password = make_password(password)
    expected = {} if checked is None else {"password": checked}

    @once
    def write() -> int:
        with keeping_an_admin(user):
            found = User.objects.filter(pk=user.pk, **expected)
            if not found.update(password=user.password, updated_at=timezone.now()):
                raise UserNotFound() if checked is None else WrongCurrentPassword()
            ended = sessions.revoke_all(user=user, reason=Session.Reason.PASSWORD_CHANGED, keep=keep)
            record(Action.PASSWORD_CHANGED, by=by, subject_id=user.pk, sessions=ended)
        return ended

    return write()


@turn()
def confirm(user: User, password: str, by: Actor) -> str:
    """The hash that the password fits. Raises TooManyRequests, WrongCurrentPassword, and InvalidToken for who is gone
    by now."""
    throttling.password_check(user_id=user.pk, address=by.ip_address)
    encoded = User.objects.filter(pk=user.pk).values_list("password", flat=True).first()
    if encoded is None:
        raise InvalidToken()
    if not check_password(password, encoded):
        record(Action.PASSWORD_CHECK_FAILED, by=by, subject_id=user.pk)
        raise WrongCurrentPassword()
    return encoded


def refuse_weak(password: str, user: User) -> None:
    """Raises PasswordRefused with the first complaint of the policy."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordRefused(error.messages[0]) from None
