from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0003_changerequest_kind_session"),
    ]

    operations = [
        migrations.CreateModel(
            name="Break",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("kind", models.CharField(max_length=20)),
                ("venue", models.PositiveSmallIntegerField()),
                ("instrument", models.PositiveIntegerField()),
                ("order_id", models.BigIntegerField()),
                ("sentence", models.CharField(max_length=300)),
                ("raised_at", models.DateTimeField()),
                ("sequence", models.BigIntegerField()),
                ("resolved_by", models.CharField(blank=True, max_length=150)),
                ("resolved_at", models.DateTimeField(null=True)),
                ("resolution", models.CharField(blank=True, max_length=300)),
                ("resolved_sequence", models.BigIntegerField(null=True)),
            ],
            options={"ordering": ["-sequence"]},
        ),
    ]
