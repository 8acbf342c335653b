"""Roles, with how many hold each."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import services
from accounts.admin.base import ServiceAdmin
from accounts.backends import actor_of
from accounts.models import BUILT_IN_ROLES, Role, RoleGrant


@admin.register(Role)
class RoleAdmin(ServiceAdmin):
    fields = ("name", "description")
    list_display = ("name", "description", "holders")
    search_fields = ("name", "description")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        return super().get_queryset(request).with_holders()  # type: ignore[attr-defined]

    @admin.display(ordering="number_of_holders")
    def holders(self, role: Any) -> int:
        return role.number_of_holders

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        """The code and the clients rely on the built-in names."""
        return ("name",) if obj and obj.name in BUILT_IN_ROLES else ()

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.name in BUILT_IN_ROLES)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Grants that have run out keep no role: they go with it."""
        to_delete, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        held = RoleGrant.objects.filter(role__in=objs).exists()
        return to_delete, counts, forbidden, protected if held else []

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        if change:
            before = Role.objects.get(pk=obj.pk)
            services.change_role(role=before, name=obj.name, description=obj.description, by=actor_of(request))
        else:
            obj.pk = services.create_role(name=obj.name, description=obj.description, by=actor_of(request)).pk

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        services.delete_role(role=obj, by=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Role]) -> None:
        """All of them or, where one is refused, none."""
        with transaction.atomic():
            for role in queryset:
                services.delete_role(role=role, by=actor_of(request))
