"""Wires the app: its roles after each `migrate`, its checks at each start."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    default = True

    def ready(self) -> None:
        from accounts import backends, checks, deployment  # noqa: F401

        post_migrate.connect(create_built_in_roles, sender=self)


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin, behind our own doors."""

    default = False
    default_site = "accounts.admin_site.Site"


def create_built_in_roles(*, using: str, apps: Apps = current_apps, **kwargs: Any) -> None:
    """In post_migrate and not in a migration, so that a test that flushes the database gets its roles back."""
    # Before the first migration there is no table for them.
    if "role" in apps.all_models["accounts"]:
        apps.get_model("accounts", "Role").objects.db_manager(using).create_missing()
