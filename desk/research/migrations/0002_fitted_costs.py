from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("research", "0001_initial")]

    operations = [migrations.AddField("backtest", "fitted_costs", models.BooleanField(default=False))]
