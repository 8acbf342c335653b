"""manage.py create_user NAME EMAIL [--role ROLE …]"""

from argparse import ArgumentParser
from typing import Any

from accounts import services
from accounts.management.base import OPERATOR, AccountCommand, ask_for_password


class Command(AccountCommand):
    help = "Creates a user. The password is asked for, or read from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME")
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--role", dest="roles", action="append", default=[], metavar="ROLE", help="may be given several times"
        )

    def run(self, *, username: str, email: str, roles: list[str], **options: Any) -> None:
        user = services.create_user(
            username=username, email=email, password=ask_for_password(), roles=roles, by=OPERATOR
        )
        self.say(f"Created {user.username}, with: {', '.join(user.role_names)}.")
