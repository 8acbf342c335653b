"""What can be done with several people at once."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts import services
from accounts.admin.actions import Deed, Named, confirmed, show
from accounts.backends import actor_of
from accounts.errors import InvalidExpiry
from accounts.models import ADMIN, Actor, Role, User

Answer = TemplateResponse | None


class RoleForm(forms.Form):
    """The role that is taken away from the selected."""

    role = forms.ModelChoiceField(Role.objects.all(), to_field_name="name", empty_label=None)


class GrantForm(RoleForm):
    """The role that they are given."""

    reason = forms.CharField(max_length=255, required=False, help_text="Why, for who asks later.")
    until = forms.DateTimeField(
        required=False,
        help_text="In UTC. Without it the role stays until somebody takes it away.",
        widget=forms.DateTimeInput({"type": "datetime-local"}),
    )

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until and until <= timezone.now():
            raise forms.ValidationError(InvalidExpiry.message)
        return until


class UserActions(admin.ModelAdmin):
    """Mixed into the page of the users."""

    actions = ("activate", "deactivate", "end_sessions", "grant_role", "revoke_role")

    @admin.action(description="Activate the selected users", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> Answer:
        by = actor_of(request)
        deed = Deed[User](
            question="Let {} sign in again?",
            consequence="They can sign in with the password that they had. Their old sessions stay ended.",
            button="Yes, activate",
            done="Activated: {}.",
            unaffected="they are active already",
            affects=lambda user: not user.is_active,
            do=lambda user: services.set_active(user=user, active=True, by=by),
        )
        return confirmed(self, request, queryset, deed)

    @admin.action(description="Deactivate the selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> Answer:
        by = actor_of(request)
        deed = Deed[User](
            question="Deactivate {}?",
            consequence="They cannot sign in any more, and all their sessions end now. What they hold and did is kept.",
            button="Yes, deactivate",
            done="Deactivated: {}.",
            unaffected="they are not active",
            affects=lambda user: user.is_active,
            do=lambda user: services.set_active(user=user, active=False, by=by),
            warnings=lambda users: _about_admins(users) + _about_oneself(users, by),
        )
        return confirmed(self, request, _oneself_last(queryset, by), deed)

    @admin.action(description="End all sessions of the selected users", permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> Answer:
        by = actor_of(request)
        deed = Deed[User](
            question="Sign out {}?",
            consequence="All their sessions end now, on every device and in this admin. They can sign in again.",
            button="Yes, end their sessions",
            done="Users signed out: {}.",
            unaffected="",
            affects=lambda user: True,
            do=lambda user: services.revoke_all_sessions(user=user, by=by),
            warnings=lambda users: _about_oneself(users, by),
        )
        return confirmed(self, request, _oneself_last(queryset, by), deed)

    @admin.action(description="Give the selected users a role", permissions=["change"])
    def grant_role(self, request: HttpRequest, queryset: QuerySet[User]) -> Answer:
        form = GrantForm(request.POST if "role" in request.POST else None)
        if not form.is_valid():
            return _which_role(self, request, queryset, form, "Which role is given?")
        role, until, reason = form.cleaned_data["role"].name, form.cleaned_data["until"], form.cleaned_data["reason"]
        by = actor_of(request)
        ends = f", until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        deed = Deed[User](
            question=f"Give the role {role} to {{}}?",
            consequence=f"They hold it from their next request on{ends}.",
            button="Yes, give it",
            done=f"Role {role} given to {{}}.",
            unaffected=f"they hold {role} already, and keep it as it is",
            affects=lambda user: role not in _held(user),
            do=lambda user: services.grant_role(user=user, role_name=role, by=by, reason=reason, expires_at=until),
            warnings=lambda users: ["Who holds admin may do everything here."] if role == ADMIN else [],
            hidden={name: form.data.get(name, "") for name in ("role", "reason", "until")},
        )
        return confirmed(self, request, queryset, deed)

    @admin.action(description="Take a role away from the selected users", permissions=["change"])
    def revoke_role(self, request: HttpRequest, queryset: QuerySet[User]) -> Answer:
        form = RoleForm(request.POST if "role" in request.POST else None)
        if not form.is_valid():
            return _which_role(self, request, queryset, form, "Which role is taken away?")
        role, by = form.cleaned_data["role"].name, actor_of(request)
        is_admin = role == ADMIN
        deed = Deed[User](
            question=f"Take the role {role} away from {{}}?",
            consequence="It counts no more from their next request on. They stay signed in.",
            button="Yes, take it away",
            done=f"Role {role} taken away from {{}}.",
            unaffected=f"they do not hold {role}",
            affects=lambda user: role in _held(user),
            do=lambda user: services.revoke_role(user=user, role_name=role, by=by),
            warnings=lambda users: _about_admins(users) + _about_oneself(users, by) if is_admin else [],
            hidden={"role": role},
        )
        return confirmed(self, request, _oneself_last(queryset, by), deed)


def _which_role(
    page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[User], form: RoleForm, title: str
) -> TemplateResponse:
    users = list(queryset)
    named = Named.of(users, lambda user: f"{user.username} ({', '.join(_held(user)) or 'no role'})")
    return show(page, request, "choose_role", {"title": title, "form": form, "affected": named, "rows": users})


def _held(user: User) -> list[str]:
    """The page has read the grants that count now, of all users at once."""
    return [grant.role.name for grant in user.grants.all()]


def _oneself_last(users: Iterable[User], by: Actor) -> list[User]:
    """Who shuts themselves out does it after the rest."""
    return sorted(users, key=lambda user: user.pk == by.user_id)


def _about_admins(users: list[User]) -> list[str]:
    admins = Named.of([user for user in users if ADMIN in _held(user)], str)
    return [f"Admins among them: {admins}. The last admin is kept as they are."] if admins.number else []


def _about_oneself(users: list[User], by: Actor) -> list[str]:
    is_there = any(user.pk == by.user_id for user in users)
    return ["You are one of them: after this you will be outside."] if is_there else []
