"""People, roles, sessions and the audit trail in the Django admin; every change goes through accounts/services."""

from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import audit, passwords, roles, sessions, users

admin.site.site_header = admin.site.site_title = "authproject"
# Roles are the only authority.
admin.site.unregister(Group)
admin.site.password_change = passwords.change_own_password  # type: ignore[method-assign, assignment]

__all__ = ["audit", "roles", "sessions", "users"]
