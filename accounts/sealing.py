"""Sealing, verifying and pruning the audit trail; docs/audit.md says what that proves."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TypeVar

from django.db import IntegrityError, models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Action, Actor, AuditEntry, AuditSeal
from accounts.transactions import once

BATCH = 1000
# Each lost race means that another sealer went on, so more than these are none.
LOST_RACES = 100
# What comes of reading a value that somebody put there: SQLite keeps anything in any column.
UNREADABLE = (ValueError, TypeError, OverflowError)
Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Finding:
    """What is wrong with the trail: `what` happened to which entry or seal."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}"


# --- sealing


def seal(batch: int = BATCH) -> int:
    """Chains the entries that are not sealed yet, in batches; says how many. Several sealers may run at once."""
    sealed = lost = 0
    while True:
        try:
            number = _seal_batch(batch)
        except IntegrityError:
            # Another sealer took the next number first; what it left is for the next try.
            if (lost := lost + 1) > LOST_RACES:
                raise
            continue
        sealed += number
        if number < batch:
            return sealed


@once
def _seal_batch(batch: int) -> int:
    # The seal is read before the entries: whoever seals some of them in between also takes the next number,
    # and this transaction fails. The other way round it could list entries that are in somebody else's seal.
    newest = AuditSeal.objects.order_by("number").last()
    entries = list(AuditEntry.objects.filter(seal=None).order_by("id").only("id", "at", "mac")[:batch])
    if not entries:
        return 0
    made = _new_seal(entries, newest)
    made.save(force_insert=True)
    AuditEntry.objects.filter(id__in=[entry.id for entry in entries], seal=None).update(seal=made)
    return len(entries)


def _new_seal(entries: list[AuditEntry], newest: AuditSeal | None) -> AuditSeal:
    manifest = "\n".join(f"{entry.id} {entry.mac}" for entry in entries)
    made = AuditSeal(
        number=newest.number + 1 if newest else 1,
        sealed_at=timezone.now(),
        newest_entry_at=max(entry.at for entry in entries),
        manifest=manifest,
        manifest_digest=_digest(manifest),
        previous_mac=newest.mac if newest else "",
    )
    made.mac = made.expected_mac()
    return made


def _digest(manifest: str) -> str:
    return sha256(manifest.encode()).hexdigest()


def sealed_within(age: timedelta) -> bool:
    """Whether the newest seal is younger than `age`. One from the future is not: it would stop the sealers."""
    now = timezone.now()
    return AuditSeal.objects.filter(sealed_at__gt=now - age, sealed_at__lte=now).exists()


def export_newest() -> str:
    """The newest seal in one line, to be kept elsewhere: against it a cut tail shows. '' where there is none."""
    newest = AuditSeal.objects.order_by("number").last()
    return json.dumps({"seal": newest.number, "mac": newest.mac}) if newest else ""


def read_exported(line: str) -> tuple[int, str]:
    """The number and the MAC of the seal in a line that `export_newest` gave. Raises ValueError for another."""
    try:
        said = json.loads(line)
        number, mac = said["seal"], said["mac"]
    except (KeyError, TypeError):
        raise ValueError(line) from None
    if not isinstance(number, int) or number < 1 or not isinstance(mac, str):
        raise ValueError(line)
    return number, mac


# --- verifying


def verify(exported: tuple[int, str] | None = None) -> Iterator[Finding]:
    """All that is wrong with the trail; nothing, if it is whole. `exported` is a seal that was kept elsewhere.

    Entries may be written, sealed and pruned meanwhile.
    """
    try:
        yield from _verify_seals(*(exported or (0, "")))
        yield from _verify_loose_entries()
    except UNREADABLE as error:
        yield Finding("garbled", f"a value that cannot be read, so the search ends here ({error})")


def key_fits() -> bool:
    """False if all of the oldest entries, or all of the newest, look edited: then rather the key is another."""
    ends = (AuditEntry.objects.order_by(order)[:20] for order in ("at", "-at"))
    try:
        return all(not entries or any(entry.is_whole() for entry in entries) for entries in ends)
    except UNREADABLE:
        return True


def _verify_seals(kept_number: int, kept_mac: str) -> Iterator[Finding]:
    number, mac = 0, ""
    for made in _paged(AuditSeal.objects.all(), "number", size=20):
        if made.number > number + 1:
            yield _removed_seals(number + 1, made.number - 1)
        if not made.is_whole() or (made.number == number + 1 and made.previous_mac != mac):
            yield Finding("edited", f"seal {made.number}")
        if made.number == kept_number and made.mac != kept_mac:
            yield Finding("replaced", f"seal {made.number}")
        yield from _verify_entries_of(made)
        number, mac = made.number, made.mac
    if kept_number > number:
        yield _removed_seals(number + 1, kept_number)


