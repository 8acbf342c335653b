"""The commands of the djoser project: `python manage.py migrate` before the first start."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peer.settings")
    execute_from_command_line(sys.argv)
