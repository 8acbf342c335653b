"""Shapes of answers; what goes into them is chosen in accounts/services."""

import json
from functools import cache
from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers

from accounts.conf import conf
from accounts.models import COUNTED, AuditEntry, Role, RoleGrant, Session, User
from accounts.services import Kept

M = TypeVar("M", bound=Model)


class Message(serializers.Serializer[Any]):
    message = serializers.CharField()


class Error(Message):
    """What went wrong, in words for people."""

    message = serializers.CharField(min_length=1)
    errors = serializers.DictField(required=False, help_text="The complaints, by field.")  # type: ignore[assignment]


class SignInError(Error):
    # The clients of the reference server read it.
    accessToken = serializers.CharField(allow_null=True)


class Tokens(serializers.Serializer[Any]):
    """The tokens, where TOKEN_DELIVERY has them in the body."""

    accessToken = serializers.CharField()
    refreshToken = serializers.CharField()

    def get_fields(self) -> Any:
        fields = super().get_fields()
        if not conf.delivers_in_body:
            del fields["accessToken"], fields["refreshToken"]
        return fields


class Refreshed(Tokens):
    message = serializers.CharField()

    def get_fields(self) -> Any:
        """The tokens, or a word where the body holds none."""
        fields = super().get_fields()
        if conf.delivers_in_body:
            del fields["message"]
        return fields


class Who(serializers.Serializer[User]):
    """What the clients are told about who signed in; `ROLE_` is how the reference server writes roles."""

    id = serializers.IntegerField(source="pk")
    username = serializers.CharField()
    email = serializers.CharField()
    roles = serializers.SerializerMethodField()

    def get_roles(self, user: User) -> list[str]:
        return [f"ROLE_{name.upper()}" for name in user.role_names]


class SignedIn(Tokens, Who):
    pass


class OwnAccount(Who):
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")


def who(user: User) -> dict[str, Any]:
    return _made(Who).to_representation(user)


def own_account(user: User) -> dict[str, Any]:
    return _made(OwnAccount).to_representation(user)


@cache
def _made(kind: type[Who]) -> Who:
    """One for all answers: to make one is to copy all of its fields."""
    return kind()


class Answer(serializers.ModelSerializer[M]):
    """An answer always has all of its fields, the empty ones too."""

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        kwargs.pop("required", None)
        return field_class, kwargs


class UserSerializer(Answer[User]):
    active = serializers.BooleanField(source="is_active")
    roles = serializers.SerializerMethodField()
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")

    class Meta:
        model = User
        fields = ["id", "username", "email", "active", "roles", "createdAt", "updatedAt"]

    def get_roles(self, user: Any) -> list[str]:
        # As the view has them looked up.
        return [grant.role.name for grant in user.live_grants]


class CountedField(serializers.IntegerField):
    """Null beyond COUNTED."""

    def __init__(self, **kwargs: Any) -> None:
        said = f"Null beyond {COUNTED}."
        super().__init__(min_value=0, max_value=COUNTED, allow_null=True, help_text=said, **kwargs)

    def to_representation(self, value: int) -> int | None:  # type: ignore[override]
        return value if value <= COUNTED else None


class RoleSerializer(Answer[Role]):
    holders = CountedField(source="number_of_holders")

    class Meta:
        model = Role
        fields = ["id", "name", "description", "holders"]


class GrantSerializer(Answer[RoleGrant]):
    role = serializers.CharField(source="role.name")
    grantedAt = serializers.DateTimeField(source="granted_at")
    grantedBy = serializers.IntegerField(source="granted_by_id", allow_null=True)
    expiresAt = serializers.DateTimeField(source="expires_at", allow_null=True)
    live = serializers.BooleanField(source="is_live")

    class Meta:
        model = RoleGrant
        fields = ["role", "grantedAt", "grantedBy", "reason", "expiresAt", "live"]


class SessionSerializer(Answer[Session]):
    device = serializers.CharField(source="user_agent")
    openedAt = serializers.DateTimeField(source="opened_at")
    lastUsedAt = serializers.DateTimeField(source="last_used_at")
    expiresAt = serializers.DateTimeField(source="expires_at")
    revokedAt = serializers.DateTimeField(source="revoked_at", allow_null=True)
    revokedReason = serializers.ChoiceField(source="revoked_reason", choices=Session.Reason.choices, allow_blank=True)

    class Meta:
        model = Session
        fields = ["id", "device", "address", "openedAt", "lastUsedAt", "expiresAt", "revokedAt", "revokedReason"]


class OwnSessionSerializer(SessionSerializer):
    """With the id of the caller's session as `current` in the context."""

    current = serializers.SerializerMethodField()

    class Meta(SessionSerializer.Meta):
        fields = ["current", *SessionSerializer.Meta.fields]

    def get_current(self, session: Session) -> bool:
        return session.pk == self.context["current"]


class AuditSerializer(Answer[AuditEntry]):
    actor = serializers.IntegerField(source="actor_id", allow_null=True)
    subject = serializers.IntegerField(source="subject_id", allow_null=True)
    device = serializers.CharField(source="user_agent")
    detail = serializers.SerializerMethodField()
    sealed = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = ["id", "at", "action", "actor", "subject", "via", "address", "device", "detail", "sealed"]

    def get_detail(self, entry: AuditEntry) -> dict[str, Any] | str:
        """What somebody tampered with may be no JSON any more, and is shown as it is."""
        try:
            return json.loads(entry.detail or "{}")
        except ValueError:
            return entry.detail

    def get_sealed(self, entry: AuditEntry) -> bool:
        return entry.seal_id is not None


class OwnAuditSerializer(AuditSerializer):
    def to_representation(self, entry: AuditEntry) -> dict[str, Any]:
        """Where others were, and with what, when they did something to the user is theirs."""
        shown = super().to_representation(entry)
        by_others = entry.actor_id != self.context["user"].pk
        return {**shown, "address": None, "device": ""} if by_others else shown


class Export(serializers.Serializer[Kept]):
    """With the user whom it is about as `user` in the context."""

    account = OwnAccount(source="user")
    grants = GrantSerializer(many=True)
    sessions = SessionSerializer(many=True)
    audit = OwnAuditSerializer(source="entries", many=True)
