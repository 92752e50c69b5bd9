"""Orders, their events, fills and denials: projections of the engine's journal, and the entry of manual orders.

Rows of a projection refer to people's rows without a constraint: the journal is the truth and may be projected into
an empty database. `strategy` is null for a manual order. Prices and money in the currency; times in ns since the epoch.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import models

from desk.enumerations import choices_of
from engine.messages.codes import (
    OPEN_STATES,
    DenialReason,
    LimitName,
    Liquidity,
    OrderAction,
    OrderState,
    ParentState,
    ReportKind,
    RouteReason,
    Scope,
    Side,
    StampCause,
    TimeInForce,
)


def weak_reference(target: str) -> models.ForeignKey:
    """A reference from a projection to a row that may be absent."""
    return models.ForeignKey(target, models.DO_NOTHING, db_constraint=False, null=True, related_name="+")


def time_of(time_ns: int) -> datetime:
    """Nanoseconds since the epoch as a UTC time, to the microsecond."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).replace(microsecond=time_ns // 1000 % 1_000_000)


class Projected(models.Model):
    """What every projected row says about whose it is and when it happened."""

    strategy = weak_reference("strategies.Strategy")
    team = weak_reference("accounts.Team")
    instrument = weak_reference("markets.Instrument")
    venue = weak_reference("markets.Venue")
    time_ns = models.BigIntegerField()

    class Meta:
        abstract = True

    @property
    def time(self) -> datetime:
        return time_of(self.time_ns)


class Order(Projected):
    """One order of ours, denied ones too; `sequence` is the journal's number of the request, `last_sequence` of the
    newest record that changed it. `protection` in basis points made the price of a market order, 0: a limit order.
    `good_till_s` is when its venue ends one good till a time."""

    order_id = models.BigIntegerField(primary_key=True)
    sequence = models.BigIntegerField(unique=True)
    last_sequence = models.BigIntegerField()
    target_order_id = models.BigIntegerField(null=True)
    kind = models.PositiveIntegerField(default=0)
    side = models.PositiveSmallIntegerField(choices=choices_of(Side))
    price = models.DecimalField(max_digits=20, decimal_places=4)
    protection = models.PositiveSmallIntegerField(default=0)
    good_till_s = models.BigIntegerField(default=0)
    quantity = models.BigIntegerField()
    time_in_force = models.PositiveSmallIntegerField(choices=choices_of(TimeInForce))
    state = models.PositiveSmallIntegerField(choices=choices_of(OrderState))
    filled_quantity = models.BigIntegerField(default=0)
    filled_value = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    fees = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    leaves = models.BigIntegerField(default=0)
    limits_version = models.BigIntegerField()
    parent_id = models.BigIntegerField(null=True, db_index=True)
    signal = models.FloatField(null=True)
    denial_reason = models.PositiveSmallIntegerField(choices=choices_of(DenialReason), default=DenialReason.NONE.value)

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["strategy", "-sequence"]),
            models.Index(fields=["team", "-sequence"]),
            models.Index(fields=["state", "-sequence"]),
        ]

    def __str__(self) -> str:
        return f"order {self.order_id}"

    @property
    def working(self) -> bool:
        return self.state in OPEN_STATES


class Parent(models.Model):
    """A parent order, from its entry to its end; what its children did is summed from them (`services.with_progress`).

    `kind` is the algorithm's number, `venues` has bit v - 1 for each venue v that it may use, `trader` is null for a
    strategy's. `price` is null without a limit. One of several `legs` has the instrument, side and price of its first,
    and the quantity of all; 0: one instrument.
    """

    parent_id = models.BigIntegerField(primary_key=True)
    sequence = models.BigIntegerField(unique=True)
    last_sequence = models.BigIntegerField()
    strategy = weak_reference("strategies.Strategy")
    team = weak_reference("accounts.Team")
    trader = weak_reference("accounts.User")
    instrument = weak_reference("markets.Instrument")
    kind = models.PositiveIntegerField()
    side = models.PositiveSmallIntegerField(choices=choices_of(Side))
    price = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    quantity = models.BigIntegerField()
    venues = models.PositiveSmallIntegerField()
    legs = models.PositiveSmallIntegerField(default=0)
    start_ns = models.BigIntegerField()
    end_ns = models.BigIntegerField()
    state = models.PositiveSmallIntegerField(choices=choices_of(ParentState))
    limits_version = models.BigIntegerField()
    time_ns = models.BigIntegerField()
    ended_ns = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-sequence"]
        verbose_name = "parent order"
        indexes = [models.Index(fields=["team", "-sequence"], name="blotter_par_team_id_seq_idx")]

    def __str__(self) -> str:
        return f"parent order {self.parent_id}"

    @property
    def working(self) -> bool:
        return self.ended_ns is None

    @property
    def venue_numbers(self) -> list[int]:
        return [venue for venue in range(1, 9) if self.venues >> (venue - 1) & 1]


