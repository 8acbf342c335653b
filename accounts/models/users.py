"""Who there is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, models, transaction
from django.db.models.functions import Substr
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.conf import conf
from accounts.errors import AccountError, EmailTaken, UsernameTaken
from accounts.hashers import BCRYPT_COSTS
from accounts.models.audit import Action, Actor, AuditEntry
from accounts.models.compiled import Param, Select, insert_all
from accounts.models.roles import ADMIN, Role, RoleGrant
from accounts.names import EMAIL_MAX, USERNAME_MAX, clean_email, clean_username, name_key, new_username


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


def _bcrypt_cost() -> models.Case:
    """Of `bcrypt$$2b$08$…`, the 8. Digits are compared, not converted: a conversion would refuse to store what is no
    number."""
    costs = (
        models.When(Exact(Substr("password", 12, 3), models.Value(f"{cost:02}$")), then=models.Value(cost))
        for cost in BCRYPT_COSTS
    )
    is_bcrypt = Exact(Substr("password", 1, 9), models.Value("bcrypt$$2"))
    return models.Case(models.When(is_bcrypt, then=models.Case(*costs)))


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username_key=name_key(username or ""))

    def with_roles(self, *, username: str) -> "User | None":
        """Whoever has that name, in any spelling that is the same name; with their roles, in one query."""
        return _BY_NAME.get(key=name_key(username))

    def highest_bcrypt_cost(self) -> int | None:
        """Of the hashes that were brought over; None once all of them are upgraded or gone."""
        found = _HIGHEST_BCRYPT_COST.rows()
        return found[0][0] if found else None

    def refuse_taken(self, *, username: str, email: str, by_other_than: int | None = None) -> None:
        """Raises UsernameTaken or EmailTaken, in this order, if someone has one of the two."""
        key = name_key(username)
        found = _TAKEN.rows(username_key=key, email_key=name_key(email), other_than=by_other_than or 0)
        if [key] in found:
            raise UsernameTaken()
        if found:
            raise EmailTaken()

    def create_user(
        self, username: str, email: str, password: str | None = None, *, roles: Iterable[Role] = ()
    ) -> "User":
        """The new user, holding `roles`. Raises InvalidUsername, InvalidEmail, UsernameTaken, EmailTaken."""
        user = self.model(username=clean_username(username), email=clean_email(email))
        user.set_password(password)
        try:
            with transaction.atomic():
                self.keep(user, roles=roles)
        except IntegrityError:
            self.refuse_taken(username=user.username, email=user.email)
            raise
        return user

    def keep(self, user: "User", *, roles: Iterable[Role], granted_by_id: int | None = None) -> None:
        """Keeps a new user, holding `roles`; to be called in a transaction. Raises IntegrityError.

        Whoever of several asks first is settled by the unique keys, not by the look before it.
        """
        user.save(force_insert=True)
        for role in roles:
            RoleGrant.objects.keep(RoleGrant(user=user, role=role, granted_by_id=granted_by_id))

    def keep_as_they_are(self, users: list["User"]) -> None:
        """Keeps new users with the ids and moments that they have; in a transaction. Raises IntegrityError."""
        for user in users:
            user.username_key, user.email_key = name_key(user.username), name_key(user.email)
        insert_all(users)

    def create_superuser(self, username: str, email: str, password: str | None = None) -> "User":
        """For Django's `createsuperuser`, which expects ValidationError, and lets one pass over the password policy."""
        if password is not None:
            validate_password(password, self.model(username=username, email=email))
        try:
            with transaction.atomic():
                user = self.create_user(username, email, password, roles=[Role.objects.get(name=ADMIN)])
                AuditEntry.objects.record(Action.ACCOUNT_CREATED, by=Actor(), subject_id=user.pk, roles=[ADMIN])
                AuditEntry.objects.record(Action.ROLE_GRANTED, by=Actor(), subject_id=user.pk, role=ADMIN)
        except AccountError as error:
            raise ValidationError(error.message) from None
        return user


