"""The audit trail, to be read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import services
from accounts.admin.base import ReadOnlyAdmin
from accounts.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "actor", "subject", "via", "address", "detail")
    list_filter = ("action", "via", "at")
    search_fields = ("=actor_id", "=subject_id", "address")
    search_help_text = "An id of a user, or an address."
    ordering = ("-at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        return services.with_names(super().get_queryset(request))

    @admin.display(description="who", ordering="actor_id")
    def actor(self, entry: Any) -> str:
        return _person(entry.actor_id, entry.actor_name)

    @admin.display(description="whom", ordering="subject_id")
    def subject(self, entry: Any) -> str:
        return _person(entry.subject_id, entry.subject_name)


def _person(id_: int | None, name: str | None) -> str:
    return f"{name or 'gone'} ({id_})" if id_ else "-"
