"""Shapes of requests; whether a value is a good one is decided in accounts/services."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request


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
