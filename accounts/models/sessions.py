"""Where people are signed in."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import ClassVar, NamedTuple
from uuid import UUID

from django.db import models

from accounts.models.compiled import Insert, Param, Select, Update
from accounts.models.ids import new_id
from accounts.models.users import User, UserWithRoles


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, now: datetime | Param) -> "SessionQuerySet":
        """Sessions whose tokens are good, of users who may sign in."""
        return self.filter(
            revoked_at__isnull=True,
            idle_expires_at__gt=now,
            expires_at__gt=now,
            user__is_active=True,
            user__sessions_version=models.F("sessions_version"),
        )

    def run_out(self, begin: datetime, end: datetime) -> "SessionQuerySet":
        """Sessions whose last token ran out in that time, `end` not included, in this order."""
        return self.filter(idle_expires_at__gte=begin, idle_expires_at__lt=end).order_by("idle_expires_at")


class Refreshable(NamedTuple):
    """A live session, as far as a refresh needs it, or leaves it. The fields are those of Session."""

    id: UUID
    user_id: int
    last_used_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    generation: int
    current_issued_at: datetime
    confirmed_at: datetime
    refreshes: int
    refresh_level: float
    refreshed_at: datetime | None


class SessionManager(models.Manager.from_queryset(SessionQuerySet)):  # type: ignore[misc]
    """The statements of every day, which are of the whole table."""

    def user_with_roles(self, *, session_id: UUID, user_id: int, now: datetime) -> User | None:
        """The user of a live session, without the password hash; None if there is no such session."""
        return _USER_OF_SESSION.get(session_id=session_id, user_id=user_id, now=now)

    def live_one(self, *, session_id: UUID, user_id: int, now: datetime) -> Refreshable | None:
        """The session, if it is live."""
        rows = _LIVE_ONE.rows(session_id=session_id, user_id=user_id, now=now)
        return Refreshable(*rows[0]) if rows else None

    def surplus(self, *, user_id: int, limit: int, now: datetime) -> list[UUID]:
        """The user's oldest live sessions beyond that many."""
        return [id_ for (id_,) in _beyond(limit).rows(user_id=user_id, now=now)]

    def keep(self, session: "Session") -> None:
        _OPENED.add(session)

    def swap(self, before: Refreshable, after: Refreshable) -> bool:
        """The compare-and-swap of a refresh; False if another request was first, or ended the session."""
        was = {"was_refreshed": before.refreshes, "was_at": before.generation}
        return bool(_SWAP.execute(**after._asdict(), **was))


class Session(models.Model):
    """One sign-in: the token family of RFC 9700 section 4.14.2. Only accounts/sessions.py writes it."""

    class Reason(models.TextChoices):
        SIGNED_OUT = "signed_out"
        TOKEN_REUSED = "token_reused"
        PASSWORD_CHANGED = "password_changed"
        BY_ADMIN = "by_admin"
        SURPLUS = "surplus"
        DEACTIVATED = "deactivated"
        REPLACED = "replaced"

    # How far `last_used_at` may lag behind, so that busy sessions are not written at each use.
    RESOLUTION = timedelta(minutes=1)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Indexed below, with more.
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    opened_at = models.DateTimeField()
    last_used_at = models.DateTimeField(help_text="When it was opened or last refreshed, to the minute.")
    idle_expires_at = models.DateTimeField(db_index=True, help_text="When the last token issued runs out.")
    expires_at = models.DateTimeField(help_text="When it ends, however often it is refreshed.")
    sessions_version = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=20, choices=Reason, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)

    # What is known of the current refresh token; accounts/rotation.py says what follows from it.
    generation = models.PositiveIntegerField(default=0)
    current_issued_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()

    # How often it was refreshed, which is what the compare-and-swap compares; and the tally of accounts/rates.py. The
    # database knows the defaults too, for a copy of the server that does not know the columns yet.
    refreshes = models.PositiveIntegerField(default=0, db_default=0)
    refresh_level = models.FloatField(default=0, db_default=0)
    refreshed_at = models.DateTimeField(null=True)

    objects: ClassVar[SessionManager] = SessionManager()

    class Meta:
        ordering = ["-opened_at"]
        indexes = [
            # For the foreign key: MySQL 9.7.4 checks it by the oldest index that begins with it, and passes over rows
            # for which any column of that index is null.
            models.Index(fields=["user", "idle_expires_at"]),
            # Finds a user's live sessions, however many have ended or run out and wait to be pruned.
            models.Index(fields=["user", "revoked_at", "idle_expires_at"]),
        ]

    def __str__(self) -> str:
        return str(self.id)


_MOMENT, _ID = models.DateTimeField(), models.UUIDField()
_NOW, _USER_ID = Param("now", _MOMENT), Param("user_id", models.BigIntegerField())
_NUMBER = models.PositiveIntegerField()
# What a refresh changes.
_MOVED = {
    field.name: Param(field.name, field)
    for field in Session._meta.concrete_fields
    if field.attname in set(Refreshable._fields) - {"id", "user_id", "expires_at"}
}


def _live_session() -> SessionQuerySet:
    return Session.objects.live(_NOW).filter(id=Param("session_id", _ID), user_id=_USER_ID).order_by()


_USER_OF_SESSION = UserWithRoles(_live_session, prefix="user__", without="password")
_LIVE_ONE = Select(lambda: _live_session().values_list(*Refreshable._fields))
_OPENED = Insert(Session, without=("refreshes", "refresh_level", "refreshed_at"))
_SWAP = Update(
    # The generation too, which a copy of the server may write that does not know `refreshes` yet.
    lambda: Session.objects.filter(
        id=Param("id", _ID),
        refreshes=Param("was_refreshed", _NUMBER),
        generation=Param("was_at", _NUMBER),
        revoked_at__isnull=True,
    ).order_by(),
    **_MOVED,
)


@lru_cache(maxsize=4)
def _beyond(limit: int) -> Select:
    """A statement for each limit, of which a process has one."""
    newest_first = Session.objects.live(_NOW).filter(user_id=_USER_ID).order_by("-opened_at", "-id")
    return Select(lambda: newest_first.values_list("id")[limit:])
