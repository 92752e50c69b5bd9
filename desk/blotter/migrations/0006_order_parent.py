from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("blotter", "0005_more_actions_and_reports")]

    operations = [
        migrations.RemoveField("order", "venue_reference"),
        migrations.AddField("order", "parent_id", models.BigIntegerField(db_index=True, null=True)),
    ]
