"""A new password ends the user's sessions, whoever sets it."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth.forms import AdminPasswordChangeForm, PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse_lazy

from accounts import services
from accounts.backends import actor_of
from accounts.models import Actor, User


class _ByActor:
    """A form that knows who is at work."""

    def __init__(self, *args: Any, by: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by


class PasswordForm(_ByActor, AdminPasswordChangeForm):
    """For somebody else's; they can also be left without one."""

    def save(self, commit: bool = True) -> User:
        if self.cleaned_data["set_usable_password"]:
            services.set_password(user=self.user, password=self.cleaned_data["password1"], by=self.by)
        else:
            services.remove_password(user=self.user, by=self.by)
        return self.user


class OwnPasswordForm(_ByActor, PasswordChangeForm):
    """For an admin's own, which asks for the old one first."""

    def save(self, commit: bool = True) -> User:
        services.set_password(user=self.user, password=self.cleaned_data["new_password1"], by=self.by)
        return self.user


def change_own_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    """What Django's admin does, which has no setting for the form."""
    view = PasswordChangeView.as_view(
        form_class=partial(OwnPasswordForm, by=actor_of(request)),
        success_url=reverse_lazy("admin:password_change_done"),
        extra_context={**admin.site.each_context(request), **(extra_context or {})},
    )
    return view(request)
