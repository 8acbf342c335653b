"""Shapes of requests; whether a value is a good one is decided in accounts/services, whose limits are told here."""

from functools import cache
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.utils import html


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


@extend_schema_field({"type": "string", "minLength": 8, "maxLength": 256, "description": "None that is common."})
class NewPasswordField(TextField):
    pass


# Names and addresses are measured after trimming and, names, in NFKC: so what was sent may be longer or shorter.
@extend_schema_field(
    {"type": "string", "minLength": 1, "description": "3 to 150 letters and digits of any script and @.+-_"}
)
class UsernameField(TextField):
    pass


@extend_schema_field({"type": "string", "format": "email", "description": "Of up to 254 characters."})
class EmailField(TextField):
    pass


@extend_schema_field({"type": "string", "pattern": "^[a-z][a-z0-9_-]*$", "maxLength": 50})
class RoleNameField(TextField):
    pass


@extend_schema_field({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})
class MomentField(serializers.DateTimeField):
    """A date alone is its first moment."""


class FlagField(serializers.BooleanField):
    """True or false, and none of the words and numbers that could mean either."""

    # DRF takes a box that a form leaves out for one that is not ticked; here nothing was asked.
    default_empty_html = serializers.empty

    def get_value(self, dictionary: Any) -> Any:
        """Forms have no true and false, only words."""
        value = super().get_value(dictionary)
        return {"true": True, "false": False}.get(value, value) if html.is_html_input(dictionary) else value

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


def parse(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body in that shape. Raises ValidationError."""
    if request.data is None:
        raise serializers.ValidationError({"non_field_errors": ["No data provided."]})
    return _reader(shape).run_validation(request.data)


@cache
def _reader(shape: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One for all requests: nothing of what it reads stays in it, and to make one is to copy all of its fields."""
    return shape()


def _role_names(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=RoleNameField(max_length=50),
        max_length=50,
        error_messages={"not_a_list": "Must be a list of names."},
        **kwargs,
    )


class SignUpRequest(serializers.Serializer[Any]):
    username = UsernameField()
    email = EmailField()
    password = NewPasswordField()
    roles = _role_names(allow_null=True, default=list)


class SignInRequest(serializers.Serializer[Any]):
    username = TextField()
    password = PasswordField()


class RefreshRequest(serializers.Serializer[Any]):
    """Read by accounts/authentication.py, which takes the cookie where the body holds no token."""

    refreshToken = serializers.CharField(required=False, allow_null=True)


class SignOutRequest(serializers.Serializer[Any]):
    """Read by accounts/authentication.py, which passes over what it cannot read: a sign-out is never refused."""

    never_refused = True
    refreshToken = serializers.CharField(required=False, allow_null=True)
    everywhere = serializers.BooleanField(required=False)


class ChangeOwnAccountRequest(serializers.Serializer[Any]):
    username = UsernameField(required=False)
    email = EmailField(required=False)
    currentPassword = PasswordField(source="current_password")


class ChangePasswordRequest(serializers.Serializer[Any]):
    currentPassword = PasswordField(source="current_password")
    newPassword = NewPasswordField(source="new_password")


class ConfirmRequest(serializers.Serializer[Any]):
    password = PasswordField()


class CreateUserRequest(serializers.Serializer[Any]):
    username = UsernameField()
    email = EmailField()
    password = NewPasswordField()
    roles = _role_names(default=list)


class ChangeUserRequest(serializers.Serializer[Any]):
    username = UsernameField(required=False)
    email = EmailField(required=False)
    active = FlagField(required=False)


class GrantRequest(serializers.Serializer[Any]):
    role = RoleNameField(source="role_name", max_length=50)
    reason = TextField(max_length=255, default="")
    expiresAt = MomentField(source="expires_at", allow_null=True, default=None)


class CreateRoleRequest(serializers.Serializer[Any]):
    name = RoleNameField()
    description = TextField(max_length=255, default="")


class ChangeRoleRequest(serializers.Serializer[Any]):
    name = RoleNameField(required=False)
    description = TextField(max_length=255, required=False)
