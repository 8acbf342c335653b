"""manage.py seed_roles [NAME …]"""

from argparse import ArgumentParser
from typing import Any

from accounts import services
from accounts.management.base import OPERATOR, AccountCommand


class Command(AccountCommand):
    help = "Creates the roles that are missing: user, moderator, admin and those named. Changes none that exist."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="a further role to create")

    def run(self, *, names: list[str], **options: Any) -> None:
        created = services.seed_roles(names, by=OPERATOR)
        self.say(f"Created: {', '.join(created)}." if created else "All roles are there already.")
