"""manage.py grant_role NAME ROLE [--reason TEXT] [--until TIME]"""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts import services
from accounts.management.base import OPERATOR, UserCommand
from accounts.models import User


class Command(UserCommand):
    help = "Gives a user a role; or gives it anew, with another reason or end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("role", metavar="ROLE")
        parser.add_argument("--reason", default="", metavar="TEXT", help="why, for whoever asks later")
        parser.add_argument("--until", default="", metavar="TIME", help="when it ends, such as 2030-01-31T18:00")

    def run_for(self, user: User, *, role: str, reason: str, until: str, **options: Any) -> None:
        if len(reason) > 255:
            raise CommandError("--reason must have at most 255 characters.")
        expires_at = _moment(until) if until else None
        granted = services.grant_role(user=user, role_name=role, by=OPERATOR, reason=reason, expires_at=expires_at)
        self.say(f"{user.username} now holds {role}." if granted else f"{user.username} held {role} already.")


def _moment(text: str) -> datetime:
    """A time without a zone is in the server's, which is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    except (ValueError, OverflowError):
        raise CommandError("--until must be a time such as 2030-01-31 or 2030-01-31T18:00+01:00.") from None
