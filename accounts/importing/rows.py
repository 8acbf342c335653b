"""The words of moving in: a row of the old database, what is found about it, and what becomes of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


@dataclass(frozen=True)
class OldGrant:
    role: str
    granted_at: datetime


@dataclass(frozen=True)
class Row:
    """One of `users`, as it is: nothing of it need be right. Texts that are no Unicode are None, as NULL is.

    `weight` is the same for all names that the old database takes for one, by its collation.
    """

    id: int
    username: str | None
    email: str | None
    password: str | None
    created_at: datetime
    weight: str | None = None
    grants: tuple[OldGrant, ...] = ()


class Kind(Enum):
    """What can be found about a row, in words, and what is proposed."""

    # Rows that are left out.
    NO_USERNAME = "has no username", "leave it out, nobody can sign in to it"
    LONG_USERNAME = "its username is longer than 150 characters", "rename it in the old database, and tell its owner"
    UNSEEN_IN_USERNAME = (
        "its username holds NUL, control or invisible characters",
        "rename it in the old database, and tell its owner",
    )
    SAME_USERNAME = (
        "has the username of an earlier row",
        "leave it out, the old server signs in the earlier one and never this",
    )
    SAME_BUT_FOR_CASE = (
        "its username is an earlier row's but for letter case or Unicode form",
        "leave it out, the old server signs in the earlier one and never this",
    )
    SAME_HERE_ONLY = (
        "its username is an earlier row's but for letter case or Unicode form, and the old server tells them apart",
        "rename one in the old database and tell its owner, for both may be in use",
    )
    USERNAME_TAKEN = "its username belongs to an account that is here already", "rename one of the two"
    NO_PASSWORD = "has no password", "leave it out, nobody can sign in to it"
    NOT_BCRYPT = "its password is no bcrypt hash", "leave it out, nobody can sign in to it"
    COSTLY_HASH = "its bcrypt hash costs more than 14", "create_user, with a new password"
    NO_EMAIL = "has no email", "give it one in the old database, or --placeholder-emails"
    BAD_EMAIL = "its email is no address", "correct it in the old database, or --placeholder-emails"
    SAME_EMAIL = (
        "has the email of an earlier row, in whatever letter case",
        "find out whose it is and change the other, or --placeholder-emails",
    )
    EMAIL_TAKEN = (
        "its email belongs to an account that is here already",
        "find out whose it is and change the other, or --placeholder-emails",
    )
    # Rows that come in, and deserve a look.
    COLLATION = (
        "its username and an earlier row's are one for the old database's collation",
        "nothing, they are two accounts here; the old server signs in the earlier one only",
    )
    UNUSUAL_USERNAME = "its username could not be chosen today", "nothing, its owner signs in with it as before"
    PLACEHOLDER_EMAIL = "its own email cannot come in", "nothing, it gets a placeholder, which its owner can change"
    NEW_ID = "its id belongs to an account that is here already", "use the new one wherever else your data has the old"
    ADMIN_WITHHELD = (
        "holds admin, which anyone could sign up with",
        "leave the role behind, or --admin NAME for those you know",
    )
    ADMIN_KEPT = "holds admin, which anyone could sign up with, and keeps it", "nothing, if you know them all"
    MODERATOR_WITHHELD = (
        "holds moderator, which anyone could sign up with",
        "leave the role behind, and grant_role to those you know",
    )
    MODERATOR_KEPT = "holds moderator, which anyone could sign up with, and keeps it", "nothing, if you know them all"
    BAD_ROLE = "holds a role whose name is no good here", "rename the role in the old database, or leave it behind"

    def __init__(self, text: str, proposal: str) -> None:
        self.text, self.proposal = text, proposal


@dataclass(frozen=True)
class Finding:
    kind: Kind
    about: str = ""


class LeftOut(Exception):
    """Why a row does not come in."""

    def __init__(self, kind: Kind, about: str = "") -> None:
        self.finding = Finding(kind, about)
        super().__init__(kind.text)


class State(Enum):
    COMES = "comes in"
    HERE = "came in before"
    LEFT_OUT = "is left out"


@dataclass(frozen=True)
class Outcome:
    """What becomes of a row. The rest is said of one that comes in; `user_id` once it has its place."""

    row: Row
    state: State
    findings: list[Finding] = field(default_factory=list)
    username: str = ""
    email: str = ""
    password: str = ""
    grants: tuple[OldGrant, ...] = ()
    user_id: int = 0
