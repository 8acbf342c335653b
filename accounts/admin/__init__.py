"""People, roles, sessions and the audit trail in the Django admin; every change goes through accounts/services."""

from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import audit, roles, sessions, users

# Roles are the only authority.
admin.site.unregister(Group)

__all__ = ["audit", "roles", "sessions", "users"]