class OrderEvent(models.Model):
    """One step in the life of an order: a request of ours (`action`) or a report of the venue (`kind`)."""

    sequence = models.BigIntegerField(primary_key=True)
    order_id = models.BigIntegerField(db_index=True)
    time_ns = models.BigIntegerField()
    venue_time_ns = models.BigIntegerField(null=True)
    action = models.PositiveSmallIntegerField(choices=choices_of(OrderAction), null=True)
    kind = models.PositiveSmallIntegerField(choices=choices_of(ReportKind), null=True)
    state = models.PositiveSmallIntegerField(choices=choices_of(OrderState))
    price = models.DecimalField(max_digits=20, decimal_places=4)
    quantity = models.BigIntegerField()
    leaves = models.BigIntegerField(null=True)
    reason = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"event {self.sequence} of order {self.order_id}"

    @property
    def time(self) -> datetime:
        return time_of(self.time_ns)


class OrderLatency(models.Model):
    """When the engine received what caused a request, and how many nanoseconds later it had decided, journaled and
    sent it. Kept from the engine's latency log under the request's journal sequence; `sent_ns` null: never sent."""

    sequence = models.BigIntegerField(primary_key=True)
    order_id = models.BigIntegerField(db_index=True)
    received_ns = models.BigIntegerField()
    decided_ns = models.BigIntegerField()
    journaled_ns = models.BigIntegerField()
    sent_ns = models.BigIntegerField(null=True)
    action = models.PositiveSmallIntegerField(choices=choices_of(OrderAction))
    cause = models.PositiveSmallIntegerField(choices=choices_of(StampCause))

    class Meta:
        ordering = ["sequence"]
        verbose_name_plural = "order latencies"

    def __str__(self) -> str:
        return f"latency of request {self.sequence} of order {self.order_id}"


class Route(models.Model):
    """What the router decided about one venue when it split an order, and why: the ROUTE record of the journal.

    Costs are of a share, in the currency, against the middle of the market; `fill_chance` in 1/1,000. `taken` and
    `rested` are the orders that were entered there, null: none.
    """

    sequence = models.BigIntegerField(primary_key=True)
    route_id = models.BigIntegerField(db_index=True)
    time_ns = models.BigIntegerField()
    round = models.PositiveSmallIntegerField()
    venue = weak_reference("markets.Venue")
    instrument = weak_reference("markets.Instrument")
    side = models.PositiveSmallIntegerField(choices=choices_of(Side))
    reason = models.PositiveSmallIntegerField(choices=choices_of(RouteReason))
    taken = models.BigIntegerField(null=True, db_index=True)
    rested = models.BigIntegerField(null=True, db_index=True)
    take_price = models.DecimalField(max_digits=20, decimal_places=4)
    rest_price = models.DecimalField(max_digits=20, decimal_places=4)
    take_quantity = models.BigIntegerField()
    rest_quantity = models.BigIntegerField()
    displayed = models.BigIntegerField()
    ahead = models.BigIntegerField()
    price_part = models.DecimalField(max_digits=20, decimal_places=7)
    fee_part = models.DecimalField(max_digits=20, decimal_places=7)
    risk_part = models.DecimalField(max_digits=20, decimal_places=7)
    rest_cost = models.DecimalField(max_digits=20, decimal_places=7)
    fill_chance = models.PositiveSmallIntegerField()
    latency_us = models.BigIntegerField()

    class Meta:
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"route {self.route_id} at venue {self.venue_id}"

    @property
    def take_cost(self) -> Decimal:
        """What a share costs that is taken there."""
        return self.price_part + self.fee_part + self.risk_part


