"""manage.py routes"""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.routes import routes


class Command(BaseCommand):
    help = "Prints every route, with its methods and who may call it."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [(", ".join(route.methods), route.path, route.who) for route in routes()]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for methods, path, who in rows:
            self.stdout.write(f"{methods:{widths[0]}}  {path:{widths[1]}}  {who}")
