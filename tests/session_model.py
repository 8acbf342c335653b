"""What an outside observer expects of sessions and their tokens: the model that the server is compared with.

It follows docs/contract.md and the words in accounts/rotation.py, and imports nothing of accounts: an observer knows no
generations, only which token was answered when to which, and which of them came back.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

ACCESS_LIFETIME, REFRESH_LIFETIME = timedelta(seconds=3600), timedelta(seconds=86_400)
# `lastUsedAt` is kept to the minute, and a session may look alive for so long after its last token; and a second
# for the fractions that tokens do not carry.
LAG = timedelta(seconds=61)
SESSIONS_PER_USER = 2

Answer = tuple[int, str]
OPEN: Answer = (200, "")
UNAUTHORIZED: Answer = (401, "Unauthorized!")
ACCESS_EXPIRED: Answer = (401, "Unauthorized! Access Token was expired!")
UNKNOWN: Answer = (403, "Refresh token is not in database!")
REFRESH_EXPIRED: Answer = (403, "Refresh token was expired. Please make a new signin request")


class Meaning(Enum):
    """What a presented refresh token is."""

    EXPIRED = "expired"
    OF_NO_SESSION = "of a session that is over"
    A_STEP = "the first use of a successor"
    AGAIN = "the current one, or that of a late or a twin tab"
    STOLEN = "one of two copies, which ends the session"

    @property
    def answer(self) -> Answer:
        refusals = {Meaning.EXPIRED: REFRESH_EXPIRED, Meaning.OF_NO_SESSION: UNKNOWN, Meaning.STOLEN: UNKNOWN}
        return refusals.get(self, OPEN)


@dataclass(eq=False)
class AccessToken:
    raw: str
    session: "Session"
    expires: datetime

    def is_good(self, now: datetime) -> bool:
        return now < self.expires and not self.session.over

    def answer(self, now: datetime) -> Answer:
        """What the users' board says to it."""
        if now >= self.expires:
            return ACCESS_EXPIRED
        return UNAUTHORIZED if self.session.over else OPEN


@dataclass(eq=False)
class RefreshToken:
    raw: str
    session: "Session"
    issued: datetime
    expires: datetime
    # How many tokens of the session had been used, each a successor of the one before, when this was issued.
    place: int
    # The one that it was the answer to, and those that were the answers to it.
    parent: "RefreshToken | None" = None
    children: "list[RefreshToken]" = field(default_factory=list)
    first_used: datetime | None = None

    def was_retired(self, before: datetime) -> bool:
        """Whether a successor of it had been used by then."""
        return any(child.first_used is not None and child.first_used <= before for child in self.children)


@dataclass(eq=False)
class Pair:
    access: AccessToken
    refresh: RefreshToken


@dataclass(eq=False)
class Person:
    name: str
    id: int
    password: str
    active: bool = True
    sessions: "list[Session]" = field(default_factory=list)

    def open_sessions(self, now: datetime) -> "list[Session]":
        return [session for session in self.sessions if session.is_open(now)]

    def end_all(self, keep: "Session | None" = None) -> None:
        for session in self.sessions:
            session.over = session.over or session is not keep

    def add(self, session: "Session", now: datetime) -> None:
        """One session more than the limit ends the oldest."""
        self.sessions.append(session)
        newest_first = sorted(self.open_sessions(now), key=lambda session: session.opened, reverse=True)
        for surplus in newest_first[SESSIONS_PER_USER:]:
            surplus.over = True


@dataclass(eq=False)
class Session:
    person: Person
    opened: datetime
    grace: timedelta
    lifetime: timedelta
    id: str = ""
    over: bool = False
    # Somebody but its one honest client presented a token of it.
    disturbed: bool = False
    pairs: list[Pair] = field(default_factory=list)
    # The tokens that were used, each a successor of the one before; the first counts as used from the start.
    proven: list[RefreshToken] = field(default_factory=list)
    proven_at: datetime = datetime.min

    @property
    def ends(self) -> datetime:
        return self.opened + self.lifetime

    def last_token_expires(self) -> datetime:
        return max(pair.refresh.expires for pair in self.pairs)

    def is_open(self, now: datetime) -> bool:
        return not self.over and now < self.last_token_expires()

    def may_look_alive(self, now: datetime) -> bool:
        """All its tokens have expired, just now."""
        return not self.over and timedelta(0) <= now - self.last_token_expires() <= LAG

    def issued(self, access: str, refresh: str, now: datetime, *, to: RefreshToken | None) -> Pair:
        """Takes down an answer: tokens carry whole seconds, and none outlives the session."""

        def end(lifetime: timedelta) -> datetime:
            return min(now + lifetime, self.ends).replace(microsecond=0)

        whole = now.replace(microsecond=0)
        token = RefreshToken(refresh, self, whole, end(REFRESH_LIFETIME), len(self.proven), to)
        if to is None:
            self.proven, self.proven_at = [token], now
        else:
            to.children.append(token)
        self.pairs.append(Pair(AccessToken(access, self, end(ACCESS_LIFETIME)), token))
        return self.pairs[-1]

    def meaning(self, token: RefreshToken, now: datetime) -> Meaning:
        """What the token would be, if it came now."""
        if now >= token.expires:
            return Meaning.EXPIRED
        if self.over:
            return Meaning.OF_NO_SESSION
        current = self.proven[-1]
        behind = len(self.proven) - 1 - token.place
        if behind == -1:
            return Meaning.A_STEP
        if behind == 0 and abs(token.issued - current.issued) <= self.grace:
            return Meaning.AGAIN
        if behind == 1 and now - self.proven_at < self.grace:
            return Meaning.AGAIN
        return Meaning.STOLEN

    def carry_out(self, meaning: Meaning, token: RefreshToken, now: datetime) -> None:
        """What follows for the session when a token came that was found to be this."""
        if meaning is Meaning.STOLEN:
            self.over = True
        if meaning is Meaning.A_STEP:
            self.proven.append(token)
            self.proven_at = now
        if meaning.answer == OPEN:
            token.first_used = token.first_used or now

    def must_end(self, token: RefreshToken, now: datetime) -> bool:
        """The two promises to the owner, in words of their own: a retired token came back later than the grace; or
        a token was answered twice, further apart than the grace, and now both answers are used."""
        if self.over or now >= token.expires:
            return False
        rivals = [
            other
            for other in (token.parent.children if token.parent else [])
            if other in self.proven and other.place == token.place and abs(other.issued - token.issued) > self.grace
        ]
        return token.was_retired(now - self.grace) or (bool(rivals) and now - self.proven_at >= self.grace)
