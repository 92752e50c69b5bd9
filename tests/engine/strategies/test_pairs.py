"""The pairs strategy step by step, its decision called as plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

from engine.hotpath.tables import ENTER_ANYWHERE, LEG, MAX_REQUESTS, REQUEST
from engine.messages.codes import OrderAction, Side
from engine.strategies import pairs, requests

SECOND_NS = 1_000_000_000
MIDDLE = 1_000_000
WORDS = {int(OrderAction.ENTER): "enter", ENTER_ANYWHERE: "enter anywhere"}
PARAMETERS = {
    "hedge_ratio": 1.5,
    "centre": -50.0,
    "deviation": 0.05,
    "entry": 2.0,
    "exit": 0.5,
    "quantity": 100.0,
    "patience": 2.0,
    "memory": 0.0,
    "routing": 0.0,
}


def interpreted(*modules: ModuleType) -> dict[str, Any]:
    """Every function of these modules as Python runs it, calling each other, not compiled code."""
    names: dict[str, Any] = {}
    for module in modules:
        names |= vars(module)
    for name, value in list(names.items()):
        function = getattr(value, "py_func", value)
        if isinstance(function, FunctionType) and function.__module__ in {module.__name__ for module in modules}:
            names[name] = FunctionType(function.__code__, names, name, function.__defaults__)
    return names


decide = interpreted(requests, pairs)["decide"]


@dataclass
class Pair:
    """Both legs, the strategy's state, and what it asked for last."""

    parameters: dict[str, float] = field(default_factory=dict)
    now_ns: int = 34_200 * SECOND_NS

    def __post_init__(self) -> None:
        state = np.zeros(1, pairs.STATE)
        for name, value in (PARAMETERS | self.parameters).items():
            state[name] = value
        self.state = state.view(np.recarray)[0]
        self.legs = np.zeros(2, LEG).view(np.recarray)
        for leg in self.legs:
            leg.bid_quantity = leg.ask_quantity = 500
        self.spread(0)

    def spread(self, deviations: float, half_spread: int = 100) -> None:
        """Quotes whose spread lies so many deviations from the centre; the second instrument stays."""
        first = MIDDLE + round(deviations * 500)
        for leg, middle in zip(self.legs, (first, MIDDLE), strict=True):
            leg.bid, leg.ask = middle - half_spread, middle + half_spread

    def decide(self, after_ns: int = 0) -> list[tuple[str, int, str, int, int]]:
        """Requests: action, leg, side, price, quantity; of a cancel the order's number stands for the price."""
        self.now_ns += after_ns
        made = np.zeros(MAX_REQUESTS, REQUEST).view(np.recarray)
        count = decide(self.state, self.legs[0], self.legs[1], self.now_ns, made)
        found = []
        for request in made[:count]:
            if request.action == OrderAction.CANCEL:
                found.append(("cancel", int(request.leg), "", int(request.order_id), 0))
            else:
                word, side = WORDS[int(request.action)], Side(int(request.side)).name
                found.append((word, int(request.leg), side, int(request.price), int(request.quantity)))
        return found

    def rest(self, at: int, side: Side, quantity: int, order_id: int = 7) -> None:
        """The leg's order rests at the venue since now."""
        leg = self.legs[at]
        leg.open_orders, leg.order_id, leg.order_since_ns, leg.canceling = 1, order_id, self.now_ns, 0
        leg.working_buy, leg.working_sell = (quantity, 0) if side == Side.BUY else (0, quantity)

    def end(self, at: int, position: int) -> None:
        """The leg's order ended and left this position."""
        leg = self.legs[at]
        leg.open_orders = leg.order_id = leg.working_buy = leg.working_sell = leg.canceling = 0
        leg.position = position

    def hold(self, first: int, second: int) -> None:
        self.end(0, first)
        self.end(1, second)


def test_a_high_spread_is_sold_and_a_low_one_bought_with_the_hedge_on_the_other_side() -> None:
    pair = Pair()
    pair.spread(2.5)
    assert pair.decide() == [
        ("enter", 0, "SELL", MIDDLE + 1250 + 100, 100),
        ("enter", 1, "BUY", MIDDLE - 100, 150),
    ]
    pair = Pair()
    pair.spread(-2.5)
    assert pair.decide() == [
        ("enter", 0, "BUY", MIDDLE - 1250 - 100, 100),
        ("enter", 1, "SELL", MIDDLE + 100, 150),
    ]


def test_the_signal_counts_deviations_from_the_centre() -> None:
    pair = Pair()
    for deviations in (-3.0, 0.0, 1.5):
        pair.spread(deviations)
        pair.decide()
        assert pair.state.signal == pytest.approx(deviations)


def wanted_along(*path: float) -> list[int]:
    pair = Pair()
    found = []
    for deviations in path:
        pair.spread(deviations)
        pair.decide()
        found.append(int(pair.state.wanted))
    return found


def test_nothing_is_entered_short_of_entry_and_nothing_left_before_exit() -> None:
    assert wanted_along(0, 1.99, -1.99) == [0, 0, 0]
    assert wanted_along(2.01, 1.0, 0.51, 0.49, 1.99) == [-1, -1, -1, 0, 0]
    assert wanted_along(-2.01, -1.0, -0.51, -0.49, -1.99) == [1, 1, 1, 0, 0]


def test_a_spread_that_swings_to_the_other_side_turns_the_position() -> None:
    assert wanted_along(2.5, -2.5, 2.5) == [-1, 1, -1]
    pair = Pair()
    pair.hold(-100, 150)
    pair.spread(-2.5)
    assert [request[:3] + request[4:] for request in pair.decide()] == [
        ("enter", 0, "BUY", 200),
        ("enter", 1, "SELL", 300),
    ]


