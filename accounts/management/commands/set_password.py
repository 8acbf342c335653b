"""manage.py set_password NAME"""

from typing import Any

from accounts import services
from accounts.management.base import OPERATOR, UserCommand, ask_for_password
from accounts.models import User


class Command(UserCommand):
    help = "Gives a user a new password, asked for or read from standard input, and ends their sessions."

    def run_for(self, user: User, **options: Any) -> None:
        ended = services.set_password(user=user, password=ask_for_password(), by=OPERATOR)
        self.say(f"{user.username} has a new password. Sessions ended: {ended}.")
