"""Shapes of requests and answers; whether a value is a good one is decided in accounts/services."""

import json
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import AuditEntry, Role, RoleGrant, Session, User


class TextField(serializers.CharField):
    """A text as it was sent: numbers are not taken for texts, and nothing is trimmed."""

    default_error_messages = {"invalid": "Must be a text."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PasswordField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 256, **kwargs})


class FlagField(serializers.BooleanField):
    """True or false, and none of the words and numbers that could mean either."""

    # DRF takes a box that a form leaves out for one that is not ticked; here nothing was asked.
    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if data in ("true", "false"):
            return data == "true"
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


def parse(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body in that shape. Raises ValidationError."""
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _role_names(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=TextField(max_length=50),
        max_length=50,
        error_messages={"not_a_list": "Must be a list of names."},
        **kwargs,
    )


# --- requests


class SignUpRequest(serializers.Serializer[Any]):
    username = TextField()
    email = TextField()
    password = TextField()
    roles = _role_names(allow_null=True, default=list)


class SignInRequest(serializers.Serializer[Any]):
    username = TextField()
    password = PasswordField()


class ChangeOwnAccountRequest(serializers.Serializer[Any]):
    username = TextField(required=False)
    email = TextField(required=False)
    currentPassword = PasswordField(source="current_password")


class ChangePasswordRequest(serializers.Serializer[Any]):
    currentPassword = PasswordField(source="current_password")
    newPassword = TextField(source="new_password")


class ConfirmRequest(serializers.Serializer[Any]):
    password = PasswordField()


class CreateUserRequest(serializers.Serializer[Any]):
    username = TextField()
    email = TextField()
    password = TextField()
    roles = _role_names(default=list)


class ChangeUserRequest(serializers.Serializer[Any]):
    username = TextField(required=False)
    email = TextField(required=False)
    active = FlagField(required=False)


class GrantRequest(serializers.Serializer[Any]):
    role = TextField(source="role_name", max_length=50)
    reason = TextField(max_length=255, default="")
    expiresAt = serializers.DateTimeField(source="expires_at", allow_null=True, default=None)


class CreateRoleRequest(serializers.Serializer[Any]):
    name = TextField()
    description = TextField(max_length=255, default="")


class ChangeRoleRequest(serializers.Serializer[Any]):
    name = TextField(required=False)
    description = TextField(max_length=255, required=False)


# --- answers


def signed_in(user: User) -> dict[str, Any]:
    """What the clients are told about who signed in; `ROLE_` is how the reference server writes roles."""
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "roles": [f"ROLE_{name.upper()}" for name in user.role_names],
    }


def own_account(user: User) -> dict[str, Any]:
    return {**signed_in(user), "createdAt": user.created_at, "updatedAt": user.updated_at}


def own_sessions(user: User, *, current: UUID) -> list[dict[str, Any]]:
    """The live ones, newest first."""
    sessions = Session.objects.live(timezone.now()).filter(user=user)
    shown = SessionSerializer(sessions, many=True).data
    return [{"current": session["id"] == str(current), **session} for session in shown]


def everything_about(user: User) -> dict[str, Any]:
    """All that is kept about the user, but for the hash of the password."""
    grants = RoleGrant.with_expired.filter(user=user).select_related("role").order_by("role_id")
    entries = AuditEntry.objects.filter(subject_id=user.pk) | AuditEntry.objects.filter(actor_id=user.pk)
    return {
        "account": own_account(user),
        "grants": GrantSerializer(grants, many=True).data,
        "sessions": SessionSerializer(user.sessions.all(), many=True).data,
        "audit": [_without_others(entry, user) for entry in AuditSerializer(entries, many=True).data],
    }


def _without_others(entry: dict[str, Any], user: User) -> dict[str, Any]:
    """Where others were, and with what, when they did something to the user is theirs."""
    return entry if entry["actor"] == user.pk else {**entry, "address": None, "device": ""}


class UserSerializer(serializers.ModelSerializer[User]):
    active = serializers.BooleanField(source="is_active")
    roles = serializers.SerializerMethodField()
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")

    class Meta:
        model = User
        fields = ["id", "username", "email", "active", "roles", "createdAt", "updatedAt"]

    def get_roles(self, user: User) -> list[str]:
        return [grant.role.name for grant in user.grants.all()]


class RoleSerializer(serializers.ModelSerializer[Role]):
    holders = serializers.IntegerField()

    class Meta:
        model = Role
        fields = ["id", "name", "description", "holders"]


class GrantSerializer(serializers.ModelSerializer[RoleGrant]):
    role = serializers.CharField(source="role.name")
    grantedAt = serializers.DateTimeField(source="granted_at")
    grantedBy = serializers.IntegerField(source="granted_by_id")
    expiresAt = serializers.DateTimeField(source="expires_at")
    live = serializers.BooleanField(source="is_live")

    class Meta:
        model = RoleGrant
        fields = ["role", "grantedAt", "grantedBy", "reason", "expiresAt", "live"]


class SessionSerializer(serializers.ModelSerializer[Session]):
    device = serializers.CharField(source="user_agent")
    openedAt = serializers.DateTimeField(source="opened_at")
    lastUsedAt = serializers.DateTimeField(source="last_used_at")
    expiresAt = serializers.DateTimeField(source="expires_at")
    revokedAt = serializers.DateTimeField(source="revoked_at")
    revokedReason = serializers.CharField(source="revoked_reason")

    class Meta:
        model = Session
        fields = ["id", "device", "address", "openedAt", "lastUsedAt", "expiresAt", "revokedAt", "revokedReason"]


class AuditSerializer(serializers.ModelSerializer[AuditEntry]):
    actor = serializers.IntegerField(source="actor_id")
    subject = serializers.IntegerField(source="subject_id")
    device = serializers.CharField(source="user_agent")
    detail = serializers.SerializerMethodField()
    sealed = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = ["id", "at", "action", "actor", "subject", "via", "address", "device", "detail", "sealed"]

    def get_detail(self, entry: AuditEntry) -> Any:
        """What somebody tampered with may be no JSON any more, and is shown as it is."""
        try:
            return json.loads(entry.detail or "{}")
        except ValueError:
            return entry.detail

    def get_sealed(self, entry: AuditEntry) -> bool:
        return entry.seal_id is not None
