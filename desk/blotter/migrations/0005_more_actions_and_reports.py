from django.db import migrations, models

ACTIONS = [
    (1, "enter"),
    (2, "replace"),
    (3, "cancel"),
    (4, "modify"),
    (5, "mass cancel"),
    (6, "disable entry"),
    (7, "enable entry"),
]
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
]


class Migration(migrations.Migration):
    dependencies = [("blotter", "0004_orderlatency")]

    operations = [
        migrations.AlterField("orderlatency", "action", models.PositiveSmallIntegerField(choices=ACTIONS)),
        migrations.AlterField("denial", "action", models.PositiveSmallIntegerField(choices=ACTIONS)),
        migrations.AlterField("orderevent", "action", models.PositiveSmallIntegerField(choices=ACTIONS, null=True)),
        migrations.AlterField("orderevent", "kind", models.PositiveSmallIntegerField(choices=KINDS, null=True)),
    ]