class User(AbstractBaseUser):
    username = models.CharField(max_length=USERNAME_MAX)
    username_key = NameKeyField(of="username")
    email = models.EmailField(max_length=EMAIL_MAX)
    email_key = NameKeyField(of="email")
    is_active = models.BooleanField("active", default=True, help_text="Who is not active cannot sign in.")
    # Counts how often all sessions were ended. Each session holds the count it was opened with, and is good only
    # while it is this one: so none outlives a change of password or a deactivation, not even one whose sign-in was
    # checking the old password at that moment, nor one of the Django admin, which are no rows of Session.
    sessions_version = models.PositiveIntegerField(default=0, editable=False)
    # Worked out by the database itself, whoever wrote the hash: an import, `update`, or plain SQL. NULL for all others.
    bcrypt_cost = models.GeneratedField(
        expression=_bcrypt_cost(),
        output_field=models.PositiveSmallIntegerField(null=True),
        db_persist=True,
        db_index=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    roles = models.ManyToManyField(Role, through="RoleGrant", through_fields=("user", "role"), related_name="users")
    # Django's own column; here each sign-in is a row of Session.
    last_login = None

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering = ["id"]
        # For the lists of people, which are ordered and filtered by these.
        indexes = [models.Index(fields=[name]) for name in ("username", "email", "is_active", "created_at")]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """A saved name never changes without its key (but `update` on a queryset writes just what it is given)."""
        if update_fields is not None:
            changed = set(update_fields)
            update_fields = changed | {f"{name}_key" for name in ("username", "email") if name in changed}
        super().save(*args, update_fields=update_fields, **kwargs)

    def clean(self) -> None:
        """What the admin's forms ask; the same rules as at sign-up."""
        old = User.objects.filter(pk=self.pk).values_list("username", flat=True).first()
        try:
            self.username, self.email = new_username(self.username, old), clean_email(self.email)
            User.objects.refuse_taken(username=self.username, email=self.email, by_other_than=self.pk)
        except AccountError as error:
            raise ValidationError(error.message) from None

    def check_password(self, raw_password: str | None) -> bool:
        """Django's would write an upgraded hash over whatever password was set in the meantime."""
        return check_password(raw_password, self.password)

    @cached_property
    def role_names(self) -> tuple[str, ...]:
        """The names of the roles held now, in the order of their ids; asked of the database once per instance."""
        return tuple(self.grants.order_by("role_id").values_list("role__name", flat=True))

    def has_role(self, name: str) -> bool:
        return self.is_active and name in self.role_names

    def get_session_auth_hash(self) -> str:
        """What a session of the Django admin is good with."""
        return self._session_hash(conf.secret_key)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """What is good too, and exchanged for the one above: so SECRET_KEY can be rotated."""
        return map(self._session_hash, conf.secret_key_fallbacks)

    def _session_hash(self, secret: str) -> str:
        value = f"{self.password} {self.sessions_version}"
        return salted_hmac("accounts.User", value, secret=secret, algorithm="sha256").hexdigest()

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


class UserWithRoles:
    """The user that a query finds at `prefix`, with `role_names`, in one statement: a row per grant."""

    def __init__(self, rows_of: Callable[[], models.QuerySet[Any]], prefix: str = "", without: str = "") -> None:
        concrete = User._meta.concrete_fields
        self._fields = [field.attname for field in concrete if not field.generated and field.attname != without]
        columns = (*self._fields, "grants__expires_at", "grants__role_id", "grants__role__name")
        self._rows = Select(lambda: rows_of().order_by().values_list(*(prefix + column for column in columns)))

    def get(self, **values: Any) -> User | None:
        """None if there is none; `values` are those of the query's Params."""
        rows = self._rows.rows(**values)
        if not rows:
            return None
        user = User.from_db(DEFAULT_DB_ALIAS, self._fields, rows[0][: len(self._fields)])
        user.role_names = _live_role_names(row[-3:] for row in rows)
        return user


_BY_NAME = UserWithRoles(lambda: User.objects.filter(username_key=Param("key", models.CharField())))
_KEY = models.CharField()
_TAKEN = Select(
    lambda: (
        User.objects.filter(
            models.Q(username_key=Param("username_key", _KEY)) | models.Q(email_key=Param("email_key", _KEY))
        )
        .exclude(pk=Param("other_than", models.BigIntegerField()))
        .order_by()
        .values_list("username_key")
    )
)
_HIGHEST_BCRYPT_COST = Select(
    lambda: User.objects.filter(bcrypt_cost__isnull=False).order_by("-bcrypt_cost").values_list("bcrypt_cost")[:1]
)


def _live_role_names(grants: Iterable[list[Any]]) -> tuple[str, ...]:
    """In the order of the roles' ids; who holds none comes out of the join with one row of nothing."""
    now = timezone.now()
    held = sorted(
        (id_, name) for expires_at, id_, name in grants if name and id_ and not (expires_at and expires_at <= now)
    )
    return tuple(name for _, name in held)
