"""The audit trail, to be read."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from accounts.admin.base import ReadOnlyAdmin
from accounts.models import AuditEntry, User


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "actor", "subject", "via", "address", "detail")
    list_filter = ("action", "via", "at")
    search_fields = ("=actor_id", "=subject_id", "address")
    search_help_text = "An id of a user, or an address."
    ordering = ("-at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """With the names of those who are still there; the entries hold ids only."""

        def name(field: str) -> Subquery:
            return Subquery(User.objects.filter(pk=OuterRef(field)).values("username")[:1])

        return super().get_queryset(request).annotate(actor_name=name("actor_id"), subject_name=name("subject_id"))

    @admin.display(description="who", ordering="actor_id")
    def actor(self, entry: Any) -> str:
        return _person(entry.actor_id, entry.actor_name)

    @admin.display(description="whom", ordering="subject_id")
    def subject(self, entry: Any) -> str:
        return _person(entry.subject_id, entry.subject_name)


def _person(id_: int | None, name: str | None) -> str:
    return f"{name or 'gone'} ({id_})" if id_ else "-"
