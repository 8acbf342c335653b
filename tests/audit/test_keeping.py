"""Old entries are pruned, and operators have commands for all of it."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from accounts import sealing
from accounts.models import Action, AuditEntry, AuditSeal
from tests.audit.trail import OPERATOR, copy, detail, entries_of, exported, findings, record, run

# --- pruning


def prune() -> tuple[int, list[int]]:
    return sealing.prune(keep=timedelta(days=90), by=OPERATOR)


def test_old_entries_are_pruned_and_the_rest_is_whole(aged: list[AuditEntry]) -> None:
    assert prune() == (6, [])
    assert AuditSeal.objects.count() == 3
    assert findings() == []


def test_a_pruned_trail_goes_on(aged: list[AuditEntry]) -> None:
    prune()
    sealing.seal()
    assert findings(exported()) == []


def test_an_entry_that_is_not_sealed_is_not_pruned(aged: list[AuditEntry]) -> None:
    prune()
    assert AuditEntry.objects.filter(pk=aged[6].pk).exists()


def test_a_seal_with_one_entry_that_is_young_is_not_pruned(aged: list[AuditEntry]) -> None:
    record(Action.SIGNED_IN, by=OPERATOR)
    sealing.seal()
    prune()
    assert len(entries_of(4)) == 2


def test_a_pruning_is_recorded(aged: list[AuditEntry]) -> None:
    prune()
    assert detail(Action.AUDIT_PRUNED) == {"before": (timezone.now() - timedelta(days=90)).isoformat(), "seals": 3}


def test_a_pruning_of_nothing_is_not_recorded(sealed: list[AuditEntry]) -> None:
    prune()
    assert not AuditEntry.objects.filter(action=Action.AUDIT_PRUNED).exists()


def test_what_is_not_whole_is_not_pruned(aged: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=aged[2].pk).update(subject_id=99)
    assert prune() == (4, [2])
    assert findings() == [f"edited: entry {aged[2].pk}"]


def test_a_seal_marked_as_pruned_without_the_key_is_named(aged: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(seal_id=2).delete()
    AuditSeal.objects.filter(number=2).update(pruned_at=timezone.now(), pruned_mac="0" * 64, manifest="")
    assert findings()[0] == "marked as pruned without the key: seal 2"


def test_the_mark_of_one_pruned_seal_does_not_do_for_another(aged: list[AuditEntry]) -> None:
    AuditSeal.objects.filter(number__gt=1).update(newest_entry_at=F("newest_entry_at") + timedelta(days=365))
    prune()
    AuditSeal.objects.filter(number__gt=1).update(newest_entry_at=F("newest_entry_at") - timedelta(days=365))
    AuditEntry.objects.filter(seal_id=2).delete()
    mark = AuditSeal.objects.values("pruned_at", "pruned_mac").get(number=1)
    AuditSeal.objects.filter(number=2).update(**mark)
    assert findings()[0] == "marked as pruned without the key: seal 2"


def test_an_entry_in_a_pruned_seal_is_named(aged: list[AuditEntry]) -> None:
    prune()
    inserted = copy(aged[6], seal_id=2)
    assert findings() == [f"inserted: entry {inserted.pk}, in the pruned seal 2"]


# --- the commands


def test_seal_audit_says_how_many(sealed: list[AuditEntry]) -> None:
    assert run("seal_audit") == "Entries sealed: 1."


def test_seal_audit_exports_the_newest_seal_in_a_line_that_verify_audit_takes(sealed: list[AuditEntry]) -> None:
    line = run("seal_audit", "--export")
    assert json.loads(line) == {"seal": 4, "mac": AuditSeal.objects.get(number=4).mac}
    assert run("verify_audit", "--against", line) == "The audit trail is whole."


def test_there_is_nothing_to_export_of_an_empty_trail() -> None:
    with pytest.raises(CommandError, match="nothing has been recorded"):
        run("seal_audit", "--export")


@pytest.mark.parametrize("line", ["", "x", "[]", "{}", '{"seal": "1", "mac": ""}', '{"seal": 0, "mac": ""}'])
def test_verify_audit_refuses_a_line_that_is_no_exported_seal(line: str) -> None:
    with pytest.raises(CommandError, match="--against takes a line"):
        run("verify_audit", "--against", line)


@pytest.mark.parametrize("since_then", [0, 20])
def test_verify_audit_guesses_that_the_key_was_changed(settings: Settings, since_then: int) -> None:
    for key, number in (("one", 20), ("another", since_then)):
        settings.AUDIT_KEY = key
        for _ in range(number):
            record(Action.SIGNED_IN, by=OPERATOR)
    settings.AUDIT_KEY = "another"
    output = StringIO()
    with pytest.raises(CommandError, match="not whole"):
        call_command("verify_audit", stdout=output)
    assert "Is it the right one?" in output.getvalue()


def test_prune_audit_says_how_many(aged: list[AuditEntry]) -> None:
    assert run("prune_audit", "--keep-days", "90") == "Entries deleted: 6."


def test_prune_audit_fails_if_it_kept_what_is_not_whole(aged: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=aged[2].pk).delete()
    with pytest.raises(CommandError, match="seals 2"):
        run("prune_audit", "--keep-days", "90")
