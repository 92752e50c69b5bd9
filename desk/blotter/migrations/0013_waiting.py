"""An order that waits for a person is called so everywhere."""

from typing import Any

from django.db import migrations, models


def rename(before: str, after: str) -> Any:
    """A function that gives rows of one outcome the other."""

    def work(apps: Any, _schema: Any) -> None:
        apps.get_model("blotter", "OrderEntry").objects.filter(outcome=before).update(outcome=after)

    return work


class Migration(migrations.Migration):
    dependencies = [
        ("blotter", "0012_times_in_force"),
    ]

    operations = [
        migrations.AlterField(
            model_name="orderentry",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("unknown", "unknown"),
                    ("sent", "sent"),
                    ("refused", "refused"),
                    ("waiting", "waits for a person"),
                    ("returned", "returned"),
                ],
                default="unknown",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="orderentry",
            name="raised_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="orderentry",
            name="raised_quantity",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="orderentry",
            index=models.Index(fields=["team", "-entered_at"], name="blotter_ord_team_id_d5f39c_idx"),
        ),
        migrations.RunPython(rename("held", "waiting"), rename("waiting", "held")),
    ]
