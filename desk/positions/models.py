"""Positions, a projection of the fills, and samples of the P&L that the engine reports."""

from decimal import Decimal

from django.db import models

from desk.blotter.models import weak_reference
from desk.enumerations import choices_of
from engine.messages.codes import Scope


class Position(models.Model):
    """Net quantity of one strategy (null: manual orders of the team) in one instrument at one venue.

    `cost` is what the open quantity cost, signed as the quantity; money in the currency.
    """

    strategy = weak_reference("strategies.Strategy")
    team = weak_reference("accounts.Team")
    instrument = weak_reference("markets.Instrument")
    venue = weak_reference("markets.Venue")
    quantity = models.BigIntegerField()
    cost = models.DecimalField(max_digits=24, decimal_places=4)
    realised = models.DecimalField(max_digits=24, decimal_places=4)
    fees = models.DecimalField(max_digits=20, decimal_places=4)
    last_sequence = models.BigIntegerField()

    class Meta:
        ordering = ["strategy_id", "instrument_id", "venue_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["strategy", "team", "instrument", "venue"], name="position_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of instrument {self.instrument_id}"

    @property
    def average_price(self) -> Decimal | None:
        """What a share of the open quantity cost; None when flat."""
        return (self.cost / self.quantity).quantize(Decimal("0.0001")) if self.quantity else None


class PnlPoint(models.Model):
    """The P&L that the engine reported at one second. It depends on marks, which the journal does not hold, so it is a
    sample kept from the state frames and not a projection."""

    time = models.DateTimeField()
    scope = models.PositiveSmallIntegerField(choices=choices_of(Scope))
    scope_id = models.BigIntegerField()
    realised = models.DecimalField(max_digits=24, decimal_places=4)
    unrealised = models.DecimalField(max_digits=24, decimal_places=4)
    fees = models.DecimalField(max_digits=20, decimal_places=4)

    class Meta:
        ordering = ["time"]
        constraints = [models.UniqueConstraint(fields=["scope", "scope_id", "time"], name="pnl_point_once")]

    def __str__(self) -> str:
        return f"{self.net} at {self.time:%H:%M:%S}"

    @property
    def net(self) -> Decimal:
        return self.realised + self.unrealised - self.fees
