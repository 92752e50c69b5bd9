"""Runs: one strategy with its parameters in one mode, from start to stop."""

from django.db import models

from desk.enumerations import choices_of
from engine.messages.codes import Mode


class Run(models.Model):
    """Opened by the engine's answer to a start; `definition` is the strategy as it was started."""

    strategy = models.ForeignKey("strategies.Strategy", on_delete=models.PROTECT, related_name="runs")
    mode = models.PositiveSmallIntegerField(choices=choices_of(Mode))
    definition = models.JSONField()
    strategy_version = models.PositiveIntegerField()
    engine_epoch = models.BigIntegerField()
    started_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    started_sequence = models.BigIntegerField()
    stopped_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    stopped_at = models.DateTimeField(null=True)
    stopped_sequence = models.BigIntegerField(null=True)
    ending = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.strategy}"
