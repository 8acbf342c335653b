"""The vocabulary of what can go wrong; authproject/errors.py says which HTTP status each becomes."""

from datetime import timedelta
from math import ceil
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


class RoleNameTaken(InvalidInput):
    code = "role_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a role called {name!r} already.")


class InvalidExpiry(InvalidInput):
    code = "invalid_expiry"
    message = "A role can be granted only until a moment that is still to come."


class Conflict(AccountError):
    """What is asked for is well formed, and would leave things in a state that must not be."""

    code = "conflict"


class LastAdmin(Conflict):
    code = "last_admin"
    message = "Somebody active must hold the role admin without an end, and would not after this."


class OutlastsGranter(Conflict):
    code = "outlasts_granter"
    message = "Your own role admin has an end, so you cannot grant it for longer."


class BuiltInRole(Conflict):
    code = "built_in_role"

    def __init__(self, name: str) -> None:
        super().__init__(f"The role {name!r} is built in: it can be neither renamed nor deleted.")


class RoleHeld(Conflict):
    code = "role_held"

    def __init__(self, name: str) -> None:
        super().__init__(f"The role {name!r} is held by somebody, and cannot be deleted.")


class WrongCurrentPassword(InvalidInput):
    code = "wrong_current_password"
    message = "The current password is not right."


class UserNotFound(AccountError):
    code = "user_not_found"
    message = "User Not found."


class InvalidCredentials(AccountError):
    code = "invalid_credentials"
    message = "Invalid Password!"


class TryLater(AccountError):
    """Answered with Retry-After (RFC 9110 section 10.2.3)."""

    reason: ClassVar[str]

    def __init__(self, wait: timedelta) -> None:
        self.retry_after = max(ceil(wait.total_seconds()), 1)  # seconds
        plural = "s" if self.retry_after > 1 else ""
        super().__init__(f"{self.reason} Please try again in {self.retry_after} second{plural}.")


class TooManyRequests(TryLater):
    """The caller's own (RFC 6585 section 4)."""

    code = "too_many_requests"
    reason = "Too many attempts."


class TooBusy(TryLater):
    """The server, with others' requests (RFC 9110 section 15.6.4)."""

    code = "too_busy"
    reason = "The server is busy."


class DatabaseAway(TryLater):
    """Nothing was changed, or nobody knows."""

    code = "database_away"
    reason = "The database does not answer."


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


class SessionNotFound(AccountError):
    code = "session_not_found"
    message = "There is no such session."


class RefreshTokenReused(RefreshTokenUnknown):
    """A retired token came back: somebody has a copy. The caller is told no more than of an unknown one."""

    code = "refresh_token_reused"


class CrossSiteRequest(AccountError):
    code = "cross_site_request"
    message = "This request came from another site, and was refused."
