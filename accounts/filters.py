"""What lists can be searched, filtered and ordered by. What makes no sense is refused: a list that ignored it
would look like an answer."""

from datetime import UTC, datetime
from typing import Any

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions
from rest_framework.filters import SearchFilter
from rest_framework.request import Request

from accounts.models import Action, RoleGrant
from accounts.models.audit import Via
from accounts.names import EMAIL_MAX
from accounts.services.roles import roles_called


class Search(SearchFilter):
    """`?search=ann example.com`: all the words. Many thousands of them would be too much for the database."""

    def get_search_terms(self, request: Request) -> Any:
        if len(request.query_params.get(self.search_param, "")) > EMAIL_MAX:
            raise exceptions.ValidationError({self.search_param: [f"Must have at most {EMAIL_MAX} characters."]})
        try:
            return super().get_search_terms(request)
        except exceptions.ValidationError as error:
            # It does not say of which parameter it complains.
            raise exceptions.ValidationError({self.search_param: error.detail}) from None

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        words = f"All the words, in any of: {', '.join(view.search_fields)}."
        schema = {"type": "string", "maxLength": EMAIL_MAX}
        return [{"name": self.search_param, "in": "query", "description": words, "schema": schema}]


class Filters(DjangoFilterBackend):
    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """What nobody asks for needs no form to be made and checked."""
        asked = request.query_params.keys() & self.get_filterset_class(view, queryset).base_filters.keys()
        return super().filter_queryset(request, queryset, view) if asked else queryset


class Ordering(filters.OrderingFilter):
    """`?ordering=-createdAt`; rows that are equal keep one order from page to page: that of their ids, the same way
    round as the field before it, because an index can be read forwards or backwards, not both."""

    def filter(self, qs: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        if not value:
            return qs
        # A field that is named again changes nothing; thousands of them would be too much for the database.
        fields: dict[str, str] = {}
        for named in value:
            fields.setdefault(named.removeprefix("-"), named)
        ordered = super().filter(qs, list(fields.values()))
        order = ordered.query.order_by
        if "id" in fields:
            return ordered
        return ordered.order_by(*order, "-id" if order and order[-1].startswith("-") else "id")


@extend_schema_field(bool)
class FlagFilter(filters.TypedChoiceFilter):
    """`true` or `false`; django-filter's own takes any other word for neither."""

    def __init__(self, field_name: str) -> None:
        super().__init__(field_name, choices=[("true", "true"), ("false", "false")], coerce="true".__eq__)


class MomentField(IsoDateTimeField):
    def clean(self, value: Any) -> Any:
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("That is beyond the first or the last year there is.") from None


@extend_schema_field({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})
class MomentFilter(filters.IsoDateTimeFilter):
    field_class = MomentField


class UserFilter(filters.FilterSet):
    active = FlagFilter("is_active")
    role = filters.CharFilter(method="by_role", label="the name of a role held now")
    createdAfter = MomentFilter("created_at", "gte")
    createdBefore = MomentFilter("created_at", "lt")
    ordering = Ordering(fields={"id": "id", "username": "username", "email": "email", "created_at": "createdAt"})

    def by_role(self, users: QuerySet[Any], _: str, name: str) -> QuerySet[Any]:
        """Raises RoleDoesNotExist. By its id: some databases would take `Admin` for `admin`."""
        [role] = roles_called([name])
        return users.filter(id__in=RoleGrant.objects.filter(role=role).values("user_id"))


class RoleFilter(filters.FilterSet):
    ordering = Ordering(fields={"id": "id", "name": "name", "number_of_holders": "holders"})


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": 2**63 - 1})
class IdFilter(filters.Filter):
    """A number that can be an id."""

    field_class = forms.IntegerField

    def __init__(self, field_name: str) -> None:
        super().__init__(field_name, min_value=0, max_value=2**63 - 1)


class AuditFilter(filters.FilterSet):
    action = filters.MultipleChoiceFilter(choices=Action.choices, distinct=False)
    actor = IdFilter("actor_id")
    subject = IdFilter("subject_id")
    via = filters.ChoiceFilter(choices=Via.choices)
    since = MomentFilter("at", "gte")
    until = MomentFilter("at", "lt")
