"""manage.py prune_sessions [--keep-days N]"""

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts import sessions
from accounts.management.base import AccountCommand

REPORTS_EVERY = 10  # seconds


class Command(AccountCommand):
    help = "Deletes sessions that ran out; run it daily. No token of theirs would be taken anyway."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--keep-days", type=int, default=30, metavar="N", help="keep what ran out in the last N days (default 30)"
        )

    def run(self, *, keep_days: int, **options: Any) -> None:
        if not 0 <= keep_days <= 36_500:
            raise CommandError("--keep-days must be from 0 to 36500.")
        deleted, said_at = 0, time.monotonic()
        for number in sessions.prune(before=timezone.now() - timedelta(days=keep_days)):
            deleted += number
            if time.monotonic() - said_at >= REPORTS_EVERY:
                self.stdout.write(f"Sessions deleted so far: {deleted}.")
                said_at = time.monotonic()
        self.say(f"Sessions deleted: {deleted}.")
