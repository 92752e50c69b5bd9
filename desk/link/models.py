"""Where the projections stand, and what the journal says about the engine itself."""

from datetime import datetime

from django.db import models

from desk.blotter.models import time_of
from desk.enumerations import choices_of
from engine.messages.codes import RecordKind


class ProjectionOffset(models.Model):
    """The last journal sequence that every projection contains; moved in the transaction that projected it."""

    sequence = models.BigIntegerField(default=0)
    time_ns = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"projected to {self.sequence}"


class EngineEvent(models.Model):
    """A journal record that is not about one order: starts, commands, sessions, feeds, states; `detail` by field."""

    sequence = models.BigIntegerField(primary_key=True)
    kind = models.PositiveSmallIntegerField(choices=choices_of(RecordKind), db_index=True)
    time_ns = models.BigIntegerField()
    detail = models.JSONField()

    class Meta:
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.sequence}"

    @property
    def time(self) -> datetime:
        return time_of(self.time_ns)
