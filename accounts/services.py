"""What can be done with accounts: the decisions. The web, the admin and the commands all come in here."""

from collections.abc import Iterable
from contextlib import suppress

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import sessions, tokens
from accounts.conf import conf
from accounts.errors import (
    ExpiredToken,
    InvalidCredentials,
    InvalidRoleName,
    InvalidToken,
    PasswordRefused,
    RefreshTokenExpired,
    RefreshTokenRequired,
    RefreshTokenUnknown,
    RoleDoesNotExist,
    RoleNotSelfAssignable,
    UserNotFound,
)
from accounts.models import ADMIN, Role, RoleGrant, Session, SessionQuerySet, User
from accounts.names import clean_email, clean_username
from accounts.sessions import Client, TokenPair
from accounts.transactions import retrying

DEFAULT_ROLE = "user"


def sign_up(*, username: str, email: str, password: str, roles: Iterable[str] = (), actor: User | None = None) -> User:
    """A new account, with the role `user` if none is asked for.

    `actor` is who is signed in, if anyone: an admin may give any role, others only the self-assignable ones.
    Raises, for the first that fails: InvalidUsername, InvalidEmail, PasswordRefused, UsernameTaken, EmailTaken,
    RoleDoesNotExist, RoleNotSelfAssignable.
    """
    chosen = list(roles)
    free = not chosen or (actor is not None and actor.has_role(ADMIN))
    assignable = None if free else conf.self_assignable_roles
    return _create_user(username, email, password, chosen or [DEFAULT_ROLE], assignable)


def create_user(*, username: str, email: str, password: str, roles: Iterable[str] = ()) -> User:
    """As `sign_up`, by whoever runs the server: any role may be given."""
    return _create_user(username, email, password, list(roles) or [DEFAULT_ROLE], None)


def _create_user(
    username: str, email: str, password: str, role_names: list[str], assignable: frozenset[str] | None
) -> User:
    username, email = clean_username(username), clean_email(email)
    _refuse_weak(password, User(username=username, email=email))
    User.objects.refuse_taken(username=username, email=email)
    roles = _roles_called(role_names)
    for name in role_names:
        if assignable is not None and name not in assignable:
            raise RoleNotSelfAssignable(name)
    return retrying(User.objects.create_user)(username, email, password, roles=roles)


def authenticate(*, username: str, password: str) -> User:
    """Whose name and password these are. Raises InvalidCredentials, after the work of a password check in any
    case, so that time does not tell who has an account; UserNotFound where the settings ask for it."""
    user = User.objects.with_roles(username=username.strip())
    if user is None:
        if conf.reveal_unknown_username:
            raise UserNotFound()
        make_password(password)
        raise InvalidCredentials()
    if not user.check_password(password) or not user.is_active:
        raise InvalidCredentials()
    return user


def sign_in(*, username: str, password: str, client: Client) -> tuple[User, TokenPair]:
    """The user and the tokens of a new session. Raises what `authenticate` raises."""
    user = authenticate(username=username, password=password)
    return user, sessions.open(user=user, client=client)


def refresh(*, refresh_token: str | None) -> TokenPair:
    """The successors of a refresh token. Raises RefreshTokenRequired, RefreshTokenUnknown, RefreshTokenExpired."""
    if not refresh_token:
        raise RefreshTokenRequired()
    try:
        claims = tokens.read(tokens.RefreshToken, refresh_token)
    except ExpiredToken:
        raise RefreshTokenExpired() from None
    except InvalidToken:
        raise RefreshTokenUnknown() from None
    return sessions.rotate(claims)


def sign_out(*, access_token: str | None, refresh_token: str | None) -> None:
    """Ends the sessions of the tokens given, if they are genuine, also when they have expired or were retired."""
    presented = []
    for kind, raw in ((tokens.AccessToken, access_token), (tokens.RefreshToken, refresh_token)):
        with suppress(InvalidToken):
            if raw:
                presented.append(tokens.read_even_expired(kind, raw))
    if presented:
        sessions.revoke(sessions.of_claims(*presented), Session.Reason.SIGNED_OUT)


def set_password(*, user: User, password: str) -> int:
    """Gives the user a new password and ends all their sessions; says how many. Raises PasswordRefused."""
    _refuse_weak(password, user)
    user.set_password(password)
    return _save_password(user)


@retrying
def _save_password(user: User) -> int:
    with transaction.atomic():
        user.save(update_fields=["password", "updated_at"])
        return sessions.revoke(user.sessions.all(), Session.Reason.PASSWORD_CHANGED)


def revoke_sessions(chosen: SessionQuerySet) -> int:
    """Ends the chosen sessions on an admin's behalf; says how many had not ended before."""
    return sessions.revoke(chosen, Session.Reason.BY_ADMIN)


def seed_roles(extra: Iterable[str] = ()) -> list[str]:
    """Creates the roles that are missing, the built-in ones and `extra`; says which. Changes none that exist.
    Raises InvalidRoleName."""
    for name in extra:
        _refuse_bad_role_name(name)
    return Role.objects.create_missing(extra)


@retrying
def grant_role(*, user: User, role_name: str) -> bool:
    """Gives the role; False if the user held it already. Raises RoleDoesNotExist."""
    [role] = _roles_called([role_name])
    return RoleGrant.objects.get_or_create(user=user, role=role)[1]


@retrying
def revoke_role(*, user: User, role_name: str) -> bool:
    """Takes the role away, from the user's next request on; False if they did not hold it. Raises RoleDoesNotExist."""
    [role] = _roles_called([role_name])
    return bool(RoleGrant.objects.filter(user=user, role=role).delete()[0])


@retrying
def set_roles(*, user: User, roles: Iterable[Role]) -> None:
    """Leaves the user with just these roles; a grant that stays keeps its date."""
    user.roles.set(roles)


def find_user(username: str) -> User:
    """Raises UserNotFound."""
    try:
        return User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        raise UserNotFound(f"There is no user called {username!r}.") from None


def _refuse_bad_role_name(name: str) -> None:
    try:
        Role._meta.get_field("name").clean(name, None)
    except ValidationError as error:
        raise InvalidRoleName(f"{name!r} cannot be a role's name: {error.messages[0]}") from None


def _roles_called(names: list[str]) -> list[Role]:
    found = {role.name: role for role in Role.objects.filter(name__in=names)}
    for name in names:
        if name not in found:
            raise RoleDoesNotExist(name)
    return list(found.values())


def _refuse_weak(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordRefused(error.messages[0]) from None