def _removed_seals(first: int, last: int) -> Finding:
    return Finding("removed", f"seal {first}" if first == last else f"seals {first} to {last}")


def _verify_entries_of(made: AuditSeal) -> list[Finding]:
    findings = list(_compare(made))
    if findings and made.pruned_at is None:
        # It may have been pruned since it was read.
        findings = list(_compare(AuditSeal.objects.filter(number=made.number).first() or made))
    return findings


def _compare(made: AuditSeal) -> Iterator[Finding]:
    """What is wrong with the entries of a seal: they should be those that its manifest lists, as they were."""
    found = {str(entry.id): entry for entry in made.entries.all()}
    if made.pruned_at:
        if made.pruned_mac == made.expected_pruned_mac():
            yield from (Finding("inserted", f"entry {id_}, in the pruned seal {made.number}") for id_ in found)
            return
        yield Finding("marked as pruned without the key", f"seal {made.number}")
    listed = dict(line.partition(" ")[::2] for line in made.manifest.splitlines())
    if _digest(made.manifest) != made.manifest_digest:
        yield Finding("edited", f"manifest of seal {made.number}")
        listed = {id_: entry.mac for id_, entry in found.items()}
    yield from _missing(made, [id_ for id_ in listed if id_ not in found])
    for id_, entry in found.items():
        if not entry.is_whole():
            yield Finding("edited" if id_ in listed else "inserted", f"entry {id_}")
        elif listed.get(id_) != entry.mac:
            yield Finding("edited with the key" if id_ in listed else "moved", f"entry {id_}, in seal {made.number}")


def _missing(made: AuditSeal, ids: list[str]) -> Iterator[Finding]:
    elsewhere = {str(id_) for id_ in AuditEntry.objects.filter(id__in=ids).values_list("id", flat=True)}
    for id_ in ids:
        yield Finding("moved" if id_ in elsewhere else "removed", f"entry {id_}, out of seal {made.number}")


def _verify_loose_entries() -> Iterator[Finding]:
    """Those that are not sealed yet; with them those whose seal is gone, which nothing else would look at."""
    without_seal = AuditEntry.objects.filter(~Exists(AuditSeal.objects.filter(number=OuterRef("seal_id"))))
    for entry in _paged(without_seal, "id", size=BATCH):
        if not entry.is_whole():
            yield Finding("edited or inserted", f"entry {entry.id}")
        elif entry.seal_id is not None:
            yield Finding("left without its seal", f"entry {entry.id}, of seal {entry.seal_id}")


def _paged(rows: models.QuerySet[Row], key: str, *, size: int) -> Iterator[Row]:
    """The rows in the order of `key`. Not by iterator(), for which MariaDB's client reads them all into memory."""
    page = list(rows.order_by(key)[:size])
    while page:
        yield from page
        page = list(rows.filter(**{f"{key}__gt": getattr(page[-1], key)}).order_by(key)[:size])


# --- pruning


def prune(*, keep: timedelta, by: Actor) -> tuple[int, list[int]]:
    """Deletes entries older than `keep`, seal by seal. Says how many, and which seals it kept because they are not
    whole: what proves an edit is not deleted.

    The seals stay, and say that they were emptied by who holds the key. An entry that is not sealed, or shares its
    seal with a younger one, is kept. That there was a pruning is recorded before the first entry goes.
    """
    before = timezone.now() - keep
    numbers = AuditSeal.objects.filter(pruned_at=None, newest_entry_at__lt=before).values_list("number", flat=True)
    chosen = list(numbers.order_by("number"))
    if chosen:
        AuditEntry.objects.record(Action.AUDIT_PRUNED, by=by, before=before.isoformat(), seals=len(chosen))
    deleted = {number: _prune_seal(number) for number in chosen}
    return sum(filter(None, deleted.values())), [number for number, count in deleted.items() if count is None]


@once
def _prune_seal(number: int) -> int | None:
    """How many entries went; None if the seal is not whole."""
    made = AuditSeal.objects.select_for_update().get(number=number)
    if not made.is_whole() or list(_compare(made)):
        return None
    if made.pruned_at:
        return 0
    made.pruned_at, made.manifest = timezone.now(), ""
    made.pruned_mac = made.expected_pruned_mac()
    made.save(update_fields=["pruned_at", "pruned_mac", "manifest"])
    return AuditEntry.objects.filter(seal=made).delete()[0]
