"""How long lists are cut into pages: `?page=2&pageSize=50`, up to 100 at a time."""

import re
from datetime import UTC, datetime
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request

USUAL, MOST = 20, 100
# What the description of the API says of them.
PAGE_SIZE = {"name": "pageSize", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999}}
ADDRESS = {"type": ["string", "null"], "format": "uri"}


class ByPage(PageNumberPagination):
    page_size_query_param = "pageSize"

    def get_page_size(self, request: Request) -> int:
        return page_size_of(request)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        page = {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}, "allowEmptyValue": True}
        return [page, PAGE_SIZE]

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        return _page(schema, count={"type": "integer", "minimum": 0})


class ByCursor(CursorPagination):
    """For what only grows at one end: a page costs the same however long the table, and none is counted."""

    page_size_query_param = "pageSize"
    ordering = ("-at", "-id")

    def decode_cursor(self, request: Request) -> Any:
        """Raises NotFound for one that this API never gave."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_page_size(self, request: Request) -> int:
        return page_size_of(request)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [{"name": "cursor", "in": "query", "schema": {"type": "string"}, "allowEmptyValue": True}, PAGE_SIZE]

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        return _page(schema)


def _page(rows: Any, **more: Any) -> dict[str, Any]:
    properties = {**more, "next": ADDRESS, "previous": ADDRESS, "results": rows}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _is_moment(text: str) -> bool:
    try:
        moment = datetime.fromisoformat(text)
        return moment.tzinfo is not None and bool(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return False


def page_size_of(request: Request) -> int:
    """Raises ValidationError for what is no size; of a larger one, MOST are given."""
    asked = request.query_params.get("pageSize", str(USUAL))
    if not re.fullmatch("[0-9]{1,9}", asked) or int(asked) == 0:
        raise ValidationError({"pageSize": ["Must be a whole number, and not 0."]})
    return min(int(asked), MOST)
