"""The vocabulary of what can go wrong; authproject/errors.py says which HTTP status each becomes."""

from typing import ClassVar


class AccountError(Exception):
    """What the caller is told: `code` for programs, `message` for people."""

    code: ClassVar[str] = "account_error"
    message: str = "The request could not be carried out."

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.message
        super().__init__(self.message)


class InvalidInput(AccountError):
    code = "invalid_input"


class InvalidUsername(InvalidInput):
    code = "invalid_username"


class InvalidEmail(InvalidInput):
    code = "invalid_email"


class PasswordRefused(InvalidInput):
    code = "password_refused"


class UsernameTaken(InvalidInput):
    code = "username_taken"
    message = "Failed! Username is already in use!"


class EmailTaken(InvalidInput):
    code = "email_taken"
    message = "Failed! Email is already in use!"


class RoleDoesNotExist(InvalidInput):
    code = "role_does_not_exist"

    def __init__(self, name: str) -> None:
        super().__init__(f"Failed! Role does not exist = {name}")


class InvalidRoleName(InvalidInput):
    code = "invalid_role_name"


class RoleNotSelfAssignable(AccountError):
    code = "role_not_self_assignable"

    def __init__(self, name: str) -> None:
        super().__init__(f"Failed! Role cannot be self-assigned = {name}")


class UserNotFound(AccountError):
    code = "user_not_found"
    message = "User Not found."


class InvalidCredentials(AccountError):
    code = "invalid_credentials"
    message = "Invalid Password!"


class NoToken(AccountError):
    code = "no_token"
    message = "No token provided!"


class InvalidToken(AccountError):
    code = "invalid_token"
    message = "Unauthorized!"


class ExpiredToken(InvalidToken):
    code = "expired_token"
    message = "Unauthorized! Access Token was expired!"


class RefreshTokenRefused(AccountError):
    """Never answered with 401: the published clients would refresh and try again without end."""

    code = "refresh_token_refused"


class RefreshTokenRequired(RefreshTokenRefused):
    code = "refresh_token_required"
    message = "Refresh Token is required!"


class RefreshTokenUnknown(RefreshTokenRefused):
    code = "refresh_token_unknown"
    message = "Refresh token is not in database!"


class RefreshTokenExpired(RefreshTokenRefused):
    code = "refresh_token_expired"
    message = "Refresh token was expired. Please make a new signin request"


class CrossSiteRequest(AccountError):
    code = "cross_site_request"
    message = "This request came from another site, and was refused."
