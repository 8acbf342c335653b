"""The map of who may call what, read off the routes themselves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.admin import AdminSite
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView

from accounts.permissions import RolePermission


@dataclass(frozen=True)
class Route:
    path: str
    methods: tuple[str, ...]
    who: str
    view: str
    declared: bool
    """Whether the view says itself who may call it, and not the setting's default, nor an empty list, nor code
    that cannot be read here; `AllowAny` has to be written out."""


def routes() -> Iterator[Route]:
    """Every route of the project, in the order in which they are tried."""
    yield from _walk(get_resolver().url_patterns, "/")


def _walk(patterns: Any, prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + readable(str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield _route(path, pattern.callback)
        elif _is_django_admin(pattern):
            yield Route(f"{path}…", ("GET", "POST"), "role admin", "django.contrib.admin", declared=True)
        else:
            yield from _walk(pattern.url_patterns, path)


def _is_django_admin(resolver: URLResolver) -> bool:
    """Whose pages ask for the role themselves; by the mark that its views bear, as any app may have its name."""
    first = resolver.url_patterns[0] if resolver.url_patterns else None
    return isinstance(getattr(getattr(first, "callback", None), "admin_site", None), AdminSite)


@cache
def readable(pattern: str) -> str:
    """`^users/(?P<pk>[0-9]{1,18})$` and `users/<int:pk>` as `users/{pk}`."""
    named = re.sub(r"\(\?P<(\w+)>[^()]*\)|<(?:\w+:)?(\w+)>", lambda found: f"{{{found[1] or found[2]}}}", pattern)
    return re.sub(r"\^|\$|\\Z", "", named)


def _route(path: str, callback: Any) -> Route:
    view = getattr(callback, "cls", None)
    if view is None or not issubclass(view, APIView):
        return Route(path, (), "not known", _name(getattr(callback, "view_class", callback)), declared=False)
    permissions = callback.initkwargs.get("permission_classes", view.permission_classes)
    if any(getattr(view, name) is not getattr(APIView, name) for name in ("get_permissions", "check_permissions")):
        return Route(path, _methods(view, callback), "not known", _name(view), declared=False)
    return Route(
        path=path,
        methods=_methods(view, callback),
        who=" and ".join(describe(permission) for permission in permissions) or "anyone",
        view=_name(view),
        declared=bool(permissions) and permissions is not APIView.permission_classes,
    )


def _name(view: Any) -> str:
    """With the simple name, which @api_view sets to that of its function."""
    return f"{view.__module__}.{getattr(view, '__name__', view)}"


def _methods(view: Any, callback: Any) -> tuple[str, ...]:
    answered = getattr(callback, "actions", None) or [name for name in view.http_method_names if hasattr(view, name)]
    return tuple(name.upper() for name in answered if name not in {"head", "options"})


def describe(permission: Any) -> str:
    """'role moderator or admin', 'signed in', 'anyone', or what the permission calls itself."""
    if isinstance(permission, type) and issubclass(permission, RolePermission):
        return f"role {' or '.join(permission.role_names)}"
    if hasattr(permission, "op2_class"):
        operator = permission.operator_class.__name__.lower()
        return f"({describe(permission.op1_class)} {operator} {describe(permission.op2_class)})"
    if hasattr(permission, "op1_class"):
        return f"not {describe(permission.op1_class)}"
    return {AllowAny: "anyone", IsAuthenticated: "signed in"}.get(permission) or permission.__name__
