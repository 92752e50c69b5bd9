from django.db import migrations, models


def weak(target):
    return models.ForeignKey(
        db_constraint=False, null=True, on_delete=models.deletion.DO_NOTHING, related_name="+", to=target
    )


class Migration(migrations.Migration):
    dependencies = [
        ("blotter", "0006_order_parent"),
        ("accounts", "__first__"),
        ("markets", "__first__"),
        ("strategies", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Parent",
            fields=[
                ("parent_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField(unique=True)),
                ("last_sequence", models.BigIntegerField()),
                ("kind", models.PositiveIntegerField()),
                ("side", models.PositiveSmallIntegerField(choices=[(1, "buy"), (2, "sell")])),
                ("price", models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ("quantity", models.BigIntegerField()),
                ("venues", models.PositiveSmallIntegerField()),
                ("start_ns", models.BigIntegerField()),
                ("end_ns", models.BigIntegerField()),
                (
                    "state",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (1, "working"),
                            (2, "canceling"),
                            (3, "expiring"),
                            (4, "done"),
                            (5, "canceled"),
                            (6, "expired"),
                        ]
                    ),
                ),
                ("limits_version", models.BigIntegerField()),
                ("time_ns", models.BigIntegerField()),
                ("ended_ns", models.BigIntegerField(null=True)),
                ("instrument", weak("markets.instrument")),
                ("strategy", weak("strategies.strategy")),
                ("team", weak("accounts.team")),
                ("trader", weak("accounts.user")),
            ],
            options={"ordering": ["-sequence"], "verbose_name": "parent order"},
        ),
        migrations.AddIndex("parent", models.Index(fields=["team", "-sequence"], name="blotter_par_team_id_seq_idx")),
        migrations.AddField("orderentry", "parent_id", models.BigIntegerField(null=True, db_index=True)),
    ]
