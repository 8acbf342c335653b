"""The OpenAPI description of what is mounted, at /openapi.json: what the house knows of every operation is said here
once, and a view adds with `extend_schema` only what it alone knows: its request, its answer, its own refusals."""

import json
import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any

from drf_spectacular import openapi
from drf_spectacular.drainage import has_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import get_view_model
from drf_spectacular.utils import Direction
from rest_framework.permissions import AllowAny

from accounts.conf import conf
from accounts.cross_site import SAFE_METHODS
from accounts.permissions import RolePermission
from accounts.routes import describe
from accounts.serializers.answers import Error

SUCCESS = {200: "Done.", 201: "Made.", 204: "Done; there is nothing more to say.", 302: "It is elsewhere."}
REFUSALS = {
    400: "The request is not valid.",
    401: "What was shown as proof of who calls is wrong, has expired or was revoked.",
    403: "No token was sent, or who calls may not do this, or another site's page sent the request.",
    404: "There is no such thing.",
    409: "This would leave things in a state that must not be.",
    413: "The request body is too large.",
    415: "The request body is neither JSON nor a form, or not in UTF-8.",
    429: "Too many requests; wait as long as Retry-After says.",
    500: "Something went wrong on the server's side.",
    503: "The server cannot answer now; try again after as long as Retry-After says.",
}
SENTENCES = SUCCESS | REFUSALS
# What DRF's own actions do, where a view has no words of its own for them.
USUAL = {
    "list": "Lists {many}.",
    "retrieve": "Shows one {one}.",
    "create": "Makes a new {one}.",
    "update": "Replaces one {one}.",
    "partial_update": "Changes one {one}.",
    "destroy": "Deletes one {one}.",
}
BY_ITSELF = "An access token. Where TOKEN_DELIVERY says cookies, sign-in sets it, and browsers send it by themselves."


_one_at_a_time = Lock()


def _header(description: str, pattern: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "pattern": pattern}, "description": description}


REQUEST_ID = {"X-Request-ID": _header("Under which the server's log tells of this request.", ".+")}
CHALLENGE = {"WWW-Authenticate": _header("RFC 6750 section 3, where a token is missing or bad.", "^Bearer")}
LOCATION = {"Location": {**_header("Where it is.", "."), "required": True}}
RETRY_AFTER = {"Retry-After": {**_header("Seconds to wait.", "^[0-9]+$"), "required": True}}
HEADERS: dict[str, dict[str, Any]] = {
    "302": LOCATION,
    "401": CHALLENGE,
    "403": CHALLENGE,
    "429": RETRY_AFTER,
    "503": RETRY_AFTER,
}


def document() -> bytes:
    """The description as JSON; worked out when it is first asked for, once per process."""
    with _one_at_a_time:
        return _document()


@cache
def _document() -> bytes:
    return json.dumps(generate(), default=str, ensure_ascii=False).encode()


def generate() -> dict[str, Any]:
    return SchemaGenerator().get_schema(public=True)


class AutoSchema(openapi.AutoSchema):
    """DRF's DEFAULT_SCHEMA_CLASS."""

    def get_operation_id(self) -> str:
        """`user_partial_update`: the names that the code has for the view and for what it does."""
        return f"{self._subject()}_{self._action()}"

    def get_tags(self) -> list[str]:
        return [self._subject()]

    def get_summary(self) -> str | None:
        """The first sentence of the description, as the code has it; none where it has none."""
        return re.split(r"(?<=[.;]) ", " ".join(self._words()))[0].rstrip(".;") or None

    def get_description(self) -> str:  # type: ignore[override]
        who = " and ".join(describe(permission) for permission in self.view.permission_classes)
        return " ".join([*self._words(), f"For: {who}."])

    def _words(self) -> list[str]:
        return (getattr(self.view, self._action()).__doc__ or self._usual_words()).split()

    def _usual_words(self) -> str:
        model = get_view_model(self.view, emit_warnings=False)
        if model is None:
            return ""
        names = {"one": model._meta.verbose_name, "many": model._meta.verbose_name_plural}
        return USUAL.get(self._action(), "").format(**names)

    def get_extensions(self) -> dict[str, Any]:
        """`x-required-roles`: any one of them is enough, and none is needed where none is named. What is more
        involved than that, such as both of two roles, only the description says."""
        permissions = self.view.permission_classes
        plain = [permission for permission in permissions if isinstance(permission, type)]
        asked = [permission.role_names for permission in plain if issubclass(permission, RolePermission)]
        is_simple = len(asked) <= 1 and len(plain) == len(permissions)
        return {"x-required-roles": list(*asked)} if is_simple else {}

    def _subject(self) -> str:
        """The name under which the view was registered."""
        return getattr(self.view, "basename", None) or type(self.view).__name__.removesuffix("ViewSet").lower()

    def _action(self) -> str:
        return getattr(self.view, "action", None) or self.method.lower()

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        """An empty value filters nothing; but of several choices none can be empty."""
        return [{**found, "allowEmptyValue": not found.get("explode")} for found in super()._get_filter_parameters()]

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        """A field that says itself what it takes has said it all."""
        if not has_override(field, "field"):
            super()._insert_field_validators(field, schema)

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        """Without the docstring, which is for who reads the code."""
        schema = super()._map_basic_serializer(serializer, direction)
        schema.pop("description", None)
        return schema

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        """What the view says, and how the house refuses."""
        answers = super()._get_response_bodies(direction)
        for status in self._refusals():
            answers.setdefault(str(status), self._get_response_for_code(Error, str(status), ["application/json"]))
        for code, answer in answers.items():
            # A view of your own may answer what none of ours does.
            answer["description"] = SENTENCES.get(int(code)) or HTTPStatus(int(code)).phrase
            # drf-spectacular asks for none where it takes a DELETE for granted.
            answer.setdefault("headers", self._get_response_headers_for_code(code))
        return dict(sorted(answers.items()))

    def _refusals(self) -> Iterator[HTTPStatus]:
        # For a host that is not ours, if for nothing else.
        yield HTTPStatus.BAD_REQUEST
        if self._reads_a_body():
            yield from (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if "{" in self.path or (self._is_list_view() and self._get_paginator()):
            yield HTTPStatus.NOT_FOUND
        if self.view.get_authenticators():
            yield HTTPStatus.UNAUTHORIZED
            if AllowAny not in self.view.permission_classes or self.method not in SAFE_METHODS:
                yield HTTPStatus.FORBIDDEN
        yield from (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)

    def _reads_a_body(self) -> bool:
        return bool(self._get_request_body()) and not getattr(self.get_request_serializer(), "never_refused", False)

    def _get_response_headers_for_code(self, status_code: str, direction: Direction = "response") -> dict[str, Any]:
        said = super()._get_response_headers_for_code(status_code, direction)
        return {**REQUEST_ID, **HEADERS.get(status_code, {}), **said}


class TokenScheme(OpenApiAuthenticationExtension):
    """The three places where an access token is looked for."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = ["header", "bearer", "cookie"]

    def get_security_requirement(self, auto_schema: openapi.AutoSchema) -> list[dict[str, Any]]:
        """Any one of them."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": "x-access-token", "description": "An access token."},
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token."},
            {"type": "apiKey", "in": "cookie", "name": conf.access_cookie, "description": BY_ITSELF},
        ]
