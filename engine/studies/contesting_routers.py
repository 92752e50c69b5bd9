"""The four routers of the study. Each is asked where an order goes, and answers with shares for each venue.

Taking, they are asked again and again for what is left, with what is displayed then. Resting, they are asked once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.hotpath.router_costs import mean_passing
from engine.hotpath.router_memory import RouteTable
from engine.messages.codes import Urgency
from engine.studies.fill_model import Taken, displayed, no_worse, opposite
from engine.studies.recorded_venues import RecordedVenues
from engine.studies.venue_assumptions import VenueTerms

TICK = 100


@dataclass(frozen=True)
class Wish:
    """What a router is asked about. `horizon_ms`: for how long the order may rest."""

    side: int
    limit: int
    quantity: int
    time_ms: int
    horizon_ms: int


class Router(Protocol):
    """Shares by venue; never more than the wish together."""

    def take(self, wish: Wish, taken: Taken) -> dict[int, int]:
        """Orders that take what they find and are gone."""

    def rest(self, wish: Wish) -> dict[int, int]:
        """Orders that rest at the limit."""


class OurRouter:
    """The engine's own decision, from the same functions as its loop."""

    def __init__(self, market: RecordedVenues, terms: list[VenueTerms]) -> None:
        self.market = market
        self.table = RouteTable(len(terms))
        for row, term in zip(self.table.rows, terms, strict=True):
            row["maker_fee"], row["taker_fee"] = term.maker_fee, term.taker_fee
            row["latency_ns"] = term.latency_ms * 1_000_000

    def means(self, venue: int) -> tuple[int, int]:
        """Shares that are expected to trade while the order of the last look rests: at a venue, and at all."""
        child = self.table.child
        typical, horizon_ms = int(child["typical_queue"]), int(child["horizon_ms"])
        return int(mean_passing(self.table.learned_at(venue), typical, horizon_ms)), int(child["market_mean"])

    def look(self, wish: Wish, taken: Taken) -> None:
        """Have the decision's view of the market at a time, without deciding anything that matters."""
        self._decide(wish, taken, Urgency.PATIENT)

    def _look(self, wish: Wish, taken: Taken) -> None:
        for at, row in enumerate(self.table.rows):
            row["near"], row["near_quantity"] = self.market.queue(wish.side, at, wish.time_ms)
            row["far"], row["far_quantity"] = displayed(self.market, wish.side, at, wish.time_ms, taken)

    def _decide(self, wish: Wish, taken: Taken, urgency: Urgency) -> None:
        self._look(wish, taken)
        self.table.decide(
            side=wish.side, quantity=wish.quantity, limit=wish.limit, urgency=urgency, horizon_ms=wish.horizon_ms,
            tick_size=TICK, lot_size=1,
        )  # fmt: skip

    def take(self, wish: Wish, taken: Taken) -> dict[int, int]:
        """As `decide` has it for an urgent child."""
        self._decide(wish, taken, Urgency.URGENT)
        return {at: int(row["take_quantity"]) for at, row in enumerate(self.table.rows) if row["take_quantity"]}

    def rest(self, wish: Wish) -> dict[int, int]:
        """As `decide` has it for a patient child."""
        self._decide(wish, Taken(self.market), Urgency.PATIENT)
        return {at: int(row["rest_quantity"]) for at, row in enumerate(self.table.rows) if row["rest_quantity"]}


class BestPriceOnly:
    """All of it to the venue of the best price, of several the one that displays most; while none displays anything
    within the limit, to the one that did last."""

    def __init__(self, market: RecordedVenues) -> None:
        self.market = market
        self.last = 0

    def take(self, wish: Wish, taken: Taken) -> dict[int, int]:
        """Where the other side is best."""
        found = [(at, *displayed(self.market, wish.side, at, wish.time_ms, taken)) for at in _all(self.market)]
        within = [
            (at, price, shares) for at, price, shares in found if price and no_worse(wish.side, price, wish.limit)
        ]
        sign = 1 if opposite(wish.side) > wish.side else -1
        if within:
            self.last = min(within, key=lambda row: (sign * row[1], -row[2], row[0]))[0]
        return {self.last: wish.quantity}

    def rest(self, wish: Wish) -> dict[int, int]:
        """Where the own side is best: the venue that the quotes name."""
        return {self.market.best(wish.side, wish.time_ms)[2]: wish.quantity}


class PrimaryOnly:
    """All of it to the primary venue."""

    def __init__(self, primary: int) -> None:
        self.primary = primary

    def take(self, wish: Wish, taken: Taken) -> dict[int, int]:
        """Whatever is displayed there."""
        return {self.primary: wish.quantity}

    def rest(self, wish: Wish) -> dict[int, int]:
        """Whatever waits there."""
        return {self.primary: wish.quantity}


class Proportional:
    """Taking: in proportion to what each venue displays within the limit. Resting, or while nothing is displayed: to
    what each traded in the morning."""

    def __init__(self, market: RecordedVenues, volumes: list[int]) -> None:
        self.market = market
        self.volumes = volumes

    def take(self, wish: Wish, taken: Taken) -> dict[int, int]:
        """By what is displayed."""
        shares = [0] * len(self.volumes)
        for at in _all(self.market):
            price, shown = displayed(self.market, wish.side, at, wish.time_ms, taken)
            if price and no_worse(wish.side, price, wish.limit):
                shares[at] = shown
        return apportion(wish.quantity, shares if any(shares) else self.volumes)

    def rest(self, wish: Wish) -> dict[int, int]:
        """By the morning's volume."""
        return apportion(wish.quantity, self.volumes)


def apportion(quantity: int, weights: list[int]) -> dict[int, int]:
    """Whole shares in proportion to the weights, the remainder to the largest; nothing when all are nothing."""
    total = sum(weights)
    if total == 0:
        return {}
    parts = [quantity * weight // total for weight in weights]
    parts[weights.index(max(weights))] += quantity - sum(parts)
    return {at: part for at, part in enumerate(parts) if part}


def _all(market: RecordedVenues) -> range:
    return range(len(market.letters))
