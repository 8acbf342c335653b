"""Who there is, what they may do, and where they are signed in."""

import secrets
import time
from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.errors import AccountError, EmailTaken, UsernameTaken
from accounts.names import EMAIL_MAX, USERNAME_MAX, clean_email, clean_username, name_key

ADMIN = "admin"
# HasRole and the published clients rely on these names, and the clients on their order.
BUILT_IN_ROLES = {
    "user": (1, "Everyone who signed up."),
    "moderator": (2, "May see what moderators see."),
    ADMIN: (3, "May do everything in the Django admin."),
}


class RoleManager(models.Manager["Role"]):
    # So that post_migrate can use it on the model as it was at any migration.
    use_in_migrations = True

    def create_missing(self, extra: Iterable[str] = ()) -> list[str]:
        """Creates those of the built-in roles and of `extra` that are missing; says which."""
        wanted = {name: {"id": number, "description": text} for name, (number, text) in BUILT_IN_ROLES.items()}
        wanted |= {name: {} for name in extra if name not in wanted}
        return [name for name, values in wanted.items() if self.get_or_create(name=name, defaults=values)[1]]


class Role(models.Model):
    name = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_-]*\Z", "A lower-case letter first, then also digits, - and _.")],
    )
    description = models.CharField(max_length=255, blank=True)

    objects: ClassVar[RoleManager] = RoleManager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class NameKeyField(models.CharField):
    """The unique key of another field (see accounts/names.py), worked out whenever a row is written."""

    def __init__(self, *, of: str, **kwargs: Any) -> None:
        self.of = of
        super().__init__(**{"max_length": 64, "unique": True, "editable": False, **kwargs})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = name_key(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, key)
        return key


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username_key=name_key(username or ""))

    def with_roles(self, *, username: str) -> "User | None":
        """Whoever has that name, in any spelling that is the same name; with their roles, in one query."""
        found = self.filter(username_key=name_key(username))
        return _user_with_roles(found, "")

    def refuse_taken(self, *, username: str, email: str, by_other_than: int | None = None) -> None:
        """Raises UsernameTaken or EmailTaken, in this order, if someone has one of the two."""
        keys = name_key(username), name_key(email)
        either = models.Q(username_key=keys[0]) | models.Q(email_key=keys[1])
        found = set(self.filter(either).exclude(pk=by_other_than or 0).values_list("username_key", flat=True))
        if keys[0] in found:
            raise UsernameTaken()
        if found:
            raise EmailTaken()

    def create_user(
        self, username: str, email: str, password: str | None = None, *, roles: Iterable[Role] = ()
    ) -> "User":
        """The new user, holding `roles`. Raises InvalidUsername, InvalidEmail, UsernameTaken, EmailTaken.

        Whoever of several asks first is settled by the unique keys, not by the look before it.
        """
        user = self.model(username=clean_username(username), email=clean_email(email))
        user.set_password(password)
        try:
            with transaction.atomic():
                user.save(using=self._db)
                RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
        except IntegrityError:
            self.refuse_taken(username=user.username, email=user.email)
            raise
        return user

    def create_superuser(self, username: str, email: str, password: str | None = None) -> "User":
        """For Django's `createsuperuser`, which expects ValidationError."""
        try:
            return self.create_user(username, email, password, roles=[Role.objects.get(name=ADMIN)])
        except AccountError as error:
            raise ValidationError(error.message) from None


