"""Migrations are applied while the version before them serves (docs/deployment.md): what takes away what it uses, or
asks of it what it does not know, is listed here with the reason."""

from collections.abc import Iterator

import pytest
from django.db import connection, migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

UNRELEASED = "before the first release, where nobody had a version before"
LISTED = {
    "0002_accountable": {"AddField rolegrant.reason: required, and the database has no default": UNRELEASED},
    "0003_sessions_version": {
        "AddField session.sessions_version: required, and the database has no default": UNRELEASED,
        "AddField user.sessions_version: required, and the database has no default": UNRELEASED,
    },
}
# What adds, or changes nothing that the version before would notice; AddField and AlterField are looked into.
HARMLESS = (
    migrations.CreateModel,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.RemoveConstraint,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
)
LOADER = MigrationLoader(None)
OURS = sorted(name for app, name in LOADER.disk_migrations if app == "accounts")


def objections(migration: Migration) -> Iterator[str]:
    """What the version before the migration cannot live with."""
    state = LOADER.project_state(migration.dependencies)
    created = set()
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards("accounts", state)
        if isinstance(operation, migrations.CreateModel):
            created.add(operation.name.lower())
        model = getattr(operation, "model_name", "").lower()
        if model not in created and (why := objection(operation, before, state)):
            target = ".".join(filter(None, (model, getattr(operation, "name", ""))))
            yield f"{type(operation).__name__} {target}: {why}"


def objection(operation: Operation, before: ProjectState, after: ProjectState) -> str:
    if isinstance(operation, migrations.AddField):
        return objection_to_new(operation.field)
    if isinstance(operation, migrations.AlterField):
        old, new = (field_of(operation, state) for state in (before, after))
        if old.db_type(connection) != new.db_type(connection):
            return "another type"
        return "required" if old.null and not new.null else ""
    return "" if isinstance(operation, HARMLESS) else "the version before may need what it changes"


def objection_to_new(field: models.Field) -> str:
    """The version before inserts rows without naming it."""
    optional = field.null or field.has_db_default() or field.generated or field.many_to_many
    return "" if optional else "required, and the database has no default"


def field_of(operation: migrations.AlterField, state: ProjectState) -> models.Field:
    return state.apps.get_model("accounts", operation.model_name)._meta.get_field(operation.name)


@pytest.mark.parametrize("name", OURS)
def test_the_version_before_can_live_with_the_migration(name: str) -> None:
    migration = LOADER.disk_migrations["accounts", name]
    assert set(objections(migration)) == set(LISTED.get(name, {}))


@pytest.mark.parametrize(
    ("operation", "objected"),
    [
        (migrations.AddField("role", "colour", models.CharField(max_length=9, default="")), True),
        (migrations.AddField("role", "colour", models.CharField(max_length=9, default="", db_default="")), False),
        (migrations.AddField("role", "colour", models.CharField(max_length=9, null=True)), False),
        (migrations.AlterField("role", "description", models.CharField(max_length=9)), True),
        (migrations.AlterField("session", "revoked_at", models.DateTimeField()), True),
        (migrations.AlterField("role", "description", models.CharField(max_length=255, help_text="What for.")), False),
        (migrations.RemoveField("role", "description"), True),
        (migrations.RenameField("role", "description", "purpose"), True),
        (migrations.AddConstraint("role", models.UniqueConstraint(fields=["description"], name="one")), True),
        (migrations.RunSQL("DELETE FROM accounts_role"), True),
        (migrations.DeleteModel("counter"), True),
        (migrations.AddIndex("role", models.Index(fields=["description"], name="by_description")), False),
    ],
    ids=lambda value: f"{type(value).__name__}_{getattr(value, 'name', '')}" if isinstance(value, Operation) else "",
)
def test_what_takes_away_or_demands_is_objected_to(operation: Operation, objected: bool) -> None:
    migration = Migration("9999_made_up", "accounts")
    migration.dependencies = [("accounts", OURS[-1])]
    migration.operations = [operation]
    assert bool(list(objections(migration))) is objected
