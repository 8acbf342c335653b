"""For who holds the role admin: /api/users, /api/roles, /api/audit."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts import filters, services
from accounts.authentication import actor_of
from accounts.models import Actor, AuditEntry, Role, RoleGrant, User
from accounts.pagination import ByCursor, ByPage
from accounts.permissions import HasRole
from accounts.serializers import answers, requests
from accounts.serializers.requests import parse
from accounts.transactions import once
from accounts.views.base import ID_PATTERN


class ManagementViewSet(ReadOnlyModelViewSet):
    """Lists and reads; ids that are no numbers are not found."""

    permission_classes = [HasRole("admin")]
    pagination_class: Any = ByPage
    filter_backends = [filters.Filters, filters.Search]
    lookup_value_regex = "[0-9]{1,18}"

    def get_object(self) -> Any:
        """What narrows a list hides no single one, nor what belongs to it."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def shown(self, pk: int) -> Any:
        """The object as it is now, with what the list counts or looks up."""
        return self.get_serializer(get_object_or_404(self.get_queryset(), pk=pk)).data

    def listed(self, rows: QuerySet[Any], shape: Any) -> Response:
        """A page of what belongs to the object, such as a user's sessions."""
        return self.get_paginated_response(shape(self.paginate_queryset(rows), many=True).data)


class UserViewSet(ManagementViewSet):
    serializer_class = answers.UserSerializer
    filterset_class = filters.UserFilter
    search_fields = ["username", "email"]

    def get_queryset(self) -> QuerySet[User]:
        """Asked anew each time: which grants are live is a question of now."""
        grants = RoleGrant.objects.select_related("role").order_by("role_id")
        # A list each: for each user a queryset would be made, only to hold what has been found.
        return User.objects.defer("password").prefetch_related(Prefetch("grants", grants, to_attr="live_grants"))

    @extend_schema(request=requests.CreateUserRequest, responses={201: answers.UserSerializer})
    def create(self, request: Request) -> Response:
        """Makes an account. Any role may be given."""
        user = services.create_user(by=actor_of(request), **parse(requests.CreateUserRequest, request))
        return Response(self.shown(user.pk), status=201)

    @extend_schema(request=requests.ChangeUserRequest, responses={200: answers.UserSerializer, 409: answers.Error})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Changes the account: all of it or, where one part is refused, none."""
        _change_user(int(pk), by=actor_of(request), **parse(requests.ChangeUserRequest, request))
        return Response(self.shown(int(pk)))

    @extend_schema(responses={204: None, 409: answers.Error})
    def destroy(self, request: Request, pk: str) -> Response:
        """Deactivates: everything is kept, and nothing works."""
        services.set_active(user=self.get_object(), active=False, by=actor_of(request))
        return Response(status=204)

    @extend_schema(responses=answers.GrantSerializer(many=True), filters=False)
    @action(detail=True)
    def roles(self, request: Request, pk: str) -> Response:
        """The user's grants, also those that have run out."""
        grants = RoleGrant.with_expired.filter(user=self.get_object()).select_related("role").order_by("role_id")
        return self.listed(grants, answers.GrantSerializer)

    @extend_schema(request=requests.GrantRequest, responses={201: answers.GrantSerializer, 409: answers.Error})
    @roles.mapping.post
    def grant(self, request: Request, pk: str) -> Response:
        """Gives the user a role, or gives it anew with another reason or end."""
        user = self.get_object()
        services.grant_role(user=user, by=actor_of(request), **(body := parse(requests.GrantRequest, request)))
        grants = RoleGrant.with_expired.select_related("role")
        held = get_object_or_404(grants, user=user, role__name=body["role_name"])
        return Response(answers.GrantSerializer(held).data, status=201)

    @extend_schema(responses={204: None, 409: answers.Error})
    @action(detail=True, methods=["delete"], url_path="roles/(?P<role_name>[^/]+)")
    def revoke_role(self, request: Request, pk: str, role_name: str) -> Response:
        """Takes the role away."""
        services.revoke_role(user=self.get_object(), role_name=role_name, by=actor_of(request))
        return Response(status=204)

    @extend_schema(responses=answers.SessionSerializer(many=True), filters=False)
    @action(detail=True)
    def sessions(self, request: Request, pk: str) -> Response:
        """The user's sessions, newest first, also those that have ended."""
        sessions = self.get_object().sessions.order_by("-opened_at", "-id")
        return self.listed(sessions, answers.SessionSerializer)

    @extend_schema(responses={204: None})
    @sessions.mapping.delete
    def revoke_sessions(self, request: Request, pk: str) -> Response:
        """Ends all of the user's sessions."""
        services.revoke_all_sessions(user=self.get_object(), by=actor_of(request))
        return Response(status=204)


@once
def _change_user(user_id: int, *, by: Actor, active: bool | None = None, **changes: str) -> None:
    user = get_object_or_404(User.objects.all(), pk=user_id)
    if active is not None:
        services.set_active(user=user, active=active, by=by)
    services.change_account(user=user, by=by, **changes)


class RoleViewSet(ManagementViewSet):
    serializer_class = answers.RoleSerializer
    filterset_class = filters.RoleFilter
    search_fields = ["name", "description"]

    def get_queryset(self) -> QuerySet[Role]:
        return Role.objects.with_holders()

    @extend_schema(request=requests.CreateRoleRequest, responses={201: answers.RoleSerializer})
    def create(self, request: Request) -> Response:
        role = services.create_role(by=actor_of(request), **parse(requests.CreateRoleRequest, request))
        return Response(self.shown(role.pk), status=201)

    @extend_schema(request=requests.ChangeRoleRequest, responses={200: answers.RoleSerializer, 409: answers.Error})
    def partial_update(self, request: Request, pk: str) -> Response:
        body = parse(requests.ChangeRoleRequest, request)
        return Response(self.shown(services.change_role(role=self.get_object(), by=actor_of(request), **body).pk))

    @extend_schema(responses={204: None, 409: answers.Error})
    def destroy(self, request: Request, pk: str) -> Response:
        services.delete_role(role=self.get_object(), by=actor_of(request))
        return Response(status=204)


class AuditViewSet(ManagementViewSet):
    filter_backends = [filters.Filters]
    queryset = AuditEntry.objects.all()
    serializer_class = answers.AuditSerializer
    filterset_class = filters.AuditFilter
    pagination_class = ByCursor
    lookup_value_regex = ID_PATTERN
