"""manage.py prune_audit --keep-days N"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError

from accounts import sealing
from accounts.management.base import OPERATOR, AccountCommand


class Command(AccountCommand):
    help = "Deletes sealed audit entries older than N days. Their seals stay, so that the rest can be verified."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keep-days", type=int, required=True, metavar="N")

    def run(self, *, keep_days: int, **options: Any) -> None:
        if not 0 <= keep_days <= 36_500:
            raise CommandError("--keep-days must be from 0 to 36500.")
        deleted, kept = sealing.prune(keep=timedelta(days=keep_days), by=OPERATOR)
        self.say(f"Entries deleted: {deleted}.")
        if kept:
            numbers = ", ".join(map(str, kept))
            raise CommandError(f"Kept, because verify_audit has something to say of them: seals {numbers}.")
