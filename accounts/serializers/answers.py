"""Shapes of answers; what goes into them is chosen in accounts/services."""

import json
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.models import AuditEntry, Role, RoleGrant, Session, User
from accounts.services import Kept


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


def own_sessions(sessions: QuerySet[Session], *, current: UUID) -> list[dict[str, Any]]:
    shown = SessionSerializer(sessions, many=True).data
    return [{"current": session["id"] == str(current), **session} for session in shown]


def everything_about(user: User, kept: Kept) -> dict[str, Any]:
    return {
        "account": own_account(user),
        "grants": GrantSerializer(kept.grants, many=True).data,
        "sessions": SessionSerializer(kept.sessions, many=True).data,
        "audit": [_without_others(entry, user) for entry in AuditSerializer(kept.entries, many=True).data],
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
    holders = serializers.IntegerField(source="number_of_holders")

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
