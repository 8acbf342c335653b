"""manage.py verify_audit [--against LINE]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import sealing
from accounts.management.base import AccountCommand


class Command(AccountCommand):
    help = "Says whether the audit trail is whole, and if not, which entry was edited, removed or inserted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--against", metavar="LINE", help="a line that seal_audit --export printed once")

    def run(self, *, against: str | None, **options: Any) -> None:
        found = 0
        for finding in sealing.verify(_exported(against)):
            self.stdout.write(str(finding))
            found += 1
        if found and not sealing.key_fits():
            self.stdout.write("Many entries in a row were not made with this AUDIT_KEY. Is it the right one?")
        if found:
            raise CommandError(f"The audit trail is not whole. Findings: {found}.")
        self.say("The audit trail is whole.")


def _exported(line: str | None) -> tuple[int, str] | None:
    """An empty line is an error: it is what is left of a file that somebody removed."""
    try:
        return None if line is None else sealing.read_exported(line)
    except ValueError:
        raise CommandError("--against takes a line that seal_audit --export printed.") from None
