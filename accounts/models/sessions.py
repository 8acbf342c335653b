"""Where people are signed in."""

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.db import models

from accounts.models.ids import new_id
from accounts.models.users import User, user_with_roles


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, now: datetime) -> "SessionQuerySet":
        """Sessions whose tokens are good, of users who may sign in."""
        return self.filter(
            revoked_at__isnull=True,
            idle_expires_at__gt=now,
            expires_at__gt=now,
            user__is_active=True,
            user__sessions_version=models.F("sessions_version"),
        )

    def run_out_before(self, moment: datetime) -> "SessionQuerySet":
        """Sessions of which no token can have been good since `moment`."""
        return self.filter(idle_expires_at__lt=moment)

    def user_with_roles(self, *, session_id: UUID, user_id: int, now: datetime) -> User | None:
        """The user of a live session, without the password hash; None if there is no such session."""
        sessions = self.live(now).filter(id=session_id, user_id=user_id)
        return user_with_roles(sessions, "user__", without={"password"})


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

    objects: ClassVar[SessionQuerySet] = SessionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-opened_at"]
        # Finds a user's live sessions, however many have run out and wait to be pruned.
        indexes = [models.Index(fields=["user", "idle_expires_at"])]

    def __str__(self) -> str:
        return str(self.id)
