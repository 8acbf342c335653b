"""Django's way in (its admin's sign-in form) leads to the same service as the API's."""

from typing import Any

from django.contrib.auth import user_logged_in, user_logged_out
from django.contrib.auth.backends import BaseBackend
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from accounts import services
from accounts.conf import conf
from accounts.errors import AccountError, TryLater
from accounts.models import Actor, User


class AccountBackend(BaseBackend):
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        try:
            return services.enter_admin(username=username, password=password, by=actor_of(request))
        except TryLater:
            # Not a wrong password: the form says how long to wait.
            raise
        except AccountError:
            return None

    def get_user(self, user_id: int) -> User | None:
        bind_contextvars(user_id=user_id)  # for the log
        return User.objects.filter(pk=user_id, is_active=True).first()


def actor_of(request: HttpRequest | None) -> Actor:
    """Who works in the admin, for the audit trail."""
    if request is None:
        return Actor(via="admin")
    return Actor.seen(request.META, user_id=request.user.pk, via="admin")


@receiver(user_logged_in)
def bound_session(*, request: HttpRequest, **kwargs: Any) -> None:
    """Ends it some time after the sign-in, however busy it is; Django would count from each change to it."""
    request.session.set_expiry(timezone.now() + conf.admin_session_lifetime)


@receiver(user_logged_out)
def record_signing_out(*, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        services.leave_admin(user=user, by=actor_of(request))
