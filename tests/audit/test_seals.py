"""Entries are sealed, and what was edited, removed or inserted afterwards is found."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import sealing
from accounts.models import Action, Actor, AuditEntry, AuditSeal
from tests.audit.trail import OPERATOR, copy, entries_of, exported, findings, record, run


def test_a_trail_that_nobody_touched_is_whole(sealed: list[AuditEntry]) -> None:
    assert findings() == []


def test_an_empty_trail_is_whole() -> None:
    assert findings() == []


def test_entries_are_sealed_in_batches(sealed: list[AuditEntry]) -> None:
    assert [len(entries_of(number)) for number in (1, 2, 3)] == [2, 2, 2]


def test_sealing_says_how_many_entries_it_sealed(sealed: list[AuditEntry]) -> None:
    assert (sealing.seal(), sealing.seal()) == (1, 0)


def test_an_entry_that_was_committed_late_comes_into_a_later_seal(sealed: list[AuditEntry]) -> None:
    late = record(Action.SIGNED_IN, by=OPERATOR)
    AuditEntry.objects.filter(pk=late.pk).update(id="00000000-0000-7000-8000-000000000000")
    late = AuditEntry.objects.get(id="00000000-0000-7000-8000-000000000000")
    AuditEntry.objects.filter(pk=late.pk).update(mac=late.expected_mac())
    sealing.seal()
    assert {entry.pk for entry in entries_of(4)} == {late.pk, sealed[6].pk}
    assert findings() == []


def test_a_sealer_that_lost_a_race_goes_on_after_the_winner(monkeypatch: pytest.MonkeyPatch) -> None:
    record(Action.SIGNED_IN, by=OPERATOR)
    new_seal = sealing._new_seal

    def beaten(entries: list[AuditEntry], newest: AuditSeal | None) -> AuditSeal:
        monkeypatch.setattr(sealing, "_new_seal", new_seal)
        made = new_seal(entries, newest)
        AuditSeal.objects.create(**{field.attname: getattr(made, field.attname) for field in made._meta.fields})
        return made

    monkeypatch.setattr(sealing, "_new_seal", beaten)
    assert sealing.seal() == 1
    assert findings() == []


def test_writers_sealers_pruners_and_verifiers_do_not_harm_each_other(committed: None) -> None:
    def write(number: int) -> None:
        for _ in range(25):
            record(Action.SIGNED_IN, by=Actor(user_id=number))

    def work(number: int) -> list[str]:
        try:
            write(number)
            sealing.seal(batch=3)
            sealing.prune(keep=timedelta(0), by=OPERATOR)
            return findings()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(18))) == [[]] * 18


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "signed_out"),
        ("actor_id", 99),
        ("actor_id", None),
        ("subject_id", 99),
        ("via", "admin"),
        ("address", "192.0.2.9"),
        ("user_agent", " "),
        ("detail", "{}"),
        ("at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("mac", "é" * 64),
    ],
)
def test_an_edited_entry_is_named(sealed: list[AuditEntry], field: str, value: object) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).update(**{field: value})
    assert findings() == [f"edited: entry {sealed[2].pk}"]


def test_an_edited_entry_is_named_before_it_is_sealed_too(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[6].pk).update(subject_id=99)
    assert findings() == [f"edited or inserted: entry {sealed[6].pk}"]


def test_sealing_an_edited_entry_does_not_cleanse_it(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[6].pk).update(subject_id=99)
    sealing.seal()
    assert findings() == [f"edited: entry {sealed[6].pk}"]


def test_a_removed_entry_is_named(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).delete()
    assert findings() == [f"removed: entry {sealed[2].pk}, out of seal 2"]


def test_an_entry_copied_under_another_id_is_named(sealed: list[AuditEntry]) -> None:
    inserted = copy(sealed[2])
    assert findings() == [f"inserted: entry {inserted.pk}"]


def test_an_entry_inserted_where_nothing_is_sealed_is_named(sealed: list[AuditEntry]) -> None:
    inserted = copy(sealed[2], seal_id=None)
    assert findings() == [f"edited or inserted: entry {inserted.pk}"]


def test_an_entry_moved_to_another_seal_is_named(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).update(seal_id=3)
    moved = f"moved: entry {sealed[2].pk}"
    assert findings() == [f"{moved}, out of seal 2", f"{moved}, in seal 3"]


def test_an_entry_taken_out_of_its_seal_is_named(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).update(seal_id=None)
    assert findings() == [f"moved: entry {sealed[2].pk}, out of seal 2"]


def test_an_entry_taken_out_of_its_seal_is_named_after_it_was_sealed_again(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=sealed[2].pk).update(seal_id=None)
    sealing.seal()
    assert findings() == [f"moved: entry {sealed[2].pk}, out of seal 2"]


def test_an_entry_rewritten_with_the_key_is_named_as_its_seal_knows_it(sealed: list[AuditEntry]) -> None:
    entry = sealed[2]
    entry.subject_id = 99
    AuditEntry.objects.filter(pk=entry.pk).update(subject_id=99, mac=entry.expected_mac())
    assert findings() == [f"edited with the key: entry {entry.pk}, in seal 2"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_seal_removed_with_its_entries_is_named(sealed: list[AuditEntry], number: int) -> None:
    AuditEntry.objects.filter(seal_id=number).delete()
    AuditSeal.objects.filter(number=number).delete()
    assert findings() == [f"removed: seal {number}"]


def test_seals_removed_one_after_the_other_are_named_together(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(seal_id__lt=3).delete()
    AuditSeal.objects.filter(number__lt=3).delete()
    assert findings() == ["removed: seals 1 to 2"]


def test_entries_whose_seal_is_gone_are_named(sealed: list[AuditEntry]) -> None:
    with connection.constraint_checks_disabled():
        AuditSeal.objects.filter(number=3)._raw_delete("default")
        found = findings()
        # SQLite looks at the test's end whether all seals are there.
        AuditEntry.objects.filter(seal_id=3).update(seal_id=None)
    assert found == [f"left without its seal: entry {entry.pk}, of seal 3" for entry in sealed[4:6]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sealed_at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("newest_entry_at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("manifest_digest", "0" * 64),
        ("previous_mac", "0" * 64),
        ("mac", "0" * 64),
    ],
)
def test_an_edited_seal_is_named(sealed: list[AuditEntry], field: str, value: object) -> None:
    AuditSeal.objects.filter(number=2).update(**{field: value})
    assert "edited: seal 2" in findings()


@pytest.mark.parametrize("manifest", ["", "nonsense", "x y z\n\n"])
def test_an_edited_manifest_is_named(sealed: list[AuditEntry], manifest: str) -> None:
    AuditSeal.objects.filter(number=2).update(manifest=manifest)
    assert findings() == ["edited: manifest of seal 2"]


def test_seals_that_changed_places_are_named(sealed: list[AuditEntry]) -> None:
    AuditEntry.objects.all().update(seal_id=None)
    for number, other in ((1, 9), (2, 1), (9, 2)):
        AuditSeal.objects.filter(number=number).update(number=other)
    assert {"edited: seal 1", "edited: seal 2"} <= set(findings())


def test_a_seal_copied_under_the_next_number_is_named(sealed: list[AuditEntry]) -> None:
    newest = AuditSeal.objects.get(number=3)
    newest.number = 4
    newest.save(force_insert=True)
    assert findings()[0] == "edited: seal 4"


def test_a_cut_tail_shows_against_an_exported_seal(sealed: list[AuditEntry]) -> None:
    kept = exported()
    AuditEntry.objects.filter(seal_id__gte=2).delete()
    AuditSeal.objects.filter(number__gte=2).delete()
    assert (findings(), findings(kept)) == ([], ["removed: seals 2 to 3"])


def test_a_tail_that_grew_again_shows_against_an_exported_seal(sealed: list[AuditEntry]) -> None:
    kept = exported()
    AuditEntry.objects.filter(seal_id=3).delete()
    AuditSeal.objects.filter(number=3).delete()
    sealing.seal()
    assert (findings(), findings(kept)) == ([], ["replaced: seal 3"])


def test_a_trail_that_only_grew_is_whole_against_an_exported_seal(sealed: list[AuditEntry]) -> None:
    kept = exported()
    sealing.seal()
    assert findings(kept) == []


def test_verifying_asks_no_more_often_for_more_entries(sealed: list[AuditEntry]) -> None:
    with CaptureQueriesContext(connection) as few:
        findings()
    for _ in range(20):
        record(Action.SIGNED_IN, by=OPERATOR)
    with CaptureQueriesContext(connection) as more:
        findings()
    assert len(more) == len(few)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="MariaDB refuses what does not fit the column")
@pytest.mark.parametrize("statement", ["at = 'never'", "at = '2026-99-99'", "id = 'x'", "user_agent = x'00'"])
def test_values_that_cannot_be_read_are_found_too(sealed: list[AuditEntry], statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_auditentry SET {statement} WHERE action = 'signed_out'")
    with pytest.raises(CommandError, match="Findings: 1"):
        run("verify_audit")
