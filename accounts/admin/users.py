"""People, with the roles they hold and by whose word."""

from copy import copy
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple, RelatedFieldWidgetWrapper
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm, ReadOnlyPasswordHashField
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts import services
from accounts.admin.actions import Named
from accounts.admin.base import ServiceAdmin
from accounts.admin.passwords import PasswordForm
from accounts.admin.user_actions import UserActions
from accounts.admin.user_page import about
from accounts.backends import actor_of
from accounts.models import Role, RoleGrant, Session, User
from accounts.pagination import counted, up_to
from accounts.transactions import once
from accounts.turns import turn


class RolesField(forms.ModelMultipleChoiceField):
    """Django's admin offers its double list only for a many-to-many without a model of its own."""

    def __init__(self) -> None:
        # Without its wrapper the list would stand to the left of its label.
        widget = RelatedFieldWidgetWrapper(
            FilteredSelectMultiple("roles", is_stacked=False),
            User._meta.get_field("roles").remote_field,  # type: ignore[arg-type]
            admin.site,
        )
        # The page sends along what it showed, so that only what was changed on it is changed.
        super().__init__(Role.objects.all(), required=False, label="Roles", widget=widget, show_hidden_initial=True)


class NewUserForm(BaseUserCreationForm):
    held_roles = RolesField()

    class Meta:
        model = User
        fields = ("username", "email")
        field_classes: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["held_roles"].initial = Role.objects.filter(name=services.DEFAULT_ROLE)


class UserForm(forms.ModelForm):
    # Shows how the password is hashed, and the button that leads to PasswordForm.
    password = ReadOnlyPasswordHashField()
    held_roles = RolesField()

    class Meta:
        model = User
        fields = ("username", "email", "password", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["held_roles"].initial = [grant.role_id for grant in self.instance.grants.all()]


class HeldRoleFilter(admin.SimpleListFilter):
    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in Role.objects.values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() is None:
            return queryset
        holders = RoleGrant.objects.filter(role__name=self.value())
        return queryset.filter(id__in=holders.values("user_id"))


@admin.register(User)
class UserAdmin(UserActions, ServiceAdmin, DjangoUserAdmin):
    form = UserForm
    add_form = NewUserForm
    list_display = ("username", "email", "is_active", "holds", "created")
    list_filter = ("is_active", HeldRoleFilter)
    search_fields = ("username", "email")
    # Django would add `-id`, which no index has beside names from A to Z.
    ordering = ("username", "id")
    filter_horizontal = ()
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("username", "email", "password", "is_active")}),
        ("Roles", {"fields": ("held_roles",)}),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2", "held_roles")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        grants = RoleGrant.objects.select_related("role").order_by("role_id")
        return super().get_queryset(request).prefetch_related(Prefetch("grants", grants))

    @admin.display(description="roles")
    def holds(self, user: User) -> str:
        return ", ".join(grant.role.name for grant in user.grants.all())

    @admin.display(description="created", ordering="created_at")
    def created(self, user: User) -> str:
        return f"{user.created_at:%Y-%m-%d %H:%M}"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        user = context.get("original")
        return super().render_change_form(request, {**context, "about": user and about(user)}, *args, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The turn at the password comes before Django's transaction, which lets nobody else write on SQLite."""
        if request.method != "POST":
            return super().add_view(request, form_url, extra_context)
        return self._unless_refused(turn()(once(super().add_view)), request, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        by, asked = actor_of(request), form.cleaned_data
        if change:
            user = User.objects.get(pk=obj.pk)
            services.change_account(user=user, username=asked["username"], email=asked["email"], by=by)
            services.set_active(user=user, active=asked["is_active"], by=by)
        else:
            names = [role.name for role in asked["held_roles"]]
            obj.pk = services.create_user(
                username=obj.username, email=obj.email, password=asked["password1"], roles=names, by=by
            ).pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        services.set_roles(
            user=form.instance, roles=form.cleaned_data["held_roles"], shown=_shown_roles(form), by=actor_of(request)
        )

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete_account(user=obj, by=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """All of them or, where one is refused, none."""
        with transaction.atomic():
            for user in queryset:
                services.delete_account(user=user, by=actor_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A user's sessions and grants go with the user, although nobody may delete one by itself. They may be many:
        they are counted up to a bound, and not listed."""
        users = list(objs)
        named = Named.of(users, str)
        names = [*named.names, *([f"and {named.more} more"] if named.more else [])]
        going = {
            "users": len(users),
            "grants": up_to(counted(RoleGrant.with_expired.filter(user__in=users))),
            "sessions": up_to(counted(Session.objects.filter(user__in=users))),
        }
        return names, going, set() if self.has_delete_permission(request) else {"user"}, []

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Django's page has no place to say who is at work: a copy of these pages that knows it."""
        page = copy(self)
        page.change_password_form = partial(PasswordForm, by=actor_of(request))
        return self._unless_refused(super(UserAdmin, page).user_change_password, request, id, form_url)

    # Django's log would keep names of people who are gone; who did what is in the audit trail.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:accounts_auditentry_changelist')}?subject_id={object_id}")


def _shown_roles(form: Any) -> list[Role] | None:
    """The roles that the page showed as held; None where it is not said."""
    ids = form.data.getlist(form.add_initial_prefix("held_roles"))
    return list(Role.objects.filter(pk__in=[id_ for id_ in ids if id_.isdecimal()])) if ids else None
