"""manage.py revoke_sessions NAME | --all"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import services
from accounts.management.base import OPERATOR, AccountCommand


class Command(AccountCommand):
    help = "Ends all sessions of one user, or of everybody; those of the Django admin too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME", nargs="?")
        parser.add_argument("--all", action="store_true", dest="everybody", help="of everybody")

    def run(self, *, username: str | None, everybody: bool, **options: Any) -> None:
        if (username is None) is not everybody:
            raise CommandError("Give one NAME, or --all.")
        if username is None:
            users = services.revoke_everybodys_sessions(by=OPERATOR)
            self.say(f"Everybody is signed out. Users: {users}.")
        else:
            ended = services.revoke_all_sessions(user=services.find_user(username), by=OPERATOR)
            self.say(f"{username} is signed out. Sessions ended: {ended}.")
