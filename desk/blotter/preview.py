"""What a ticket would meet before it is sent: money, distance from the touch, share of the volume, use of limits."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from desk.accounts.models import User
from desk.blotter.emulated import GOOD_TILL, emulation_sentence
from desk.blotter.entries import measured_sentence
from desk.blotter.legs import LegTerms
from desk.blotter.parents import ParentTicket
from desk.blotter.second_person import volume_share
from desk.blotter.services import OrderTicket
from desk.link import client
from desk.markets.models import Instrument, Venue
from desk.risk.labels import LABELS
from engine.messages.codes import Side, TimeInForce
from engine.messages.control import SMART, command
from engine.messages.control import Preview as Ask
from engine.messages.prices import from_decimal, to_decimal

AUCTIONS = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
NEARLY = 80  # percent of a limit from which on it is pointed out


@dataclass(frozen=True)
class Use:
    """How much of a limit would be used: `after` of `bound` in its unit, None when nobody set it."""

    whose: str
    label: str
    money: bool
    after: Decimal
    bound: Decimal | None

    @property
    def percent(self) -> int | None:
        """Of the bound, rounded up; None when there is none."""
        if self.bound is None:
            return None
        if self.after <= 0:
            return 0
        return math.ceil(self.after * 100 / self.bound) if self.bound else 101

    @property
    def shown(self) -> int:
        """The length of its bar."""
        return min(self.percent or 0, 100)

    @property
    def verdict(self) -> str:
        """Over, near, or nothing to say."""
        if self.percent is None or self.percent > 100:
            return "over"
        return "near" if self.percent >= NEARLY else ""


@dataclass(frozen=True)
class Preview:
    """`price` is the limit, that of a market order as the engine would make it now, or the touch that a parent order
    without one would pay now; `distance` in basis points from
    the touch at which it would trade at once, positive when the order waits; `gate` is the sentence of a denial."""

    instrument: str
    price: Decimal | None
    notional: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    distance: Decimal | None
    spread: Decimal | None
    volume_share: Decimal | None
    volume_of: str
    gate: str
    uses: list[Use]
    time_in_force: TimeInForce
    protection: int | None
    emulated: str
    venues: list[tuple[str, Decimal | None, Any, Decimal | None, Any]]

    @property
    def _waits(self) -> str:
        return "waits in the engine" if self.emulated else "waits for the auction"

    @property
    def through(self) -> str:
        """What becomes of an order whose limit is at the touch or through it."""
        if self.time_in_force in AUCTIONS:
            return self._waits
        forbidden = self.time_in_force == TimeInForce.POST_ONLY
        return "would trade at once, which post-only forbids" if forbidden else "trades at once"

    @property
    def rest(self) -> str:
        """What becomes of what a market order does not fill within its protection."""
        if self.time_in_force in AUCTIONS:
            return self._waits
        words = {TimeInForce.DAY: "what is not filled rests there", TimeInForce.FOK: "all of it at once or nothing"}
        return words.get(self.time_in_force, "what is not filled within it is canceled")

    @property
    def away(self) -> str:
        """What becomes of one whose limit is not."""
        if self.time_in_force in AUCTIONS:
            return self._waits
        waits = self.time_in_force in (TimeInForce.DAY, TimeInForce.POST_ONLY, *GOOD_TILL)
        return "it waits" if waits else "nothing trades, it is canceled"


def singles(ticket: OrderTicket | ParentTicket) -> list[OrderTicket | ParentTicket]:
    """The ticket, or one for each leg of it."""
    if not isinstance(ticket, ParentTicket) or not ticket.legs:
        return [ticket]
    return [replace(ticket, legs=[], venues=[leg.venue], **_terms(leg)) for leg in ticket.legs]


def _terms(leg: LegTerms) -> dict[str, Any]:
    return {name: getattr(leg, name) for name in ("instrument", "side", "quantity", "price")}


def preview(user: User, ticket: OrderTicket | ParentTicket) -> Preview:
    """Ask the engine about a checked ticket of the person's team. Raises EngineRefused, EngineNotReached,
    OutcomeUnknown."""
    parent = isinstance(ticket, ParentTicket)
    venues = ticket.venues if isinstance(ticket, ParentTicket) else [ticket.venue]
    if venues == [SMART]:
        venues = list(Venue.objects.filter(enabled=True).values_list("number", flat=True))
    instrument = Instrument.objects.get(pk=ticket.instrument)
    protection = None if isinstance(ticket, ParentTicket) else ticket.protection
    in_force = TimeInForce.DAY if isinstance(ticket, ParentTicket) else TimeInForce(ticket.time_in_force)
    asked = Ask(
        team=user.team_id or 0,
        instrument=ticket.instrument,
        venues=venues,
        side=ticket.side,
        # A parent order is never one order: what the gate says to its smallest child holds for all of them.
        quantity=instrument.lot_size if parent else ticket.quantity,
        price=0 if ticket.price is None else from_decimal(ticket.price),
        time_in_force=in_force,
        protection=protection or 0,
    )
    told = client.apply(command(asked, user.get_username())).body
    bid = _best([top["bid"] for top in told["tops"]], max)
    ask = _best([top["ask"] for top in told["tops"]], min)
    opposite = ask if ticket.side == Side.BUY else bid
    price = ticket.price if ticket.price is not None else opposite
    if protection:
        price = to_decimal(told["price"]) if told["price"] else None
    share, of = volume_share(instrument, asdict(ticket))
    middle = None if bid is None or ask is None else (bid + ask) / 2
    rows = _venue_rows(told["tops"])
    return Preview(
        instrument=instrument.name,
        price=price,
        notional=None if price is None else price * ticket.quantity,
        bid=bid,
        ask=ask,
        distance=_distance(ticket, opposite),
        spread=None if middle is None or bid is None or ask is None else (ask - bid) / middle * 10_000,
        volume_share=share,
        volume_of=of,
        gate=measured_sentence(told["gate"]) if told["gate"] else "",
        time_in_force=in_force,
        protection=protection,
        emulated=emulation_sentence(told["emulated"], ", ".join(row[0] for row in rows), told["emulated_ns"]),
        uses=[use for account in told["accounts"] for use in _uses(account, ticket, price, middle)],
        venues=rows,
    )


def _best(prices: list[int | None], choose: Any) -> Decimal | None:
    there = [price for price in prices if price is not None]
    return to_decimal(choose(there)) if there else None


def _distance(ticket: OrderTicket | ParentTicket, opposite: Decimal | None) -> Decimal | None:
    if ticket.price is None or opposite is None:
        return None
    away = opposite - ticket.price if ticket.side == Side.BUY else ticket.price - opposite
    return away / opposite * 10_000


def _uses(
    account: dict[str, Any], ticket: OrderTicket | ParentTicket, price: Decimal | None, middle: Decimal | None
) -> list[Use]:
    whose = "Team" if account["scope"] == "TEAM" else "Firm"
    bounds = account["bounds"]
    signed = account["position"] if ticket.side == Side.BUY else -account["position"]
    working = account["working_buy"] if ticket.side == Side.BUY else account["working_sell"]

    def use(name: str, after: Decimal, money: bool) -> Use:
        bound = bounds[name]
        shown = None if bound is None else to_decimal(bound) if money else Decimal(bound)
        return Use(whose, LABELS[name], money, after, shown)

    found = [use("position", Decimal(signed + working + ticket.quantity), money=False)]
    if isinstance(ticket, OrderTicket):
        found.insert(0, use("order_quantity", Decimal(ticket.quantity), money=False))
        if price is not None:
            found.insert(1, use("order_value", price * ticket.quantity, money=True))
        if price is not None and middle:
            away = (abs(price - middle) / middle * 10_000).quantize(Decimal("0.1"))
            found.append(use("collar_basis_points", away, money=False))
    found.append(use("daily_loss", max(-to_decimal(account["today"]), Decimal(0)), money=True))
    return found


def _venue_rows(tops: list[dict[str, Any]]) -> list[tuple[str, Decimal | None, Any, Decimal | None, Any]]:
    names = dict(Venue.objects.values_list("number", "name"))
    return [
        (
            names.get(top["venue"], str(top["venue"])),
            None if top["bid"] is None else to_decimal(top["bid"]),
            top["bid_quantity"],
            None if top["ask"] is None else to_decimal(top["ask"]),
            top["ask_quantity"],
        )
        for top in tops
    ]
