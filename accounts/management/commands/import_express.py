"""manage.py import_express DATABASE_URL|- [--dry-run] [--admin NAME …] [--trust-role ROLE …] [--placeholder-emails]
[--report FILE]"""

import os
import sys
from argparse import ArgumentParser
from contextlib import AbstractContextManager, closing, nullcontext
from getpass import getpass
from typing import IO, Any

from django.core.management.base import CommandError

from accounts.importing import Choices, ExpressDatabase, Move, Report
from accounts.management.base import OPERATOR, AccountCommand
from accounts.management.progress import Progress


class Command(AccountCommand):
    help = (
        "Brings users, roles, grants and password hashes over from the Express server's MySQL or MariaDB, which it "
        "only reads. Begin with --dry-run; docs/moving-in.md explains the rest. Run again, it goes on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "database_url",
            metavar="DATABASE_URL",
            help="mysql://USER:PASSWORD@HOST:PORT/NAME; or -, to be asked for it or read it from standard input, "
            "because everyone on this machine can see arguments",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would come in; write nothing")
        parser.add_argument(
            "--admin",
            dest="admins",
            action="append",
            default=[],
            metavar="NAME",
            help="who holds admin there and keeps it; may be given several times",
        )
        parser.add_argument(
            "--trust-role",
            dest="roles",
            action="append",
            default=[],
            metavar="ROLE",
            choices=["admin", "moderator"],
            help="admin or moderator: everyone who holds it there keeps it",
        )
        parser.add_argument(
            "--placeholder-emails",
            action="store_true",
            help="bring in accounts whose email is missing, wrong or somebody else's, with one that leads nowhere",
        )
        parser.add_argument("--report", metavar="FILE", help="a new file for all findings, an object of JSON a line")

    def run(
        self,
        *,
        database_url: str,
        dry_run: bool,
        admins: list[str],
        roles: list[str],
        placeholder_emails: bool,
        report: str | None,
        **options: Any,
    ) -> None:
        choices = Choices.of(admins, roles, placeholder_emails)
        url = _ask_for_url() if database_url == "-" else database_url
        with closing(ExpressDatabase(url)) as source, _new_file(report) as every:
            found = Report(choices, every)
            self._move(source, Move(source, choices, by=OPERATOR), found, dry_run)
        self._tell(found, dry_run)

    def _move(self, source: ExpressDatabase, move: Move, found: Report, dry_run: bool) -> None:
        try:
            with Progress(source.count()) as progress:
                for page in move.rehearse() if dry_run else move.carry_out():
                    found.add(page)
                    progress.add(len(page))
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run it again, and it goes on where it was.") from None

    def _tell(self, found: Report, dry_run: bool) -> None:
        for line in found.lines():
            self.stdout.write(line)
        self.say("Nothing was written: this was a dry run." if dry_run else "Done.")
        if found.missing_admins:
            raise CommandError(f"No admin of the old database that comes in: {', '.join(found.missing_admins)}.")


def _ask_for_url() -> str:
    """Not shown while it is typed."""
    if sys.stdin is None:
        raise CommandError("There is no standard input to read DATABASE_URL from.")
    try:
        return (getpass("DATABASE_URL: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    except (EOFError, KeyboardInterrupt):
        raise CommandError("No DATABASE_URL was given.") from None


def _new_file(path: str | None) -> AbstractContextManager[IO[str] | None]:
    """For us alone: it names people."""
    if path is None:
        return nullcontext()
    try:
        return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w")
    except OSError as error:
        raise CommandError(f"--report: {error}") from None
