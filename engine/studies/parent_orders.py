"""Parent orders on a recorded day, and what each costs: made from a seed, worked by a router, filled by the model."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from engine.studies.contesting_routers import TICK, Router, Wish
from engine.studies.fill_model import Fill, Resting, Taken, opposite, rest, take
from engine.studies.recorded_venues import BUY, SELL, RecordedVenues
from engine.studies.venue_assumptions import VenueTerms

TAKE_MS, REST_MS = 1_000, 30_000  # for how long a parent is worked
PAUSE_MS = 25  # until a router that found nothing is asked again
SIZES = {"take": (0.25, 1.0, 4.0), "rest": (0.1, 0.25, 1.0)}  # of what the market typically displays
LOT = 100


@dataclass(frozen=True)
class Parent:
    """`take`: within the other side's best price at its arrival; `rest`: at the own side's."""

    kind: str
    side: int
    quantity: int
    time_ms: int


@dataclass(frozen=True)
class Outcome:
    """Of one parent with one router. `shortfall_bps` against the middle at arrival, fees and the charge for what did
    not trade included."""

    asked: int
    filled: int
    shortfall_bps: float


def typical_quantity(market: RecordedVenues, until_ms: int) -> float:
    """Median of the shares that the quotes show, up to a time."""
    sides = market.lines.values()
    return float(np.median(np.concatenate([lines.quantity[lines.time_ms < until_ms] for lines in sides])))


def make_parents(market: RecordedVenues, count: int, first_ms: int, last_ms: int, seed: str) -> list[Parent]:
    """Parents of both kinds, both sides and every size, at times between the two."""
    chance = random.Random(seed)
    typical = typical_quantity(market, first_ms)
    made = []
    for number in range(count):
        kind = ("take", "rest")[number % 2]
        size = chance.choice(SIZES[kind]) * typical
        quantity = max(LOT, round(size / LOT) * LOT)
        made.append(Parent(kind, chance.choice((BUY, SELL)), quantity, chance.randrange(first_ms, last_ms)))
    return sorted(made, key=lambda parent: parent.time_ms)


class Desk:
    """Works parents on one market with given terms, by whatever router."""

    def __init__(self, market: RecordedVenues, terms: list[VenueTerms]) -> None:
        self.market = market
        self.terms = terms
        self.dearest = max(term.taker_fee for term in terms)

    def work(self, parent: Parent, router: Router) -> Outcome | None:
        """What the parent costs; None when the market has no middle at that time."""
        bid, ask = (self.market.best(side, parent.time_ms)[0] for side in (BUY, SELL))
        if not 0 < bid < ask:
            return None
        fills, end_ms = self._take(parent, router) if parent.kind == "take" else self._rest(parent, router)
        filled = sum(fill.quantity for fill in fills)
        sign = 1 if parent.side == BUY else -1
        middle = (bid + ask) / 2
        cost = sum(fill.quantity * (sign * (fill.price - middle) + fill.fee) for fill in fills)
        cost += self._charge(parent.side, parent.quantity - filled, end_ms, sign * middle, sign)
        return Outcome(parent.quantity, filled, cost / (parent.quantity * middle) * 10_000)

    def _take(self, parent: Parent, router: Router) -> tuple[list[Fill], int]:
        limit = self.market.best(opposite(parent.side), parent.time_ms)[0]
        end_ms = parent.time_ms + TAKE_MS
        left, now_ms = parent.quantity, parent.time_ms
        taken = Taken(self.market)
        fills: list[Fill] = []
        while left > 0 and now_ms < end_ms:
            asked = router.take(Wish(parent.side, limit, left, now_ms, TAKE_MS), taken)
            answered_ms = now_ms
            got = 0
            for venue in sorted(asked, key=lambda at: (self.terms[at].latency_ms, at)):
                term = self.terms[venue]
                made = take(
                    self.market,
                    parent.side,
                    venue,
                    limit,
                    asked[venue],
                    now_ms + term.latency_ms,
                    taken,
                    term.taker_fee,
                )
                got += sum(fill.quantity for fill in made)
                fills += made
                answered_ms = max(answered_ms, now_ms + 2 * term.latency_ms)
            left -= got
            now_ms = answered_ms if got else max(answered_ms, now_ms + PAUSE_MS)
        return fills, end_ms

    def _rest(self, parent: Parent, router: Router) -> tuple[list[Fill], int]:
        limit = self.market.best(parent.side, parent.time_ms)[0]
        end_ms = parent.time_ms + REST_MS
        asked = router.rest(Wish(parent.side, limit, parent.quantity, parent.time_ms, REST_MS))
        orders = [
            Resting(venue, shares, parent.time_ms + self.terms[venue].latency_ms, self.terms[venue].maker_fee)
            for venue, shares in asked.items()
        ]
        fills = rest(self.market, parent.side, limit, orders, end_ms) if orders else []
        return [fill for made in fills for fill in made], end_ms

    def _charge(self, side: int, left: int, time_ms: int, signed_middle: float, sign: int) -> float:
        """A crossing at the end: the best price of the other side, a tick more for shares beyond those displayed, and
        the dearest fee; for all routers alike."""
        price, shown, _ = self.market.best(opposite(side), time_ms)
        beyond = max(0, left - shown)
        return left * (sign * price - signed_middle + self.dearest) + beyond * TICK
