"""manage.py seal_audit [--export]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import sealing
from accounts.management.base import AccountCommand


class Command(AccountCommand):
    help = "Chains the audit entries that are not sealed yet. Run it often: what is sealed cannot be removed unseen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--export", action="store_true", help="print the newest seal only, as a line to keep on another machine"
        )

    def run(self, *, export: bool, **options: Any) -> None:
        sealed = sealing.seal()
        if not export:
            self.say(f"Entries sealed: {sealed}.")
        elif line := sealing.export_newest():
            self.stdout.write(line)
        else:
            raise CommandError("There is no seal to export: nothing has been recorded yet.")
