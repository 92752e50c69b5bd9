from django.db import migrations, models

KINDS = [
    (1, "accepted"),
    (2, "replaced"),
    (3, "canceled"),
    (4, "executed"),
    (5, "rejected"),
    (6, "cancel rejected"),
    (7, "cancel pending"),
    (8, "expired"),
    (9, "not sent"),
    (10, "broken"),
    (11, "modified"),
    (12, "restated"),
    (13, "priority updated"),
    (14, "resent"),
]


class Migration(migrations.Migration):
    dependencies = [("blotter", "0015_good_till")]

    operations = [
        migrations.AlterField("orderevent", "kind", models.PositiveSmallIntegerField(choices=KINDS, null=True))
    ]
