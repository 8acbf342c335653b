"""Which rows of an old database came in already."""

from django.db import models


class ImportedUser(models.Model):
    """Stays when the account goes: else the next import would bring a deleted account back. It names nobody."""

    source = models.CharField(max_length=255, help_text="The old database, as host, port and name.")
    source_id = models.BigIntegerField(help_text="The account's id there.")
    user_id = models.BigIntegerField(help_text="And here.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="each_old_row_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}: {self.user_id}"
