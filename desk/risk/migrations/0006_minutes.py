"""A rule counts what the team sent before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0005_second_person"),
    ]

    operations = [
        migrations.AddField(
            model_name="secondpersonrule",
            name="minutes",
            field=models.PositiveIntegerField(default=1440, null=True),
        ),
    ]
