"""The app that shows how an API is guarded; replace it with yours."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "content"
