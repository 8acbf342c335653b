"""What has been tried how often, where no Redis counts it (see accounts/counters.py)."""

from django.db import models


class Counter(models.Model):
    """A tally of accounts/rates.py. Rows whose time has passed are swept out by those who write others."""

    key = models.CharField(max_length=64, primary_key=True)
    level = models.FloatField()
    at = models.DateTimeField()
    ready_at = models.DateTimeField()
    familiar_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)
    # What the compare-and-swap compares.
    version = models.UUIDField()

    def __str__(self) -> str:
        return self.key
