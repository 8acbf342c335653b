"""manage.py revoke_role NAME ROLE"""

from argparse import ArgumentParser
from typing import Any

from accounts import services
from accounts.management.base import OPERATOR, UserCommand
from accounts.models import User


class Command(UserCommand):
    help = "Takes a role from a user, from their next request on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("role", metavar="ROLE")

    def run_for(self, user: User, *, role: str, **options: Any) -> None:
        taken = services.revoke_role(user=user, role_name=role, by=OPERATOR)
        self.say(f"{user.username} no longer holds {role}." if taken else f"{user.username} did not hold {role}.")
