"""A floor where each venue has an instrument of its own, for multi-leg orders; it measures what is unhedged."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from engine.algorithms import compiled_algorithm
from engine.hotpath.timers import INTERVAL_NS
from engine.messages import control
from tests.engine.algorithms.trading_floor import MIDDLE, TICK, TRADER, Child, Floor
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, CHARLIE, OPEN_NS, SECOND_NS, SELL, START_NS, TEAM, Loop

LISTED = {1: ALPHA, 2: BRAVO, 3: CHARLIE}
Leg = tuple[int, int, int, int]  # venue, side, quantity, price
PAIR: list[Leg] = [(1, BUY, 1_000, 0), (2, SELL, 600, 0)]


class LegFloor(Floor):
    """`worst` is the most that was ever unhedged, in shares of the first leg, exactly."""

    def __init__(self, legs: list[Leg] = PAIR, **settings: Any) -> None:
        self.legs = legs
        self.traded = dict.fromkeys(LISTED, 0)
        self.worst = Fraction(0)
        super().__init__(venues=tuple(venue for venue, *_ in legs), loop=Loop(venues=(1, 2, 3)), **settings)

    def quote(self, venue: int, middle: int | None = None, spread: int = TICK, shown: int = 500) -> None:
        if middle is not None:
            self.middle[venue] = middle
        at, time_ns = self.middle[venue], OPEN_NS + self.now_ns - START_NS
        self.loop.quote(LISTED[venue], at - spread, at + spread, time_ns, venue)
        self.answer()

    def fill(self, child: Child, quantity: int, price: int) -> None:
        side = next(side for venue, side, *_ in self.legs if venue == child.venue)
        self.traded[child.venue] += quantity if child.side == side else -quantity
        super().fill(child, quantity, price)
        parts = [Fraction(self.traded[venue], quantity) for venue, _, quantity, _ in self.legs]
        self.worst = max(self.worst, (max(parts) - min(parts)) * self.legs[0][2])

    @property
    def done_of_legs(self) -> list[int]:
        return [self.traded[venue] for venue, *_ in self.legs]

    def body(self, seconds: float = 20, strategy: int = 0, **given: float) -> control.EnterParent:
        """The command of a multi-leg order of these legs."""
        kind = compiled_algorithm("legs")
        legs = [
            {"venue": venue, "instrument": LISTED[venue], "side": side, "quantity": quantity, "price": price}
            for venue, side, quantity, price in self.legs
        ]
        return control.EnterParent(
            client_order_id="legs", strategy=strategy, team=TEAM, trader=0 if strategy else TRADER, algorithm="legs",
            kind_hash=kind.hash, instrument=legs[0]["instrument"], venues=list(self.venues), side=legs[0]["side"],
            quantity=sum(leg["quantity"] for leg in legs), price=legs[0]["price"], start_ns=0,
            end_ns=self.now_ns + round(seconds * SECOND_NS),
            parameters={parameter.name: parameter.default for parameter in kind.module.PARAMETERS} | given, legs=legs,
        )  # fmt: skip

    def give(self, seconds: float = 20, **given: float) -> int:
        """Enter it; its number."""
        return int(self.loop.applied(self.body(seconds, **given))["parent_id"])

    def until(self, ended: Any, most_seconds: float = 30) -> None:
        for _ in range(round(most_seconds * SECOND_NS / INTERVAL_NS)):
            if ended():
                return
            self.step()
        raise AssertionError("it did not come to that")


__all__ = ["BUY", "MIDDLE", "PAIR", "SELL", "TICK", "Leg", "LegFloor"]
