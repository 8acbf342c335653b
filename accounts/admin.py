"""People, roles and sessions in the Django admin; every change goes through accounts/services.py."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple, RelatedFieldWidgetWrapper
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    BaseUserCreationForm,
    PasswordChangeForm,
    ReadOnlyPasswordHashField,
)
from django.contrib.auth.models import Group
from django.contrib.auth.views import PasswordChangeView
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse_lazy

from accounts import services
from accounts.models import BUILT_IN_ROLES, Role, Session, SessionQuerySet, User

admin.site.site_header = admin.site.site_title = "authproject"
admin.site.unregister(Group)


class RolesField(forms.ModelMultipleChoiceField):
    """Django's admin offers its double list only for a many-to-many without a model of its own."""

    def __init__(self) -> None:
        # Without its wrapper the list would stand to the left of its label.
        widget = RelatedFieldWidgetWrapper(
            FilteredSelectMultiple("roles", is_stacked=False),
            User._meta.get_field("roles").remote_field,  # type: ignore[arg-type]
            admin.site,
        )
        super().__init__(Role.objects.all(), required=False, label="Roles", widget=widget)


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
        self.fields["held_roles"].initial = self.instance.roles.all()


class PasswordForm(AdminPasswordChangeForm):
    """A new password ends the user's sessions, whoever set it; so does having none any more."""

    def save(self, commit: bool = True) -> User:
        if self.cleaned_data["set_usable_password"]:
            services.set_password(user=self.user, password=self.cleaned_data["password1"])
        else:
            super().save()
            services.revoke_sessions(Session.objects.filter(user=self.user))
        return self.user


class OwnPasswordForm(PasswordChangeForm):
    """The same for an admin's own, which asks for the old one first."""

    def save(self, commit: bool = True) -> User:
        services.set_password(user=self.user, password=self.cleaned_data["new_password1"])
        return self.user


def change_own_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    """What Django's admin does, which has no setting for the form."""
    view = PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse_lazy("admin:password_change_done"),
        extra_context={**admin.site.each_context(request), **(extra_context or {})},
    )
    return view(request)


admin.site.password_change = change_own_password  # type: ignore[method-assign, assignment]


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    list_display = ("username", "email", "is_active", "holds", "created_at")
    list_filter = ("is_active", "roles")
    search_fields = ("username", "email")
    ordering = ("username",)
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
        return super().get_queryset(request).prefetch_related("roles")

    @admin.display(description="roles")
    def holds(self, user: User) -> str:
        return ", ".join(role.name for role in user.roles.all())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A user's sessions go with the user, although nobody may delete one by itself."""
        to_delete, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, forbidden - {Session._meta.verbose_name}, protected

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        services.set_roles(user=form.instance, roles=form.cleaned_data["held_roles"])


@admin.register(Role)
class RoleAdmin(admin.ModelAdmin):
    fields = ("name", "description")
    list_display = ("name", "description", "holders")
    search_fields = ("name", "description")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        return super().get_queryset(request).annotate(number_of_holders=Count("grants"))

    @admin.display(ordering="number_of_holders")
    def holders(self, role: Any) -> int:
        return role.number_of_holders

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        """The code and the clients rely on the built-in names."""
        return ("name",) if obj and obj.name in BUILT_IN_ROLES else ()

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.name in BUILT_IN_ROLES)


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):
    list_display = ("user", "opened_at", "last_used_at", "revoked_at", "address", "user_agent", "expires_at")
    list_filter = ("revoked_reason", "opened_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email", "address")
    actions = ("revoke_selected",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.action(description="Revoke the selected sessions", permissions=["view"])
    def revoke_selected(self, request: HttpRequest, queryset: SessionQuerySet) -> None:
        ended = services.revoke_sessions(queryset)
        self.message_user(request, f"Sessions revoked: {ended}.")
