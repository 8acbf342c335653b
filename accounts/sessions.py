"""Opening, rotating and revoking sessions: the only module that writes Session."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import metrics, throttling, tokens
from accounts.conf import conf
from accounts.errors import RefreshTokenReused, RefreshTokenUnknown, TooManyRequests
from accounts.models import Actor, Refreshable, Session, SessionQuerySet, User
from accounts.rotation import Known, Verdict, judge
from accounts.transactions import retrying

# Each lost race means that another refresh of the session got through, so that a few rounds settle it.
ROUNDS = 50
PAUSE = 0.005  # seconds, at most, between two rounds
# For so long a refresh waits, in seconds, while its process works on another of the same session.
QUEUE_FOR = 0.1
_QUEUES = [Lock() for _ in range(256)]


@dataclass(frozen=True)
class TokenPair:
    access: str
    refresh: str
    refresh_expires_at: datetime


def open(*, user: User, client: Actor) -> tuple[Session, TokenPair]:
    """Signs the user in: a new session and its first tokens."""
    now = timezone.now()
    ends = now + conf.session_lifetime
    session = Session(
        user=user,
        sessions_version=user.sessions_version,
        opened_at=now,
        last_used_at=now,
        idle_expires_at=_idle_expiry(now, ends),
        expires_at=ends,
        user_agent=client.user_agent[:255],
        address=client.ip_address,
        current_issued_at=now.replace(microsecond=0),
        confirmed_at=now,
    )
    Session.objects.keep(session)
    return session, _issue(session, now, generation=0)


def end_surplus(user: User) -> int:
    """Ends the user's oldest sessions beyond the limit; says how many. To be called in a transaction."""
    return revoke(Session.objects.filter(id__in=surplus_of(user)), Session.Reason.SURPLUS)


def surplus_of(user: User) -> list[UUID]:
    """The user's oldest live sessions beyond the limit."""
    return Session.objects.surplus(user_id=user.pk, limit=conf.sessions_per_user, now=timezone.now())


def rotate(claims: tokens.Claims, *, address: str | None) -> TokenPair:
    """Answers a refresh token with a new pair. Raises RefreshTokenUnknown where there is no live session;
    RefreshTokenReused for a retired token, whose session is to be ended (RFC 9700 section 4.14.2), however often it
    was refreshed; TooManyRequests, and leaves the session as it is."""
    # Those that come at once queue instead of losing races, each of which costs two statements. What is right the
    # compare-and-swap decides; so whoever has waited for long, as where the database is slow, goes on all the same.
    queue = _QUEUES[hash(claims.session_id) % len(_QUEUES)]
    is_mine = queue.acquire(timeout=QUEUE_FOR)
    try:
        session, now, counted = _move(claims)
    finally:
        if is_mine:
            queue.release()
    if counted:
        counted.was_kept(address=address)
    return _issue(session, now, generation=session.generation + 1)


@retrying
def _move(claims: tokens.Claims) -> tuple[Refreshable, datetime, throttling.Refresh | None]:
    """The session as that token leaves it, when, and how that was counted. Raises as `rotate`."""
    for _ in range(ROUNDS):
        now = timezone.now()
        session = Session.objects.live_one(session_id=claims.session_id, user_id=claims.user_id, now=now)
        if session is None:
            raise RefreshTokenUnknown()
        moved = _moved(session, claims, now)
        counted = throttling.refresh(level=session.refresh_level, at=session.refreshed_at, now=now)
        if counted:
            moved = moved._replace(refresh_level=counted.tally.level, refreshed_at=counted.tally.at)
        if moved == session or Session.objects.swap(session, moved._replace(refreshes=session.refreshes + 1)):
            return moved, now, counted
        time.sleep(random.uniform(0, PAUSE))  # noqa: S311
    raise TooManyRequests(timedelta(seconds=1))


def _moved(session: Refreshable, claims: tokens.Claims, now: datetime) -> Refreshable:
    """The session after that token, where nothing speaks against it. Raises RefreshTokenReused."""
    known = Known(session.generation, session.current_issued_at, session.confirmed_at)
    verdict = judge(
        known, generation=claims.generation, issued_at=claims.issued_at, now=now, grace=conf.refresh_token_grace
    )
    if verdict is Verdict.REUSED:
        raise RefreshTokenReused()
    if verdict is Verdict.CONFIRMS:
        # This retires all generations before it.
        session = session._replace(generation=claims.generation, current_issued_at=claims.issued_at, confirmed_at=now)
    elif now - session.last_used_at < Session.RESOLUTION:
        return session
    return session._replace(last_used_at=now, idle_expires_at=_idle_expiry(now, session.expires_at))


def revoke(sessions: SessionQuerySet, reason: Session.Reason) -> int:
    """Ends those of the sessions that have not ended; says how many. Their tokens are refused from now on."""
    now = timezone.now()
    ending = sessions.filter(revoked_at__isnull=True, idle_expires_at__gt=now)
    if ended := ending.update(revoked_at=now, revoked_reason=reason):
        transaction.on_commit(partial(metrics.count, metrics.REVOKED, reason.value, ended))
    return ended


def revoke_all(*, user: User, reason: Session.Reason, keep: UUID | None = None) -> int:
    """Ends all sessions of the user but `keep`, those of the Django admin and those that are just being opened too;
    says how many of the others had not ended. To be called in a transaction."""
    count = User.objects.filter(pk=user.pk)
    count.update(sessions_version=F("sessions_version") + 1)
    user.sessions_version = count.values_list("sessions_version", flat=True).first() or 0
    ending = Session.objects.filter(user=user)
    if keep:
        ending.filter(id=keep).update(sessions_version=user.sessions_version)
        ending = ending.exclude(id=keep)
    return revoke(ending, reason)


def of_claims(claims: tokens.Claims) -> SessionQuerySet:
    """The session that the token belongs to, if it is there."""
    return Session.objects.filter(id=claims.session_id, user_id=claims.user_id)


def prune(*, before: datetime, batch: int = 1000) -> Iterator[int]:
    """Deletes sessions of which no token can have been good since `before`, oldest first; gives the number after each
    batch, which is a short transaction of its own: so nobody waits, and whoever stops it loses nothing of what is done.
    """
    # Not from the start again: what was deleted stays in the index until the database has purged it.
    begin = datetime.min.replace(tzinfo=UTC)
    while found := Session.objects.run_out(begin, before)[:batch].values_list("id", "idle_expires_at"):
        ids, moments = zip(*found, strict=True)
        yield _delete(Session.objects.run_out(begin, before).filter(id__in=ids))
        begin = moments[-1]


@retrying
def _delete(sessions: SessionQuerySet) -> int:
    return sessions.delete()[0]


def _idle_expiry(now: datetime, ends: datetime) -> datetime:
    """No token issued before the next touch outlives this."""
    longest = max(conf.access_token_lifetime, conf.refresh_token_lifetime)
    return min(now + longest + Session.RESOLUTION, ends)


def _issue(session: Session | Refreshable, now: datetime, *, generation: int) -> TokenPair:
    def token(kind: type[tokens.SessionToken], expires_at: datetime, generation: int | None = None) -> str:
        return tokens.issue(
            kind,
            session_id=session.id,
            user_id=session.user_id,
            now=now,
            expires_at=expires_at,
            generation=generation,
        )

    refresh_expires_at = min(now + conf.refresh_token_lifetime, session.expires_at)
    return TokenPair(
        access=token(tokens.AccessToken, min(now + conf.access_token_lifetime, session.expires_at)),
        refresh=token(tokens.RefreshToken, refresh_expires_at, generation),
        refresh_expires_at=refresh_expires_at,
    )
