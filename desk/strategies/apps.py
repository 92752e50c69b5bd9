from django.apps import AppConfig


class StrategiesConfig(AppConfig):
    name = "desk.strategies"
    label = "strategies"
    default_auto_field = "django.db.models.BigAutoField"
