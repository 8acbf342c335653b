"""manage.py grant_role NAME ROLE"""

from argparse import ArgumentParser
from typing import Any

from accounts import services
from accounts.management.base import UserCommand
from accounts.models import User


class Command(UserCommand):
    help = "Gives a user a role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("role", metavar="ROLE")

    def run_for(self, user: User, *, role: str, **options: Any) -> None:
        granted = services.grant_role(user=user, role_name=role)
        self.say(f"{user.username} now holds {role}." if granted else f"{user.username} held {role} already.")
