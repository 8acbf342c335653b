"""Where people are signed in."""

from django.contrib import admin
from django.http import HttpRequest

from accounts import services
from accounts.admin.base import ReadOnlyAdmin
from accounts.backends import actor_of
from accounts.models import Session, SessionQuerySet, User


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "opened_at", "last_used_at", "revoked_at", "address", "user_agent", "expires_at")
    list_filter = ("revoked_reason", "opened_at")
    list_select_related = ("user",)
    # Ids are in the order in which sessions were opened, and need not be sorted.
    ordering = ("-id",)
    search_fields = ("user__username", "user__email", "address")
    actions = ("revoke_selected",)

    @admin.action(description="Revoke the selected sessions", permissions=["view"])
    def revoke_selected(self, request: HttpRequest, queryset: SessionQuerySet) -> None:
        owners = User.objects.filter(pk__in=queryset.order_by().values("user_id"))
        ended = sum(services.revoke_sessions(queryset, user=user, by=actor_of(request)) for user in owners)
        self.message_user(request, f"Sessions revoked: {ended}.")
