"""What becomes of a row, as far as the old database alone tells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from accounts.errors import InvalidEmail, InvalidUsername
from accounts.hashers import BCRYPT_COSTS, bcrypt_cost
from accounts.importing.claims import Claims, Earlier
from accounts.importing.rows import Finding, Kind, LeftOut, OldGrant, Outcome, Row, State
from accounts.models import ADMIN
from accounts.names import USERNAME_MAX, clean_email, clean_username, name_key, old_username
from accounts.services import DEFAULT_ROLE

# The old server's sign-up gives them to anyone who asks: what is found of a holder who is trusted, or not.
FREE_FOR_ALL = {
    ADMIN: {True: Kind.ADMIN_KEPT, False: Kind.ADMIN_WITHHELD},
    "moderator": {True: Kind.MODERATOR_KEPT, False: Kind.MODERATOR_WITHHELD},
}
# A domain to which no mail is ever delivered (RFC 2606 section 2).
PLACEHOLDER = "user-{}@moved-in.invalid"


@dataclass(frozen=True)
class Choices:
    """What the operator decides: whose `admin` comes over, which roles do for all who hold them, and whether accounts
    come in whose email cannot. `admins` are names by their keys."""

    admins: Mapping[str, str] = field(default_factory=dict)
    trusted_roles: frozenset[str] = frozenset()
    placeholder_emails: bool = False

    @classmethod
    def of(cls, admins: Iterable[str], trusted_roles: Iterable[str], placeholder_emails: bool) -> "Choices":
        named = {name_key(name.strip()): name for name in admins}
        return cls(named, frozenset(trusted_roles), placeholder_emails)

    def trust(self, username: str, role: str) -> bool:
        return role in self.trusted_roles or (role == ADMIN and name_key(username) in self.admins)


def judge(row: Row, claims: Claims, choices: Choices, good_roles: frozenset[str]) -> Outcome:
    """To be asked in the order of ids. A username is the first row's that has it, even if that cannot come in: so no
    row that nobody could sign in to takes the place of another. `good_roles` are those that there can be here."""
    findings: list[Finding] = []
    try:
        username = _username(row, claims, findings)
        password = _password(row)
        email = _email(row, claims, choices, findings)
    except LeftOut as left_out:
        return Outcome(row, State.LEFT_OUT, [left_out.finding])
    grants = _grants(row, username, choices, good_roles, findings)
    return Outcome(row, State.COMES, findings, username, email, password, grants)


def _username(row: Row, claims: Claims, findings: list[Finding]) -> str:
    if not (row.username or "").strip():
        raise LeftOut(Kind.NO_USERNAME)
    try:
        username = old_username(row.username or "")
    except InvalidUsername:
        is_long = len((row.username or "").strip()) > USERNAME_MAX
        raise LeftOut(Kind.LONG_USERNAME if is_long else Kind.UNSEEN_IN_USERNAME) from None
    if earlier := claims.username(username, row.id, row.weight):
        raise LeftOut(_how_the_same(username, row.weight, earlier), said(earlier))
    if row.weight and (earlier := claims.weight(row.weight, username, row.id)):
        findings.append(Finding(Kind.COLLATION, said(earlier)))
    try:
        clean_username(username)
    except InvalidUsername:
        findings.append(Finding(Kind.UNUSUAL_USERNAME))
    return username


def _how_the_same(username: str, weight: str | None, earlier: Earlier) -> Kind:
    """The old server finds by its collation: where that tells two apart, as `ﬁsh` and `fish`, both may be in use."""
    if weight != earlier.weight:
        return Kind.SAME_HERE_ONLY
    return Kind.SAME_USERNAME if username == earlier.spelling else Kind.SAME_BUT_FOR_CASE


def said(earlier: Earlier) -> str:
    return f"after id {earlier.id} {earlier.spelling!r}"


def _password(row: Row) -> str:
    """As accounts/hashers.py reads it."""
    if not row.password:
        raise LeftOut(Kind.NO_PASSWORD)
    encoded = f"bcrypt${row.password}"
    cost = bcrypt_cost(encoded)
    if cost is None or cost < BCRYPT_COSTS[0]:
        raise LeftOut(Kind.NOT_BCRYPT)
    if cost > BCRYPT_COSTS[-1]:
        raise LeftOut(Kind.COSTLY_HASH, f"cost {cost}")
    return encoded


def _email(row: Row, claims: Claims, choices: Choices, findings: list[Finding]) -> str:
    try:
        email = clean_email(row.email or "")
        earlier = claims.email(email, row.id)
        if not earlier:
            return email
        problem = Finding(Kind.SAME_EMAIL, said(earlier))
    except InvalidEmail:
        problem = Finding(Kind.BAD_EMAIL if (row.email or "").strip() else Kind.NO_EMAIL)
    placeholder = PLACEHOLDER.format(row.id)
    if not choices.placeholder_emails or claims.email(placeholder, row.id):
        raise LeftOut(problem.kind, problem.about)
    findings.append(Finding(Kind.PLACEHOLDER_EMAIL, problem.kind.text))
    return placeholder


def _grants(
    row: Row, username: str, choices: Choices, good_roles: frozenset[str], findings: list[Finding]
) -> tuple[OldGrant, ...]:
    """Those that come over; who would hold nothing gets what everyone who signs up has."""
    kept: dict[str, OldGrant] = {}
    for grant in row.grants:
        is_good, is_free = grant.role in good_roles, grant.role in FREE_FOR_ALL
        is_trusted = not is_free or choices.trust(username, grant.role)
        if not is_good:
            findings.append(Finding(Kind.BAD_ROLE, repr(grant.role)))
        elif is_free:
            findings.append(Finding(FREE_FOR_ALL[grant.role][is_trusted]))
        if is_good and is_trusted:
            kept[grant.role] = grant
    return tuple(kept.values()) or (OldGrant(DEFAULT_ROLE, row.created_at),)
