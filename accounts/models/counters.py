"""What has been tried how often, where no Redis counts it (see accounts/counters.py)."""

from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID, uuid4

from django.db import models, transaction

from accounts.models.compiled import Insert, Param, Select, Update


class CounterRow(NamedTuple):
    """A row as it was read. The fields are those of Counter."""

    key: str
    level: float
    at: datetime
    ready_at: datetime
    familiar_until: datetime | None
    version: UUID


class CounterManager(models.Manager["Counter"]):
    def look(self, keys: list[str]) -> list[CounterRow]:
        """Of up to three keys."""
        if len(keys) == 1:
            rows = _FOUND.rows(key=keys[0])
        else:
            first, second, third = [*keys, "", ""][:3]
            rows = _LOOKED_AT.rows(first=first, second=second, third=third)
        return [CounterRow(*row) for row in rows]

    def put(self, key: str, tally: dict[str, Any]) -> bool:
        """Whatever is kept under the key, replaces it; False if there is nothing."""
        return bool(_PUT.execute(key=key, new_version=uuid4(), **tally))

    def swap(self, key: str, tally: dict[str, Any], version: UUID | None) -> bool:
        """Replaces that version; False if it is another by now. None is for a new key, and raises IntegrityError if
        that is there by now."""
        if version is None:
            with transaction.atomic():
                _NEW.add(Counter(key=key, version=uuid4(), **tally))
            return True
        return bool(_SWAP.execute(key=key, version=version, new_version=uuid4(), **tally))


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

    objects: ClassVar[CounterManager] = CounterManager()

    def __str__(self) -> str:
        return self.key


_TALLY = ("level", "at", "ready_at", "familiar_until", "expires_at")
_KEY, _VERSION = Param("key", models.CharField()), Param("version", models.UUIDField())
_CHANGES = {field.name: Param(field.name, field) for field in Counter._meta.concrete_fields if field.name in _TALLY}
_CHANGES["version"] = Param("new_version", models.UUIDField())

_FOUND = Select(lambda: Counter.objects.filter(key=_KEY).values_list(*CounterRow._fields))
_LOOKED_AT = Select(
    lambda: Counter.objects.filter(
        models.Q(key=Param("first", models.CharField()))
        | models.Q(key=Param("second", models.CharField()))
        | models.Q(key=Param("third", models.CharField()))
    ).values_list(*CounterRow._fields)
)
_PUT = Update(lambda: Counter.objects.filter(key=_KEY), **_CHANGES)
_SWAP = Update(lambda: Counter.objects.filter(key=_KEY, version=_VERSION), **_CHANGES)
_NEW = Insert(Counter)
