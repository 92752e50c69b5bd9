from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("blotter", "0003_status_denials"),
    ]

    operations = [
        migrations.CreateModel(
            name="OrderLatency",
            fields=[
                ("sequence", models.BigIntegerField(primary_key=True, serialize=False)),
                ("order_id", models.BigIntegerField(db_index=True)),
                ("received_ns", models.BigIntegerField()),
                ("decided_ns", models.BigIntegerField()),
                ("journaled_ns", models.BigIntegerField()),
                ("sent_ns", models.BigIntegerField(null=True)),
                (
                    "action",
                    models.PositiveSmallIntegerField(choices=[(1, "enter"), (2, "replace"), (3, "cancel")]),
                ),
                (
                    "cause",
                    models.PositiveSmallIntegerField(choices=[(1, "packet"), (2, "answer"), (3, "command")]),
                ),
            ],
            options={
                "verbose_name_plural": "order latencies",
                "ordering": ["sequence"],
            },
        ),
    ]
