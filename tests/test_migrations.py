"""Migrations are applied while the version before them serves (docs/deployment.md): what takes away what it uses, asks
of it what it does not know, or makes it wait, is listed here with the reason."""

from collections.abc import Iterator

import pytest
from django.db import connection, migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import CASCADE

UNRELEASED = "before the first release, where nobody had a version before"
REQUIRED = "required, and the database has no default"
# Nobody can write to the table, nor to the one it refers to, while the database copies it; that takes seconds for each
# million rows.
COPIED = "the table is copied"
LISTED = {
    "0002_accountable": {
        f"AddField rolegrant.reason: {REQUIRED}": UNRELEASED,
        f"AddField rolegrant.granted_by: {COPIED}": UNRELEASED,
    },
    "0003_sessions_version": {
        f"AddField session.sessions_version: {REQUIRED}": UNRELEASED,
        f"AddField user.sessions_version: {REQUIRED}": UNRELEASED,
    },
    "0004_bcrypt_cost": {f"AddField user.bcrypt_cost: {COPIED}": UNRELEASED},
    "0007_indexes": {f"AlterField session.user: {COPIED}": UNRELEASED},
    "0009_growth": {f"AlterField rolegrant.role: {COPIED}": UNRELEASED},
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
        return objection_to_changed(field_of(operation, before), field_of(operation, after))
    return "" if isinstance(operation, HARMLESS) else "the version before may need what it changes"


def objection_to_new(field: models.Field) -> str:
    """The version before inserts rows without naming it."""
    if field.generated or getattr(field, "db_constraint", False):
        return COPIED
    optional = field.null or field.has_db_default() or field.many_to_many
    return "" if optional else REQUIRED


def objection_to_changed(old: models.Field, new: models.Field) -> str:
    if old.db_type(connection) != new.db_type(connection):
        return "another type"
    if old.null and not new.null:
        return REQUIRED
    # Django makes the foreign key anew, and the database checks each row.
    anew = any(getattr(old, said, None) != getattr(new, said, None) for said in ("db_index", "db_constraint"))
    return COPIED if anew and getattr(new, "db_constraint", False) and not new.many_to_many else ""


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
        (migrations.AddField("counter", "role", models.ForeignKey("accounts.role", CASCADE, null=True)), True),
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
    made_up = {"dependencies": [("accounts", OURS[-1])], "operations": [operation]}
    migration = type("MadeUp", (Migration,), made_up)("9999_made_up", "accounts")
    assert bool(list(objections(migration))) is objected
