"""The WSGI application; a worker with a bad setting ends here, at its start, with the check's sentence."""

import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.management.base import BaseCommand


class Request(WSGIRequest):
    """Django's request, which takes any bytes as a Content-Type header."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params = "", {}
        # Django would decode query strings and forms with whatever codec the header names, be it rot13.
        self.encoding = settings.DEFAULT_CHARSET


class Handler(WSGIHandler):
    request_class = Request


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authproject.settings")
django.setup(set_prefix=False)
BaseCommand().check()
application = Handler()
