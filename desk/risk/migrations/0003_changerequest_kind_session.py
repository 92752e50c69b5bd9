from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0002_killstate_rearmed_sequence_killstate_sequence"),
    ]

    operations = [
        migrations.AlterField(
            model_name="changerequest",
            name="kind",
            field=models.CharField(
                choices=[("limits", "limits"), ("rearm", "re-arm"), ("session", "sequence numbers")],
                default="limits",
                max_length=8,
            ),
        ),
    ]
