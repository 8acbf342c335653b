"""The admin's own doors, signing in and changing one's own password: the same counters as the API's."""

from functools import partial
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse_lazy

from accounts import dashboard, services
from accounts.backends import actor_of
from accounts.errors import AccountError, TooBusy, TooManyRequests, TryLater
from accounts.models import Actor, User
from accounts.turns import turn


class SignInForm(AdminAuthenticationForm):
    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except TryLater as error:
            raise _in_the_form(error) from None


class ByActor:
    """A form that knows who is at work."""

    def __init__(self, *args: Any, by: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by


class OwnPasswordForm(ByActor, PasswordChangeForm):
    """For an admin's own, which asks for the old one first."""

    def clean_old_password(self) -> str:
        old = self.cleaned_data["old_password"]
        try:
            services.confirm(self.user, old, self.by)
        except TryLater as error:
            raise _in_the_form(error) from None
        except AccountError as error:
            raise ValidationError(error.message, code=error.code) from None
        return old

    def save(self, commit: bool = True) -> User:
        services.set_password(user=self.user, password=self.cleaned_data["new_password1"], by=self.by)
        return self.user


class Site(AdminSite):
    site_header = site_title = "authproject"
    index_title = "Dashboard"
    login_form = SignInForm

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {"dashboard": dashboard.shown(), **(extra_context or {})})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return _with_status(super().login(request, extra_context))

    def password_change(  # type: ignore[override]  # Django's answers with a redirect too
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What Django's does, which has no setting for the form."""
        view = PasswordChangeView.as_view(
            form_class=partial(OwnPasswordForm, by=actor_of(request)),
            success_url=reverse_lazy("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        # One turn for checking the old one and hashing the new one: a form that was found valid is not refused.
        try:
            with turn():
                return _with_status(view(request))
        except TooBusy as error:
            return _busy(error)


def _in_the_form(error: TryLater) -> ValidationError:
    return ValidationError(error.message, code=error.code, params={"retry_after": error.retry_after})


def _busy(error: TooBusy) -> HttpResponse:
    """For pages that have no form to say it in."""
    headers = {"Retry-After": str(error.retry_after), "Content-Type": "text/plain; charset=utf-8"}
    return HttpResponse(error.message, status=503, headers=headers)


def _with_status(response: Any) -> HttpResponse:
    """The page, as a 429 or 503 if its form was refused for now."""
    form = (getattr(response, "context_data", None) or {}).get("form")
    for error in form.errors.as_data().values() if form else ():
        if status := {TooManyRequests.code: 429, TooBusy.code: 503}.get(error[0].code or ""):
            response.status_code = status
            response["Retry-After"] = str(error[0].params["retry_after"])
    return response
