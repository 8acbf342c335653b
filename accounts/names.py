"""When a name is a good one, and when two names are the same one."""

from hashlib import sha256
from unicodedata import category, normalize

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from accounts.errors import InvalidEmail, InvalidUsername

USERNAME_MIN, USERNAME_MAX = 3, 150
EMAIL_MAX = 254
# No name that fits is spelt with more; and normalising 100 KB of accents would take seconds.
SPELLING_MAX = 4096

# Letters and marks that Unicode renders as nothing: with them two different names would look alike.
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)}
_INVISIBLE |= {0x13441, 0x13442, 0x16FE4, *range(0xE0100, 0xE01F0)}


def name_key(name: str) -> str:
    """What is unique about a username or email: 64 hexadecimal digits, the same for `Bob` and `bob`.

    A digest is plain ASCII, so that no database's collation has a say in which names are the same.
    """
    folded = normalize("NFKC", normalize("NFKC", name[:SPELLING_MAX]).casefold())
    return sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()


def clean_username(raw: str) -> str:
    """The username as it is stored: trimmed and in NFKC, as Django does it. Raises InvalidUsername."""
    username = normalize("NFKC", raw.strip()[:SPELLING_MAX])
    if not USERNAME_MIN <= len(username) <= USERNAME_MAX:
        raise InvalidUsername(f"Username must have {USERNAME_MIN} to {USERNAME_MAX} characters.")
    if not all(map(_is_allowed, username)) or category(username[0]).startswith("M"):
        raise InvalidUsername("Username may hold only letters, digits and @.+-_")
    return username


def new_username(raw: str, old: str | None) -> str:
    """As `clean_username`; but whoever has a name already, from elsewhere or from before a rule, may keep it."""
    return raw if raw == old else clean_username(raw)


def old_username(raw: str) -> str:
    """The username of an account that was made elsewhere, under other rules: trimmed and in NFKC. Raises
    InvalidUsername.

    Short ones, spaces and signs are taken, because people sign in with them; what cannot be seen, or sent, is not.
    """
    username = normalize("NFKC", raw.strip()[:SPELLING_MAX])
    if not 1 <= len(username) <= USERNAME_MAX:
        raise InvalidUsername(f"Username must have 1 to {USERNAME_MAX} characters.")
    # Some signs are, in NFKC, a space and a mark.
    if username != username.strip() or not all(map(_is_seen, username)) or category(username[0]).startswith("M"):
        raise InvalidUsername("Username may hold only what can be seen.")
    return username


def _is_seen(character: str) -> bool:
    return character == " " or (category(character)[0] in "LMNPS" and ord(character) not in _INVISIBLE)


def _is_allowed(character: str) -> bool:
    if character in "@.+-_":
        return True
    kind = category(character)
    return (kind[0] in "LM" or kind == "Nd") and ord(character) not in _INVISIBLE


def clean_email(raw: str) -> str:
    """The email address as it is stored: trimmed. Raises InvalidEmail."""
    email = raw.strip()
    if len(email) > EMAIL_MAX:
        raise InvalidEmail(f"Email must have at most {EMAIL_MAX} characters.")
    try:
        EmailValidator()(email)
    except ValidationError:
        raise InvalidEmail("Email is not a valid address.") from None
    if any(category(character)[0] in "CZ" for character in email):
        raise InvalidEmail("Email is not a valid address.")
    return email
