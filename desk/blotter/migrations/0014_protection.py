from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("blotter", "0013_waiting"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="protection",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
