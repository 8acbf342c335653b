"""What the account commands share: who is meant, a password that no process list shows, errors of one line."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts import services
from accounts.errors import AccountError
from accounts.models import Actor, User

OPERATOR = Actor(via="command")


class AccountCommand(BaseCommand):
    """A command whose work is one service call, in `run`; what that raises becomes one line and exit code 1."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(**options)
        except AccountError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            raise CommandError(f"The database refused: {error}") from error
        # Python hands bytes that are no text on as lone surrogates, which neither hash nor database take.
        except UnicodeError as error:
            raise CommandError("A name or the password is not valid UTF-8.") from error

    def run(self, *args: Any, **options: Any) -> None:
        raise NotImplementedError

    def say(self, text: str) -> None:
        self.stdout.write(self.style.SUCCESS(text))


class UserCommand(AccountCommand):
    """A command about one existing user, NAME."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME")

    def run(self, *args: Any, username: str, **options: Any) -> None:
        self.run_for(services.find_user(username), **options)

    def run_for(self, user: User, *args: Any, **options: Any) -> None:
        raise NotImplementedError


def ask_for_password() -> str:
    """Typed twice at a terminal; else the first line of standard input. Never an argument: those are public."""
    if sys.stdin is None:  # closed by whoever started us
        raise CommandError("There is no standard input to read the password from.")
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        password, again = getpass("Password: "), getpass("Password (again): ")
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)  # ends the line of the prompt
        raise CommandError("No password was given.") from None
    if again != password:
        raise CommandError("The two passwords are not the same.")
    return password
