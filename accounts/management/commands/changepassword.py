"""manage.py changepassword NAME: Django's name for set_password; Django's own would leave the sessions open."""

from accounts.management.commands.set_password import Command

__all__ = ["Command"]