@pytest.mark.parametrize(
    ("ratio", "quantity", "hedge"), [(1.5, 100, 150), (0.333, 100, 33), (0.335, 100, 34), (2, 1, 2)]
)
def test_the_hedge_is_rounded_to_whole_shares(ratio: float, quantity: float, hedge: int) -> None:
    centre = MIDDLE / 10_000 * (1 - ratio)
    pair = Pair({"hedge_ratio": ratio, "quantity": quantity, "centre": centre})
    pair.spread(3)
    assert [request[4] for request in pair.decide()] == [quantity, hedge]


def test_only_what_is_missing_is_asked_for() -> None:
    pair = Pair()
    pair.hold(-60, 150)
    pair.spread(2.5)
    assert pair.decide() == [("enter", 0, "SELL", MIDDLE + 1350, 40)]
    pair.hold(-100, 150)
    assert pair.decide() == []


def test_too_much_is_given_back() -> None:
    pair = Pair()
    pair.hold(-130, 150)
    pair.spread(2.5)
    assert pair.decide() == [("enter", 0, "BUY", MIDDLE + 1150, 30)]


def test_the_way_out_closes_both_legs() -> None:
    pair = Pair()
    pair.state.wanted = -1
    pair.hold(-100, 150)
    pair.spread(0.4)
    assert pair.decide() == [
        ("enter", 0, "BUY", MIDDLE + 200 - 100, 100),
        ("enter", 1, "SELL", MIDDLE + 100, 150),
    ]


def test_an_order_rests_for_its_patience_then_the_leg_crosses() -> None:
    pair = Pair()
    pair.hold(0, 150)
    pair.spread(2.5)
    assert pair.decide() == [("enter", 0, "SELL", MIDDLE + 1350, 100)]
    pair.rest(0, Side.SELL, 100)
    assert pair.decide(2 * SECOND_NS - 1) == []
    assert pair.decide(1) == [("cancel", 0, "", 7, 0)]
    pair.legs[0].canceling = 1
    assert pair.decide(SECOND_NS) == []
    pair.end(0, -30)
    assert pair.decide() == [("enter", 0, "SELL", MIDDLE + 1150, 70)]
    pair.end(0, -100)
    assert pair.decide() == []
    assert int(pair.legs[0].attempts) == 0


def test_an_impatient_pair_crosses_at_once() -> None:
    pair = Pair({"patience": 0.0})
    pair.spread(2.5)
    assert pair.decide() == [
        ("enter", 0, "SELL", MIDDLE + 1250 - 100, 100),
        ("enter", 1, "BUY", MIDDLE + 100, 150),
    ]


def test_with_routing_its_orders_go_to_the_best_of_all_venues_whether_they_rest_or_cross() -> None:
    resting, crossing = Pair({"routing": 1.0}), Pair({"routing": 1.0, "patience": 0.0})
    for pair, side in ((resting, 1), (crossing, -1)):
        pair.spread(2.5)
        assert pair.decide() == [
            ("enter anywhere", 0, "SELL", MIDDLE + 1250 + side * 100, 100),
            ("enter anywhere", 1, "BUY", MIDDLE - side * 100, 150),
        ]
    resting.rest(0, Side.SELL, 100)
    assert resting.decide(2 * SECOND_NS)[0] == ("cancel", 0, "", 7, 0)


def test_an_order_on_the_wrong_side_is_canceled_when_the_signal_turns() -> None:
    pair = Pair()
    pair.hold(0, 0)
    pair.spread(2.5)
    pair.decide()
    pair.rest(0, Side.SELL, 100, order_id=11)
    pair.rest(1, Side.BUY, 150, order_id=12)
    pair.spread(0.2)
    assert pair.decide() == [("cancel", 0, "", 11, 0), ("cancel", 1, "", 12, 0)]
    pair.spread(-2.5)
    assert pair.decide() == [("cancel", 0, "", 11, 0), ("cancel", 1, "", 12, 0)]
    assert int(pair.legs[0].attempts) == 0


def test_a_leg_waits_after_a_denial_and_the_other_goes_on() -> None:
    pair = Pair()
    pair.spread(2.5)
    pair.legs[0].retry_after_ns = pair.now_ns + SECOND_NS
    assert [request[1] for request in pair.decide()] == [1]
    assert [request[1] for request in pair.decide(SECOND_NS)] == [0, 1]


@pytest.mark.parametrize("spoil", ["no bid", "no ask", "crossed", "locked"])
@pytest.mark.parametrize("at", [0, 1])
def test_without_two_sound_books_nothing_is_decided(spoil: str, at: int) -> None:
    pair = Pair()
    pair.spread(2.5)
    leg = pair.legs[at]
    if spoil == "no bid":
        leg.bid_quantity = 0
    elif spoil == "no ask":
        leg.ask_quantity = 0
    else:
        leg.bid = leg.ask + (100 if spoil == "crossed" else 0)
    assert pair.decide() == []
    assert int(pair.state.wanted) == 0


def test_a_centre_without_memory_stays_and_one_with_memory_follows() -> None:
    fixed, following = Pair(), Pair({"memory": 10.0})
    for pair in (fixed, following):
        pair.spread(1.0)
        pair.decide()
        pair.decide(10 * SECOND_NS)
    assert fixed.state.centre == -50.0
    assert following.state.centre == pytest.approx(-50.0 + 0.05 / 2)
    assert following.state.signal == pytest.approx(0.5)


def test_time_that_goes_back_moves_no_centre() -> None:
    pair = Pair({"memory": 10.0})
    pair.spread(1.0)
    pair.decide()
    pair.decide(-SECOND_NS)
    assert pair.state.centre == -50.0
