"""There is always somebody who can let others in: the last holder of `admin` is kept."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import F

from accounts.errors import LastAdmin
from accounts.models import ADMIN, AdminGuard, RoleGrant, User


@contextmanager
def keeping_an_admin(user: User) -> Iterator[None]:
    """Around what may cost `user` the role admin, in a transaction. Raises LastAdmin if after that nobody active
    holds `admin` without an end.

    Each of these transactions first updates the one row of AdminGuard: so they run one after the other, and each
    sees what the one before left. On a Galera cluster the later of two is refused at its commit, and tried again.
    """
    _wait_for_the_others()
    was_admin = _is_admin(user)
    yield
    if was_admin:
        refuse_no_admin()


def _wait_for_the_others() -> None:
    """Updates the one row; the first of all makes it, and of several at once one does."""
    guard = AdminGuard.objects.filter(pk=1)
    if not guard.update(changes=F("changes") + 1):
        AdminGuard.objects.bulk_create([AdminGuard(pk=1)], ignore_conflicts=True)
        guard.update(changes=F("changes") + 1)


def refuse_no_admin() -> None:
    """Raises LastAdmin if nobody active holds `admin` without an end: then one day nobody might."""
    if not RoleGrant.with_expired.all().keeping_an_admin().exists():
        raise LastAdmin()


def _is_admin(user: User) -> bool:
    return RoleGrant.objects.filter(user_id=user.pk, user__is_active=True, role__name=ADMIN).exists()
