"""How long lists are cut into pages: `?page=2&pageSize=50`, up to 100 at a time.

A page costs the same however long the list: nothing is counted to its end, and `next` seeks where it goes on.
"""

import re
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.pagination import BasePagination, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from accounts.models import COUNTED

USUAL, MOST = 20, 100
LARGEST = 2**63 - 1  # that a column of ids, or an OFFSET, can be
# How the rows after one are told from those before it.
SEEKS = {("id",): "id__gt", ("-id",): "id__lt"}
# What the description of the API says of them.
PAGE = {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}, "allowEmptyValue": True}
AFTER = {
    "name": "after",
    "in": "query",
    "description": "As `next` gives it, where the list is in the order of its ids: the id after which the page begins.",
    "schema": {"type": "integer", "minimum": 0, "maximum": LARGEST},
    "allowEmptyValue": True,
}
PAGE_SIZE = {"name": "pageSize", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999}}
ADDRESS = {"type": ["string", "null"], "format": "uri"}
COUNT = {"type": ["integer", "null"], "minimum": 0, "maximum": COUNTED, "description": f"Null beyond {COUNTED}."}


def counted(rows: Any) -> int | None:
    """How many there are; None beyond COUNTED, where the database stops counting."""
    found = rows.order_by().values("pk")[: COUNTED + 1].count()
    return found if found <= COUNTED else None


def up_to(number: int | None) -> str:
    """What `counted` found, for people."""
    return f"{COUNTED:,}+" if number is None else f"{number:,}"


class ByPage(BasePagination):
    """By number, and past the first page by the id after which it begins, where that is the order: the database
    would have to walk over all the rows before a number."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Raises NotFound for a page that is not there; ValidationError or ParseError for what makes no sense."""
        self.request, size = request, page_size_of(request)
        self.number = _whole_number(request, "page", 1)
        # One more, to know whether there is a next page.
        found = list(self._from_where_it_begins(queryset, size)[: size + 1])
        # After an id there was a page; what was on it may have gone.
        if not found and self.number > 1 and not request.query_params.get("after"):
            raise NotFound("Invalid page.")
        self.count, rows = counted(queryset), found[:size]
        self.next = self._next(queryset, rows[-1]) if len(found) > size else None
        return rows

    def _from_where_it_begins(self, queryset: QuerySet[Any], size: int) -> QuerySet[Any]:
        if self.request.query_params.get("after"):
            seek = SEEKS.get(_order(queryset))
            if seek is None:
                raise ParseError("after is only for a list in the order of its ids.")
            return queryset.filter(**{seek: _whole_number(self.request, "after", 0)})
        skipped = (self.number - 1) * size
        if skipped > LARGEST - size:
            raise NotFound("Invalid page.")
        return queryset[skipped:]

    def _next(self, queryset: QuerySet[Any], last: Any) -> str:
        address = replace_query_param(self.request.build_absolute_uri(), "page", self.number + 1)
        return replace_query_param(address, "after", last.pk) if _order(queryset) in SEEKS else address

    def _previous(self) -> str | None:
        if self.number == 1:
            return None
        address = remove_query_param(self.request.build_absolute_uri(), "after")
        if self.number == 2:
            return remove_query_param(address, "page")
        return replace_query_param(address, "page", self.number - 1)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"count": self.count, "next": self.next, "previous": self._previous(), "results": data})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        # What belongs to one, such as a user's sessions, comes in an order of its own.
        return [PAGE, AFTER, PAGE_SIZE] if view.action == "list" else [PAGE, PAGE_SIZE]

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        return _page(schema, count=COUNT)


def _order(rows: QuerySet[Any]) -> tuple[Any, ...]:
    return tuple(rows.query.order_by or rows.model._meta.ordering)


def _whole_number(request: Request, parameter: str, least: int) -> int:
    """Raises NotFound for what is none, or cannot be that of a page or a row."""
    said = request.query_params.get(parameter) or str(least)
    if not re.fullmatch("[0-9]{1,19}", said) or not least <= int(said) <= LARGEST:
        raise NotFound("Invalid page.")
    return int(said)


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
