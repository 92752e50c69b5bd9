"""Strategies: what people defined; the engine holds the running instances."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from desk.enumerations import choices_of
from engine.messages.codes import StrategyState

STOPPED = StrategyState.STOPPED.value


class Strategy(models.Model):
    """One instance of a kind of the engine's catalogue; the primary key is the engine's strategy number.

    `instruments` in the order that the kind names them. `desired_state` is what people want, `reported_state` what the
    journal last said (`reported_sequence`). `version` moves with every change of the definition. `start_command` is the
    id of a start whose answer was lost: the next start asks again with it. An archived one is only history: it is off
    the lists and does not start. Names that differ only in case are the same name.
    """

    name = models.CharField(max_length=60)
    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, related_name="strategies")
    owner = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="strategies")
    kind = models.CharField(max_length=40)
    kind_hash = models.CharField(max_length=64)
    venue = models.ForeignKey("markets.Venue", on_delete=models.PROTECT, related_name="strategies")
    instruments = ArrayField(models.PositiveIntegerField())
    parameters = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    desired_state = models.PositiveSmallIntegerField(choices=choices_of(StrategyState), default=STOPPED)
    reported_state = models.PositiveSmallIntegerField(choices=choices_of(StrategyState), default=STOPPED)
    reported_sequence = models.BigIntegerField(default=0)
    start_command = models.CharField(max_length=32, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "strategies"
        constraints = [models.UniqueConstraint(Lower("name"), name="strategy_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def running(self) -> bool:
        """Whether the engine said so last."""
        return self.reported_state == StrategyState.RUNNING
