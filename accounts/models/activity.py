"""What was counted of each day that is over, so that the audit trail is counted through once only."""

from django.db import models


class DailyCount(models.Model):
    """Of a day in UTC. Written once, by whoever asks first after it; pruning the trail leaves it."""

    day = models.DateField(primary_key=True)
    sign_ins = models.PositiveBigIntegerField()
    failures = models.PositiveBigIntegerField()
    new_accounts = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.day}"
