"""The groups that stand for the roles, with the ids 1 to 3."""

from django.db import migrations


def make_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects
    for number, name in enumerate(("user", "moderator", "admin"), start=1):
        groups.get_or_create(id=number, name=name)


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
