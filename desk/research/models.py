"""Backtests: a strategy with its parameters on a recorded session, run by a worker."""

from django.db import models


class Backtest(models.Model):
    """`definition` is the strategy as it was submitted; `totals` is the engine's own result object.

    `fitted_costs`: the market answers to its orders as the newest cost report says (docs/tca.md).
    `progress` from 0 to 1; `artefacts` is the directory with result.json, equity.csv and fills.csv.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELED = "canceled", "canceled"

    strategy = models.ForeignKey("strategies.Strategy", on_delete=models.PROTECT, related_name="backtests")
    definition = models.JSONField()
    recording = models.CharField(max_length=120)
    fitted_costs = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    progress = models.FloatField(default=0.0)
    totals = models.JSONField(default=dict)
    failure = models.TextField(blank=True)
    artefacts = models.CharField(max_length=400, blank=True)
    task = models.CharField(max_length=64, blank=True)
    submitted_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="backtests")
    submitted_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-submitted_at"]

    def __str__(self) -> str:
        return f"backtest {self.pk} of {self.strategy}"

    @property
    def finished(self) -> bool:
        return self.state in {self.State.DONE, self.State.FAILED, self.State.CANCELED}