class User(AbstractBaseUser):
    username = models.CharField(max_length=USERNAME_MAX)
    username_key = NameKeyField(of="username")
    email = models.EmailField(max_length=EMAIL_MAX)
    email_key = NameKeyField(of="email")
    is_active = models.BooleanField("active", default=True, help_text="Who is not active cannot sign in.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    roles = models.ManyToManyField(Role, through="RoleGrant", related_name="users")
    # Django's own column; here each sign-in is a row of Session.
    last_login = None

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering = ["id"]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """A name never changes without its key."""
        if update_fields is not None:
            changed = set(update_fields)
            update_fields = changed | {f"{name}_key" for name in ("username", "email") if name in changed}
        super().save(*args, update_fields=update_fields, **kwargs)

    def clean(self) -> None:
        """What the admin's forms ask; the same rules as at sign-up."""
        try:
            self.username, self.email = clean_username(self.username), clean_email(self.email)
            User.objects.refuse_taken(username=self.username, email=self.email, by_other_than=self.pk)
        except AccountError as error:
            raise ValidationError(error.message) from None

    @cached_property
    def role_names(self) -> tuple[str, ...]:
        """The names of the roles held, in the order of the roles' ids; asked of the database once per instance."""
        return tuple(self.roles.order_by("id").values_list("name", flat=True))

    def has_role(self, name: str) -> bool:
        return self.is_active and name in self.role_names

    # The Django admin: one authority, the role, and no flag that could outlive it.

    @property
    def is_staff(self) -> bool:
        return self.has_role(ADMIN)

    @property
    def is_superuser(self) -> bool:
        return self.has_role(ADMIN)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.has_role(ADMIN)

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        return self.has_role(ADMIN)

    def has_module_perms(self, app_label: str) -> bool:
        return self.has_role(ADMIN)


def _user_with_roles(rows_of: models.QuerySet[Any], prefix: str, without: Set[str] = frozenset()) -> User | None:
    """The user that the query finds at `prefix`, with `role_names`, in one query: a row per role held."""
    fields = [field.attname for field in User._meta.concrete_fields if field.attname not in without]
    columns = (*fields, "roles__id", "roles__name")
    rows = list(rows_of.order_by().values_list(*(prefix + column for column in columns)))
    if not rows:
        return None
    user = User.from_db(rows_of.db, fields, rows[0][: len(fields)])
    user.role_names = tuple(name for _, name in sorted(row[-2:] for row in rows if row[-1] is not None))
    return user


class RoleGrant(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="grants")
    granted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="one_grant_per_user_and_role")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


def new_session_id() -> UUID:
    """A UUID of version 7 (RFC 9562 section 5.7): rows are added in the order of their keys, and no id ever
    comes back after a backup was restored, as a counted one would."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, now: datetime) -> "SessionQuerySet":
        """Sessions whose tokens are good, of users who may sign in."""
        return self.filter(revoked_at__isnull=True, idle_expires_at__gt=now, expires_at__gt=now, user__is_active=True)

    def run_out_before(self, moment: datetime) -> "SessionQuerySet":
        """Sessions of which no token can have been good since `moment`."""
        return self.filter(idle_expires_at__lt=moment)

    def user_with_roles(self, *, session_id: UUID, user_id: int, now: datetime) -> User | None:
        """The user of a live session, without the password hash; None if there is no such session."""
        sessions = self.live(now).filter(id=session_id, user_id=user_id)
        return _user_with_roles(sessions, "user__", without={"password"})


class Session(models.Model):
    """One sign-in: the token family of RFC 9700 section 4.14.2. Only accounts/sessions.py writes it."""

    class Reason(models.TextChoices):
        SIGNED_OUT = "signed_out"
        TOKEN_REUSED = "token_reused"
        PASSWORD_CHANGED = "password_changed"
        BY_ADMIN = "by_admin"

    # How far `last_used_at` may lag behind, so that busy sessions are not written at each use.
    RESOLUTION = timedelta(minutes=1)

    id = models.UUIDField(primary_key=True, default=new_session_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    opened_at = models.DateTimeField()
    last_used_at = models.DateTimeField(help_text="When it was opened or last refreshed, to the minute.")
    idle_expires_at = models.DateTimeField(db_index=True, help_text="When the last token issued runs out.")
    expires_at = models.DateTimeField(help_text="When it ends, however often it is refreshed.")
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

    def __str__(self) -> str:
        return str(self.id)
