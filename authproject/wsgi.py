"""The WSGI application; a worker with a bad setting ends here, at its start, with the check's sentence."""

import os
from io import BytesIO
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.management.base import BaseCommand
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch
from django.utils.http import parse_header_parameters

from accounts import connections
from accounts.conf import conf
from accounts.connections import Pool

# DRF takes no longer one either.
MAX_CONTENT_TYPE = 256
# More than there are: a pattern of a view of one's own may let in any number of paths.
MAX_ROUTES = 1000


class Request(WSGIRequest):
    """Django's request, which takes any headers: what it raised here, no handler of errors could answer."""

    def __init__(self, environ: dict[str, Any]) -> None:
        if "HTTP_TRANSFER_ENCODING" in environ and "CONTENT_LENGTH" not in environ:
            self._measure_body(environ)
        super().__init__(environ)

    @staticmethod
    def _measure_body(environ: dict[str, Any]) -> None:
        """Django takes a body that comes in chunks, without a length, for none."""
        body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """As Django's, but `charset` has no say: it would have query strings and forms decoded as rot13, or utf-16."""
        line = meta.get("CONTENT_TYPE", "")
        # Reading one of 400 KB would take a minute.
        if len(line) > MAX_CONTENT_TYPE:
            line = ""
        try:
            self.content_type, self.content_params = parse_header_parameters(line)
        # A TypeError comes out of the standard library's reader, for `a*=x; a*0=y`.
        except (TypeError, ValueError):
            line, self.content_type, self.content_params = "", "", {}
        # DRF will read it again.
        meta["CONTENT_TYPE"] = line


class Handler(WSGIHandler):
    request_class = Request

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        self.routes: dict[str, ResolverMatch] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> HttpResponseBase:
        with self.pool:
            return super().__call__(environ, start_response)

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """As Django's; but of the paths without a variable part each is looked up once."""
        found = self.routes.get(request.path_info)
        if found is None:
            found = super().resolve_request(request)
            if not found.args and not found.kwargs and len(self.routes) < MAX_ROUTES:
                self.routes[request.path_info] = found
        request.resolver_match = found
        return found


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authproject.settings")
django.setup(set_prefix=False)
BaseCommand().check()
application = Handler(connections.install(limit=conf.database_connections, timeout=conf.database_timeout))

from authproject import metrics, sealer  # noqa: E402  (their models need the setup above)

metrics.start()
sealer.start()
