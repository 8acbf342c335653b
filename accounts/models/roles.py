"""Roles, and who was granted which: by whom, when, why, and until when."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.validators import RegexValidator
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull
from django.db.models.signals import m2m_changed
from django.dispatch import receiver
from django.utils import timezone

from accounts.models.compiled import Insert, Param, Select

ADMIN = "admin"
# How far is counted what people are told the number of: beyond that, all that it says is that there are more.
COUNTED = 1000
# HasRole and the published clients rely on these names, and the clients on their order.
BUILT_IN_ROLES = {
    "user": (1, "Everyone who signed up."),
    "moderator": (2, "May see what moderators see."),
    ADMIN: (3, "May do everything in the Django admin."),
}


class RoleQuerySet(models.QuerySet["Role"]):
    def with_holders(self) -> "RoleQuerySet":
        """Each with `number_of_holders`, those whose grant counts now; COUNTED + 1 stands for all that are more, so
        that a role of a million costs no more than one of a thousand."""
        live = RoleGrant.objects.filter(role=models.OuterRef("pk")).order_by()
        one_more = models.Subquery(live.values("pk")[COUNTED : COUNTED + 1])
        number = models.Subquery(live.values("role").annotate(number=models.Count("pk")).values("number"))
        few = Coalesce(number, 0)
        return self.annotate(
            number_of_holders=models.Case(models.When(IsNull(one_more, True), few), default=COUNTED + 1)
        )


class RoleManager(models.Manager.from_queryset(RoleQuerySet)):  # type: ignore[misc]
    # So that post_migrate can use it on the model as it was at any migration.
    use_in_migrations = True

    def create_missing(self, extra: Iterable[str] = ()) -> list[str]:
        """Creates those of the built-in roles and of `extra` that are missing; says which."""
        wanted = {name: {"id": number, "description": text} for name, (number, text) in BUILT_IN_ROLES.items()}
        wanted |= {name: {} for name in extra if name not in wanted}
        return [name for name, values in wanted.items() if self.get_or_create(name=name, defaults=values)[1]]

    def called(self, names: list[str]) -> "dict[str, Role]":
        """Those that there are, by their names."""
        if len(names) > 1:
            return {role.name: role for role in self.filter(name__in=names)}
        # As at nearly every sign-up.
        rows = [row for name in names for row in _CALLED.rows(name=name)]
        return {row[1]: Role.from_db(DEFAULT_DB_ALIAS, _COLUMNS, row) for row in rows}


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


_COLUMNS = ("id", "name", "description")
_NAME = Param("name", models.CharField())
_CALLED = Select(lambda: Role.objects.filter(name=_NAME).order_by().values_list(*_COLUMNS))


class RoleGrantQuerySet(models.QuerySet["RoleGrant"]):
    def live(self, now: datetime) -> "RoleGrantQuerySet":
        """Those that have no end, or one still to come."""
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now))

    def keeping_an_admin(self) -> "RoleGrantQuerySet":
        """Grants of `admin` that have no end, to users who can sign in: one of these there must always be."""
        lasting = self.filter(role__name=ADMIN, expires_at__isnull=True, user__is_active=True)
        return lasting.exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX)


class LiveGrantManager(models.Manager.from_queryset(RoleGrantQuerySet)):  # type: ignore[misc]
    """Grants that count now."""

    def get_queryset(self) -> RoleGrantQuerySet:
        return super().get_queryset().live(timezone.now())

    def keep(self, grant: "RoleGrant") -> None:
        """Keeps a new grant. Raises IntegrityError."""
        _GRANTED.add(grant)


class RoleGrant(models.Model):
    """Who may do what; who said so, when, why, and until when. An expired grant stays, and counts for nothing."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="grants")
    # Indexed below, with more.
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="grants", db_index=False)
    granted_at = models.DateTimeField(default=timezone.now)
    # Who is gone keeps the id, as in the audit trail: nobody else gave it.
    granted_by = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="given_grants",
    )
    reason = models.CharField(max_length=255, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    # The default is what `user.grants` and `user.roles.add` see: so `add` takes an expired grant for none.
    objects: ClassVar[LiveGrantManager] = LiveGrantManager()
    with_expired: ClassVar[RoleGrantQuerySet] = RoleGrantQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="one_grant_per_user_and_role")]
        # Lists the holders of a role in the order of their ids, however few they are among all users.
        indexes = [models.Index(fields=["role", "user"])]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"

    @property
    def is_live(self) -> bool:
        return self.expires_at is None or self.expires_at > timezone.now()


_GRANTED = Insert(RoleGrant)


class AdminGuard(models.Model):
    """One row, which every transaction that can lose an admin updates, so that two of them collide: on one server
    at its lock, on a Galera cluster, where row locks do not reach the other nodes, at the certification."""

    changes = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.changes} changes"


@receiver(m2m_changed, sender=RoleGrant)
def renew_expired_grants(*, instance: models.Model, action: str, reverse: bool, pk_set: set[int], **_: object) -> None:
    """`user.roles.add` and `role.users.add` put a new grant in the place of an expired one."""
    if action == "pre_add":
        mine, others = ("role", "user") if reverse else ("user", "role")
        RoleGrant.with_expired.filter(**{mine: instance, f"{others}_id__in": pk_set}).delete()
