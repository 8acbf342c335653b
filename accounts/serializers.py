"""Shapes of requests and answers; whether a value is a good one is decided in accounts/services.py."""

from typing import Any

from rest_framework import serializers

from accounts.models import User


class TextField(serializers.CharField):
    """A text as it was sent: numbers are not taken for texts, and nothing is trimmed."""

    default_error_messages = {"invalid": "Must be a text."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class SignUpRequest(serializers.Serializer[Any]):
    username = TextField()
    email = TextField()
    password = TextField()
    roles = serializers.ListField(
        child=TextField(max_length=50),
        max_length=50,
        allow_null=True,
        default=list,
        error_messages={"not_a_list": "Must be a list of names."},
    )


class SignInRequest(serializers.Serializer[Any]):
    username = TextField()
    password = TextField(max_length=256)


def signed_in(user: User) -> dict[str, Any]:
    """What the clients are told about who signed in; `ROLE_` is how the reference server writes roles."""
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "roles": [f"ROLE_{name.upper()}" for name in user.role_names],
    }
