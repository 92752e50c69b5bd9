"""Reports of what orders cost: made by a worker with the engine's study, kept in files, found by key."""

from django.db import models


class CostReport(models.Model):
    """Of a day (UTC) of the running engine, or of a backtest. `artefacts` is the directory that engine.messages.tca
    describes; it has the rows of every team."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    key = models.CharField(max_length=60, unique=True)
    day = models.DateField(null=True)
    backtest = models.OneToOneField(
        "research.Backtest", null=True, on_delete=models.CASCADE, related_name="cost_report"
    )
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    failure = models.TextField(blank=True)
    artefacts = models.CharField(max_length=400, blank=True)
    requested_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="cost_reports")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-requested_at"]
        verbose_name = "report"

    def __str__(self) -> str:
        return f"{self.day}" if self.day else f"backtest {self.backtest_id}"

    @property
    def finished(self) -> bool:
        return self.state in {self.State.DONE, self.State.FAILED}
