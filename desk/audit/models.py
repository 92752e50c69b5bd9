"""The audit trail: append-only, each row holding the hash of the one before it in its chain."""

from django.db import models


class AuditEntry(models.Model):
    """Who did what to what, and why. `hash` is SHA-256 over `previous_hash` and the canonical JSON of the other fields.

    The database refuses to change or delete a row. `sequence` is dense from 1 within `chain`.
    """

    chain = models.CharField(max_length=40)
    sequence = models.BigIntegerField()
    time = models.DateTimeField()
    actor = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    address = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="audit_sequence_once")]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.subject}"
