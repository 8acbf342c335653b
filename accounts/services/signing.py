"""Signing up, in and out, and staying signed in."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from accounts import metrics, sessions, throttling, tokens
from accounts.conf import conf
from accounts.errors import (
    ExpiredToken,
    InvalidCredentials,
    InvalidInput,
    InvalidToken,
    RefreshTokenExpired,
    RefreshTokenRefused,
    RefreshTokenRequired,
    RefreshTokenReused,
    RefreshTokenUnknown,
    RoleNotSelfAssignable,
    SessionNotFound,
    TooBusy,
    TooManyRequests,
    UserNotFound,
)
from accounts.metrics import counted
from accounts.models import ADMIN, Action, Actor, AuditEntry, Session, SessionQuerySet, User
from accounts.services.accounts import DEFAULT_ROLE, add_account
from accounts.services.checking import may_sign_in
from accounts.sessions import TokenPair
from accounts.throttling import Guess
from accounts.transactions import once

record = AuditEntry.objects.record
Entered = TypeVar("Entered")


@counted(
    metrics.SIGN_UPS,
    {TooManyRequests: "limited", TooBusy: "busy", InvalidInput: "refused", RoleNotSelfAssignable: "refused"},
)
def sign_up(
    *, username: str, email: str, password: str, by: Actor, roles: Iterable[str] = (), signed_in: User | None = None
) -> User:
    """A new account, with the role `user` if none is asked for.

    `signed_in` is who asks, if anyone: an admin may give any role, others only the self-assignable ones.
    Raises, for the first that fails: InvalidUsername, InvalidEmail, PasswordRefused, UsernameTaken, EmailTaken,
    RoleDoesNotExist, RoleNotSelfAssignable; before all of them, TooManyRequests.
    """
    chosen = list(roles)
    throttling.sign_up(address=by.ip_address)
    free = not chosen or (signed_in is not None and signed_in.has_role(ADMIN))
    assignable = None if free else conf.self_assignable_roles
    return add_account(
        username, email, password, chosen or [DEFAULT_ROLE], by=by, action=Action.SIGNED_UP, assignable=assignable
    )


def authenticate(*, username: str, password: str, by: Actor, for_admin: bool = False) -> User:
    """Whose name and password these are, if they may enter by this door. Raises TooManyRequests and TooBusy;
    InvalidCredentials, after the same work in any case, so that time does not tell who has an account; UserNotFound
    where the settings ask for it."""

    def enter(user: User, guess: Guess) -> User:
        guess.was_right()
        return user

    return _authenticated(username, password, by, for_admin, enter)


@counted(
    metrics.SIGN_INS,
    {TooManyRequests: "limited", TooBusy: "busy", InvalidCredentials: "wrong", UserNotFound: "wrong"},
)
def _authenticated(
    username: str, password: str, by: Actor, for_admin: bool, enter: Callable[[User, Guess], Entered]
) -> Entered:
    """What comes of `enter`, which tells the guess that it was right."""
    username = username.strip()
    with throttling.guess(username=username, address=by.ip_address) as guess:
        user = User.objects.with_roles(username=username)
        if user is None and conf.reveal_unknown_username:
            record(Action.SIGN_IN_FAILED, by=by)
            raise UserNotFound()
        is_right = may_sign_in(user, password)
        guess.checked()
        if user is None or not is_right or (for_admin and not user.is_staff):
            record(Action.SIGN_IN_FAILED, by=by, subject_id=user.pk if user else None)
            raise InvalidCredentials()
        bind_contextvars(user_id=user.pk)  # for the log
        return enter(user, guess)


def sign_in(*, username: str, password: str, by: Actor, access_token: str = "") -> tuple[User, TokenPair]:
    """The user and the tokens of a new session. It replaces the session of `access_token`, which the client will
    forget now, if that is the same user's (ASVS 7.2.4). Raises what `authenticate` raises."""

    def enter(user: User, guess: Guess) -> tuple[User, Actor, TokenPair]:
        owner = replace(by, user_id=user.pk)
        together = guess.is_one_row
        if not together:
            guess.was_right()
        try:
            opened = _open_session(user, owner, guess.was_right if together else None)
        except IntegrityError:
            # The account was deleted while its password was checked.
            raise InvalidCredentials() from None
        return user, owner, opened

    user, by, pair = _authenticated(username, password, by, False, enter)
    if access_token:
        with suppress(InvalidToken):
            claims = tokens.read_even_expired(tokens.AccessToken, access_token)
            chosen = sessions.of_claims(claims).filter(user=user)
            _end(chosen, Session.Reason.REPLACED, Action.SESSIONS_REVOKED, by, user.pk)
    # After the commit, so that sessions opened at the same time count too.
    if sessions.surplus_of(user):
        _end_surplus(user, by)
    return user, pair


def leave_admin(*, user: User, by: Actor) -> None:
    """Signing out of the Django admin, which ends its own session itself."""
    record(Action.SIGNED_OUT, by=by, subject_id=user.pk)


