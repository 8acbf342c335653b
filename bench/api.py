"""Where each contestant has what the others have elsewhere, and what a right answer is."""

from dataclasses import dataclass

PASSWORD = "correct horse battery"
BOARDS = ("all", "user", "mod", "admin")
# A client that stores the successor of each refresh token is `refresh_rotating`; the published ones keep the first.
ENDPOINTS = (*BOARDS, "refresh", "refresh_rotating", "sign_in", "sign_up")
# Who sees which board; whoever refreshes is somebody else, because a sign-in too many ends the oldest session.
READERS = {"user": "reader", "mod": "moderator", "admin": "administrator"}
ROLES = {"moderator": "moderator", "administrator": "admin"}
REFRESHER = "refresher"
CONTENT = {"all": "Public", "user": "User", "mod": "Moderator", "admin": "Admin"}


@dataclass(frozen=True)
class Api:
    """Paths, and the names that tokens have in bodies; `header` is what the access token is sent in, after `scheme`.
    `roles` says whether one may choose any role at sign-up."""

    sign_up: str = "/api/auth/signup"
    sign_in: str = "/api/auth/signin"
    refresh: str = "/api/auth/refreshtoken"
    boards: str = "/api/test/"
    access: str = "accessToken"
    refresh_token: str = "refreshToken"
    header: str = "x-access-token"
    scheme: str = ""
    roles: bool = False


OURS = Api()
REFERENCE = Api(roles=True)
DJOSER = Api(
    sign_up="/auth/users/",
    sign_in="/auth/jwt/create/",
    refresh="/auth/jwt/refresh/",
    boards="/test/",
    access="access",
    refresh_token="refresh",
    header="Authorization",
    scheme="JWT ",
)


@dataclass(frozen=True)
class Tokens:
    access: str
    refresh: str
