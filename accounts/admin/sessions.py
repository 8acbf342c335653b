"""Where people are signed in."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts import services
from accounts.admin.actions import Deed, confirmed
from accounts.admin.base import ReadOnlyAdmin, ServiceAdmin
from accounts.admin.devices import device
from accounts.backends import actor_of
from accounts.models import Session, SessionQuerySet


@admin.register(Session)
class SessionAdmin(ServiceAdmin, ReadOnlyAdmin):
    list_display = ("user", "device", "address", "opened_at", "last_used_at", "revoked_at", "expires_at")
    list_filter = ("revoked_reason", "opened_at")
    list_select_related = ("user",)
    # Ids are in the order in which sessions were opened, and need not be sorted.
    ordering = ("-id",)
    search_fields = ("user__username", "user__email", "address")
    actions = ("revoke_selected",)

    @admin.display(description="device")
    def device(self, session: Session) -> str:
        return device(session.user_agent)

    @admin.action(description="Revoke the selected sessions", permissions=["view"])
    def revoke_selected(self, request: HttpRequest, queryset: SessionQuerySet) -> TemplateResponse | None:
        by, now = actor_of(request), timezone.now()
        deed = Deed[Session](
            question="Revoke {}?",
            consequence="Their tokens are refused from the next request on. Whoever knows the password signs in anew.",
            button="Yes, revoke",
            done="Sessions revoked: {}.",
            unaffected="they are over already",
            affects=lambda session: session.revoked_at is None and session.idle_expires_at > now,
            do=lambda session: services.revoke_sessions(_just(session), user=session.user, by=by) > 0,
            name=lambda session: f"{session.user.username} at {session.address}, {session.opened_at:%Y-%m-%d %H:%M}",
        )
        return confirmed(self, request, queryset, deed)


def _just(session: Session) -> SessionQuerySet:
    return Session.objects.filter(pk=session.pk)
