"""manage.py rotate_signing_key [--algorithm EdDSA|RS256] [--after SECONDS]"""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError

from accounts import services
from accounts.keys import EDDSA, HS256, RS256, Key, SigningKeyError
from accounts.management.base import OPERATOR, AccountCommand
from accounts.services import Rotation

A_YEAR = 31_536_000
SOONEST = int(services.SOONEST.total_seconds())


class Command(AccountCommand):
    help = "Makes a new signing key, which is published now and signs later, and says when the older ones can go."
    # It makes the key for want of which the checks fail.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--algorithm", choices=[EDDSA, RS256], help="that of the newest key, or EdDSA, unless you say"
        )
        parser.add_argument(
            "--after",
            type=int,
            default=3600,
            metavar="SECONDS",
            help=f"when it begins to sign (default 3600): {SOONEST} or more, so that everyone has it by then, "
            "or 0 for a key that leaked",
        )

    def run(self, *, algorithm: str | None, after: int, **options: Any) -> None:
        if after != 0 and not SOONEST <= after <= A_YEAR:
            raise CommandError(f"--after must be from {SOONEST} to {A_YEAR}, or 0.")
        try:
            made = services.rotate_signing_key(algorithm=algorithm, after=timedelta(seconds=after), by=OPERATOR)
        except SigningKeyError as error:
            raise CommandError(str(error)) from None
        self._tell(made)

    def _tell(self, made: Rotation) -> None:
        self.say(f"{_name(made.key)} signs from {_when(made.key.signs_from)}.")
        self.stdout.write(f"It is in {made.path}.")
        for older, at in made.older:
            what = "tokens of SECRET_KEY are refused" if older.algorithm == HS256 else "its file can be deleted"
            self.stdout.write(f"{_name(older)}: {what} from {_when(at)}.")


def _name(key: Key) -> str:
    return f"{key.algorithm} key {key.kid}"


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