class Fill(Projected):
    """An executed report; the primary key is its journal sequence, which is also the cursor of the API."""

    sequence = models.BigIntegerField(primary_key=True)
    order_id = models.BigIntegerField(db_index=True)
    side = models.PositiveSmallIntegerField(choices=choices_of(Side))
    price = models.DecimalField(max_digits=20, decimal_places=4)
    quantity = models.BigIntegerField()
    fee = models.DecimalField(max_digits=20, decimal_places=4)
    liquidity = models.PositiveSmallIntegerField(choices=choices_of(Liquidity))
    match_number = models.BigIntegerField()
    venue_sequence = models.BigIntegerField()
    venue_time_ns = models.BigIntegerField()
    broken_sequence = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["strategy", "-sequence"]),
            models.Index(fields=["team", "-sequence"]),
            models.Index(fields=["venue", "match_number"]),
        ]

    def __str__(self) -> str:
        return f"fill {self.sequence} of order {self.order_id}"


class Denial(Projected):
    """A request that the risk gate refused; `measured` against `bound` in the unit of `limit_name`."""

    sequence = models.BigIntegerField(primary_key=True)
    order_id = models.BigIntegerField()
    action = models.PositiveSmallIntegerField(choices=choices_of(OrderAction))
    side = models.PositiveSmallIntegerField()
    price = models.DecimalField(max_digits=20, decimal_places=4)
    quantity = models.BigIntegerField()
    reason = models.PositiveSmallIntegerField(choices=choices_of(DenialReason))
    limit_name = models.PositiveSmallIntegerField(choices=[(0, "none"), *choices_of(LimitName)])
    scope = models.PositiveSmallIntegerField(choices=[(0, "none"), *choices_of(Scope)])
    scope_id = models.BigIntegerField()
    measured = models.BigIntegerField()
    bound = models.BigIntegerField()
    limits_version = models.BigIntegerField()

    class Meta:
        ordering = ["-sequence"]
        indexes = [models.Index(fields=["strategy", "-sequence"]), models.Index(fields=["team", "-sequence"])]

    def __str__(self) -> str:
        return f"denial {self.sequence}"


class OrderEntry(models.Model):
    """A manual order or parent order as somebody asked for it; `client_order_id` is unique for ever, `body_hash` tells
    a replay from another order under the same name. `outcome` is unknown until the engine answered.

    One that waits, or waited, for a person has a `change`; `released_body` is what that person let go in place of
    `body`, from `released_at` on."""

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", "unknown"
        SENT = "sent", "sent"
        REFUSED = "refused", "refused"
        WAITING = "waiting", "waits for a person"
        RETURNED = "returned", "returned"

    client_order_id = models.CharField(max_length=36, unique=True)
    body = models.JSONField()
    body_hash = models.CharField(max_length=64)
    command_id = models.CharField(max_length=32, unique=True)
    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, related_name="+")
    entered_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.UNKNOWN)
    reason = models.CharField(max_length=300, blank=True)
    refusal_code = models.CharField(max_length=40, blank=True)
    order_id = models.BigIntegerField(null=True, db_index=True)
    parent_id = models.BigIntegerField(null=True, db_index=True)
    journal_sequence = models.BigIntegerField(null=True)
    change = models.OneToOneField("risk.ChangeRequest", on_delete=models.PROTECT, null=True, related_name="entry")
    released_body = models.JSONField(null=True)
    released_at = models.DateTimeField(null=True)
    raised_quantity = models.BigIntegerField(null=True)
    raised_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-entered_at"]
        indexes = [models.Index(fields=["team", "-entered_at"])]
        verbose_name_plural = "order entries"

    def __str__(self) -> str:
        return self.client_order_id

    @property
    def terms(self) -> dict[str, Any]:
        """What is, or would be, sent."""
        return dict(self.released_body or self.body)
