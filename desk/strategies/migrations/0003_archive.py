from collections import defaultdict

from django.db import migrations, models
from django.db.models.functions import Lower


def tell_apart(apps, schema_editor):
    """Names that differed only in case get a number behind them, the oldest keeps its own."""
    strategies = apps.get_model("strategies", "Strategy").objects
    taken = {name.lower() for name in strategies.values_list("name", flat=True)}
    same = defaultdict(list)
    for row in strategies.order_by("pk"):
        same[row.name.lower()].append(row)
    for rows in same.values():
        for row in rows[1:]:
            number = 2
            while f"{row.name[:55]} ({number})".lower() in taken:
                number += 1
            row.name = f"{row.name[:55]} ({number})"
            taken.add(row.name.lower())
            row.save(update_fields=["name"])


class Migration(migrations.Migration):
    dependencies = [
        ("strategies", "0002_strategy_start_command"),
    ]

    operations = [
        migrations.AddField(
            model_name="strategy",
            name="archived_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(tell_apart, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="strategy",
            name="name",
            field=models.CharField(max_length=60),
        ),
        migrations.AddConstraint(
            model_name="strategy",
            constraint=models.UniqueConstraint(Lower("name"), name="strategy_name_once"),
        ),
    ]
