from django.apps import AppConfig


class BlotterConfig(AppConfig):
    name = "desk.blotter"
    label = "blotter"
    default_auto_field = "django.db.models.BigAutoField"
