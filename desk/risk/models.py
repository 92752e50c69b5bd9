"""Limits as people agreed on them, the changes they asked for, the versions the engine runs, and kills."""

from django.db import models

from desk.enumerations import choices_of
from engine.messages.codes import LimitName, Scope

LIMIT_SCOPES = [(scope.value, scope.name.lower()) for scope in (Scope.FIRM, Scope.TEAM, Scope.STRATEGY)]
LIMIT_NAMES = tuple(name.name.lower() for name in LimitName)
MONEY_LIMITS = frozenset({"order_value", "daily_loss"})


class Limit(models.Model):
    """The approved bounds of one scope; null blocks every order that needs the bound.

    Quantities in shares, `order_value` and `daily_loss` in the currency, the collar in basis points of the reference.
    """

    scope = models.PositiveSmallIntegerField(choices=LIMIT_SCOPES)
    scope_id = models.BigIntegerField(default=0)
    order_quantity = models.BigIntegerField(null=True, blank=True)
    order_value = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    collar_basis_points = models.BigIntegerField(null=True, blank=True)
    position = models.BigIntegerField(null=True, blank=True)
    orders_per_second = models.BigIntegerField(null=True, blank=True)
    daily_loss = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["scope", "scope_id"]
        constraints = [models.UniqueConstraint(fields=["scope", "scope_id"], name="limit_once_per_scope")]

    def __str__(self) -> str:
        return f"limits of {self.get_scope_display()} {self.scope_id}"


class ChangeRequest(models.Model):
    """A change that needs a second person: `before` and `after` of one scope, signed by the approver as `diff_hash`.

    For limits, `before` and `after` hold only the limits that differ, as text or null; for a re-arm they hold the kill,
    for a session the next numbers expected and sent, for an order `after` is the whole of it, as it would be sent.
    """

    class Kind(models.TextChoices):
        LIMITS = "limits", "limits"
        REARM = "rearm", "re-arm"
        SESSION = "session", "sequence numbers"
        ORDER = "order", "order"
        REVIEW = "review", "second person"

    class State(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        APPROVED = "approved", "approved, not applied yet"
        APPLIED = "applied", "applied"
        REJECTED = "rejected", "rejected"
        EXPIRED = "expired", "expired"
        VOID = "void", "void"

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.LIMITS)
    scope = models.PositiveSmallIntegerField(choices=choices_of(Scope))
    scope_id = models.BigIntegerField(default=0)
    before = models.JSONField()
    after = models.JSONField()
    diff_hash = models.CharField(max_length=64)
    loosens = models.BooleanField()
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    proposer = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    approver = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)
    limits_version = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-proposed_at"]

    def __str__(self) -> str:
        return f"change {self.pk} of {self.get_scope_display()} {self.scope_id}"


class SecondPersonRule(models.Model):
    """Which orders that people of a team enter wait for a second person: those worth more than `notional` (currency) or
    larger than `volume_percent` of the average volume of their time. Null: this does not make them wait. What the
    team sent alone in the same instrument in the last `minutes` counts with an order; null: each counts by itself."""

    team = models.OneToOneField("accounts.Team", on_delete=models.PROTECT, primary_key=True, related_name="+")
    notional = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    volume_percent = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    minutes = models.PositiveIntegerField(null=True, default=1_440)

    def __str__(self) -> str:
        return f"second person of team {self.team_id}"


class LimitsVersion(models.Model):
    """A snapshot that the engine took, under the number it gave it."""

    number = models.BigIntegerField()
    content_hash = models.CharField(max_length=64)
    rows = models.JSONField()
    journal_sequence = models.BigIntegerField()
    applied_by = models.CharField(max_length=150)
    applied_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"limits version {self.number}"


class KillState(models.Model):
    """A kill that holds, or held, on one scope; at most one row per scope holds at a time.

    `sequence` and `rearmed_sequence` are the journal's numbers of the commands, null until the engine confirmed.
    """

    scope = models.PositiveSmallIntegerField(choices=choices_of(Scope))
    scope_id = models.BigIntegerField(default=0)
    active = models.BooleanField(default=True)
    reason = models.CharField(max_length=300)
    confirmed = models.BooleanField(default=False)
    killed_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    killed_at = models.DateTimeField(auto_now_add=True)
    rearmed_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    rearmed_at = models.DateTimeField(null=True)
    sequence = models.BigIntegerField(null=True)
    rearmed_sequence = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-killed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "scope_id"], condition=models.Q(active=True), name="one_active_kill_per_scope"
            )
        ]

    def __str__(self) -> str:
        return f"kill of {self.get_scope_display()} {self.scope_id}"


class Break(models.Model):
    """What reconciliation found that does not agree, as the journal has it, and how a person settled it."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=20)
    venue = models.PositiveSmallIntegerField()
    instrument = models.PositiveIntegerField()
    order_id = models.BigIntegerField()
    sentence = models.CharField(max_length=300)
    raised_at = models.DateTimeField()
    sequence = models.BigIntegerField()
    resolved_by = models.CharField(max_length=150, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=300, blank=True)
    resolved_sequence = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"break {self.name}"
