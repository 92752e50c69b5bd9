from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("markets", "0001_initial")]

    operations = [migrations.AddField("instrument", "hourly_volume", models.BigIntegerField(null=True))]
