"""Whether a sign-in is right: found out with the same work, whoever is asked about."""

from django.contrib.auth.hashers import make_password, verify_password

from accounts.hashers import is_bcrypt, level_bcrypt
from accounts.models import User
from accounts.transactions import retrying


def may_sign_in(user: User | None, password: str) -> bool:
    """Whether that is an active user's password; None is a name that nobody has.

    One Argon2id hash in any case and, while the database holds bcrypt hashes, the bcrypt work of the costliest of
    them: so time tells neither who has an account, nor who is inactive, nor whose hash is an old one.
    """
    encoded = user.password if user else ""
    is_right, is_outdated = verify_password(password, encoded)
    if (cost := User.objects.highest_bcrypt_cost()) is not None:
        level_bcrypt(password, encoded, cost)
    is_allowed = is_right and user is not None and user.is_active
    if is_bcrypt(encoded) or (is_allowed and is_outdated):
        upgraded = make_password(password)
        if user and is_allowed:
            _replace_hash(user, upgraded)
    return is_allowed


@retrying
def _replace_hash(user: User, encoded: str) -> None:
    """Only that very hash which was checked: else the old password would come back over one that was set at that
    moment."""
    if User.objects.filter(pk=user.pk, password=user.password).update(password=encoded):
        user.password = encoded