def enter_admin(*, username: str, password: str, by: Actor) -> User:
    """Who may enter the Django admin, which keeps a session of its own. Raises what `authenticate` raises."""
    user = authenticate(username=username, password=password, by=by, for_admin=True)
    record(Action.SIGNED_IN, by=replace(by, user_id=user.pk), subject_id=user.pk)
    return user


@once
def _open_session(user: User, by: Actor, write_too: Callable[[], None] | None = None) -> TokenPair:
    session, pair = sessions.open(user=user, client=by)
    record(Action.SIGNED_IN, by=by, subject_id=user.pk, session=str(session.id))
    # Each transaction waits for the disk, so that what can be a part of this one is.
    if write_too:
        write_too()
    return pair


@once
def _end_surplus(user: User, by: Actor) -> None:
    if ended := sessions.end_surplus(user):
        record(Action.SESSIONS_REVOKED, by=by, subject_id=user.pk, sessions=ended, reason="surplus")


@counted(
    metrics.REFRESHES,
    {TooManyRequests: "limited", RefreshTokenReused: "reused", RefreshTokenRefused: "refused"},
)
def refresh(*, refresh_token: str | None, by: Actor) -> TokenPair:
    """The successors of a refresh token. Raises RefreshTokenRequired, RefreshTokenUnknown, RefreshTokenExpired;
    RefreshTokenReused for a retired token, after ending the session it belonged to; TooManyRequests."""
    if not refresh_token:
        raise RefreshTokenRequired()
    try:
        claims = tokens.read(tokens.RefreshToken, refresh_token)
    except ExpiredToken:
        raise RefreshTokenExpired() from None
    except InvalidToken:
        raise RefreshTokenUnknown() from None
    bind_contextvars(user_id=claims.user_id)
    try:
        return sessions.rotate(claims, address=by.ip_address)
    except RefreshTokenReused:
        _end(sessions.of_claims(claims), Session.Reason.TOKEN_REUSED, Action.TOKEN_REUSED, by, claims.user_id)
        raise


def sign_out(*, access_token: str | None, refresh_token: str | None, by: Actor, everywhere: bool = False) -> None:
    """Ends the sessions of the tokens given, if they are genuine, also when they have expired or were retired.

    `everywhere` ends all sessions of that user; only an access token that is still good can ask for it, so that an
    old one that somebody found cannot.
    """
    for kind, raw in ((tokens.AccessToken, access_token), (tokens.RefreshToken, refresh_token)):
        with suppress(InvalidToken):
            if raw:
                _sign_out(tokens.read_even_expired(kind, raw), by, everywhere and kind is tokens.AccessToken)


def _sign_out(claims: tokens.Claims, by: Actor, everywhere: bool) -> None:
    now, chosen = timezone.now(), sessions.of_claims(claims)
    owner = replace(by, user_id=claims.user_id)
    if everywhere and claims.expires_at > now and (session := chosen.live(now).select_related("user").first()):
        _end_all(session.user, Session.Reason.SIGNED_OUT, Action.SIGNED_OUT, owner)
    else:
        _end(chosen, Session.Reason.SIGNED_OUT, Action.SIGNED_OUT, owner, claims.user_id)


def revoke_sessions(chosen: SessionQuerySet, *, user: User, by: Actor) -> int:
    """Ends those of the user's sessions, on an admin's behalf; says how many had not ended before."""
    return _end(chosen.filter(user=user), Session.Reason.BY_ADMIN, Action.SESSIONS_REVOKED, by, user.pk)


def revoke_all_sessions(*, user: User, by: Actor) -> int:
    """Ends all of the user's sessions, those of the Django admin too; says how many of the others there were."""
    return _end_all(user, Session.Reason.BY_ADMIN, Action.SESSIONS_REVOKED, by)


def revoke_everybodys_sessions(*, by: Actor) -> int:
    """Ends all sessions of all users, those of the Django admin too; says how many users there are. User by user, so
    that the table is not locked meanwhile."""
    users = User.objects.order_by("pk")
    for user in users.iterator(chunk_size=500):
        revoke_all_sessions(user=user, by=by)
    return users.count()


def revoke_own_session(*, user: User, session_id: UUID, by: Actor) -> None:
    """Ends one of the user's own live sessions. Raises SessionNotFound."""
    chosen = Session.objects.live(timezone.now()).filter(user=user, id=session_id)
    if not _end(chosen, Session.Reason.SIGNED_OUT, Action.SESSIONS_REVOKED, by, user.pk):
        raise SessionNotFound()


@once
def _end(chosen: SessionQuerySet, reason: Session.Reason, action: Action, by: Actor, user_id: int) -> int:
    ended = sessions.revoke(chosen, reason)
    if ended:
        record(action, by=by, subject_id=user_id, sessions=ended)
    return ended


@once
def _end_all(user: User, reason: Session.Reason, action: Action, by: Actor) -> int:
    ended = sessions.revoke_all(user=user, reason=reason)
    record(action, by=by, subject_id=user.pk, sessions=ended, everywhere=True)
    return ended
