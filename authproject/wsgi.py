"""The WSGI application; a worker with a bad setting ends here, at its start, with the check's sentence."""

import os
from collections.abc import Iterable
from functools import lru_cache, partial
from http import HTTPStatus
from io import BytesIO
from typing import Any

import django
from asgiref.sync import iscoroutinefunction
from django.conf import LazySettings, settings
from django.core.cache import BaseCache, caches, close_caches
from django.core.handlers import base
from django.core.handlers.base import reset_urlconf
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.management.base import BaseCommand
from django.core.signals import request_finished, request_started
from django.http import HttpRequest
from django.urls import ResolverMatch, set_script_prefix, set_urlconf
from django.utils.http import parse_header_parameters
from django.utils.log import log_response
from structlog import get_logger

from accounts import connections
from accounts.conf import conf
from accounts.connections import Pool

log = get_logger(__name__)
# DRF takes no longer one either.
MAX_CONTENT_TYPE = 256
# More than there are: a pattern of a view of one's own may let in any number of paths.
MAX_ROUTES = MAX_VIEWS = 1000
# As a number: Python 3.11 looks a member of an enumeration up anew each time.
BAD_REQUEST = int(HTTPStatus.BAD_REQUEST)


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
        if not line:
            # DRF would look for one that the client spelt with an underscore.
            meta["CONTENT_TYPE"], self.content_type, self.content_params = "", "", {}
            return
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
    """Django's, without what it does around each request for what this server does not have: a request with a URLconf
    of its own, a file for the application server to send."""

    request_class = Request

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        self.routes: dict[str, ResolverMatch] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # type: ignore[override]
        with self.pool:
            request_started.send(sender=self.__class__, environ=environ)
            request = self.request_class(environ)
            if script_name := request.META["SCRIPT_NAME"]:
                set_script_prefix(script_name)
            response = self.get_response(request)
            response._handler_class = self.__class__
            headers = list(response.headers._store.values())
            if response.cookies:
                headers += [("Set-Cookie", cookie.output(header="")) for cookie in response.cookies.values()]
            start_response(f"{response.status_code} {response.reason_phrase}", headers)
            if response.streaming:
                return response
            # A list granian sends at once; of anything else it asks for part after part, from another thread.
            content = response.content
            try:
                response.close()
            except Exception:
                # Whoever wants to know that it is finished has no say in the answer, whose work is done.
                log.exception("after the answer")
            return [content]

    def get_response(self, request: HttpRequest) -> Any:
        response: Any = self._middleware_chain(request)  # type: ignore[attr-defined]
        if untie := vars(request).pop("untie", None):
            response._resource_closers.append(untie)
        response._resource_closers.append(request.close)
        if hasattr(request, "urlconf"):
            # A middleware gave it one; the thread's next request must not inherit that.
            set_urlconf(None)
        if response.status_code >= BAD_REQUEST:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        return response

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """As Django's; but of the paths without a variable part each is looked up once."""
        found = self.routes.get(request.path_info)
        if found is None:
            found = super().resolve_request(request)
            if not found.args and not found.kwargs and len(self.routes) < MAX_ROUTES:
                self.routes[request.path_info] = found
        request.resolver_match = found
        return found


def _find_out_once() -> None:
    """Of a view, what Django and DRF find out at each request: whether it is a coroutine, and which methods its route
    takes, which each answer names."""
    from rest_framework.views import APIView  # needs the setup
    from rest_framework.viewsets import ViewSetMixin

    known = lru_cache(maxsize=MAX_VIEWS)(iscoroutinefunction)

    def is_coroutine_function(view: Any) -> bool:
        try:
            return known(view)
        except TypeError:
            # A view that is an object may be one that cannot be a key.
            return iscoroutinefunction(view)

    base.iscoroutinefunction = is_coroutine_function  # type: ignore[attr-defined]
    find_out = APIView.default_response_headers.fget  # type: ignore[attr-defined]
    found: dict[tuple[object, ...], dict[str, str]] = {}

    def default_response_headers(view: Any) -> dict[str, str]:
        kind = type(view)
        route = kind, len(view.renderer_classes) > 1, *view.http_method_names, *view.action_map.items()
        if known_headers := found.get(route):
            return dict(known_headers)
        headers: dict[str, str] = find_out(view)
        # A view that has its own way to tell may look at more than the route.
        if all(getattr(kind, name) is getattr(APIView, name) for name in ("allowed_methods", "_allowed_methods")):
            found[route] = dict(headers)
        return headers

    ViewSetMixin.default_response_headers = property(default_response_headers)  # type: ignore[attr-defined]


def _let_go_of_requests() -> None:
    """DRF's views, requests and answers hold on to each other, in rings: Python would free them, and the password in
    them, not when the answer is sent but when it next looks for rings, and use memory that no cache holds meanwhile."""
    from rest_framework.views import APIView  # needs the setup

    finalize = APIView.finalize_response

    def finalize_response(view: Any, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = finalize(view, request, response, *args, **kwargs)
        # The answer itself may be put into a cache, or be replaced by a middleware.
        request._request.untie = partial(_untie, view, request, answer)
        return answer

    APIView.finalize_response = finalize_response  # type: ignore[assignment, method-assign]


def _untie(view: Any, request: Any, answer: Any) -> None:
    """Only what DRF has no more use for: a view may have handed itself to a thread."""
    for method in getattr(view, "action_map", None) or ():
        vars(view).pop(method, None)
    for name, holder in (("parser_context", request), ("renderer_context", answer)):
        getattr(holder, name, {}).clear()


def _read_settings_directly() -> None:
    """Django looks at each value that it gives out whether it is one of the wrapper's own methods, which are asked for
    by no one."""
    LazySettings.__getattribute__ = object.__getattribute__  # type: ignore[method-assign]


def _without_idle_receivers() -> None:
    """Of what Django does at the end of each request: what is nothing here."""
    request_finished.disconnect(reset_urlconf)
    if all(type(cache).close is BaseCache.close for cache in (caches[alias] for alias in caches)):
        request_finished.disconnect(close_caches)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authproject.settings")
django.setup(set_prefix=False)
BaseCommand().check()
_find_out_once()
_let_go_of_requests()
_read_settings_directly()
_without_idle_receivers()
application = Handler(connections.install(limit=conf.database_connections, timeout=conf.database_timeout))

from authproject import metrics, sealer  # noqa: E402  (their models need the setup above)

metrics.start()
sealer.start()
