"""Positions and P&L of a cell against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hotpath.positions import fill_cell
from engine.hotpath.tables import CELL, FIRST_STRATEGY_ACCOUNT
from engine.messages.codes import ReportKind
from engine.native import address_of, touched
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, SELL, Loop

Fill = tuple[int, int, int, int]
FILLS = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]), st.integers(0, 1 << 32), st.integers(1, 1 << 20), st.integers(-(10**9), 10**9)
    ),
    max_size=40,
)


class Exact:
    """Average cost in fractions."""

    def __init__(self) -> None:
        self.position, self.cash, self.fees, self.closes = 0, 0, 0, 0
        self.cost = Fraction(0)

    def fill(self, side: int, price: int, quantity: int, fee: int) -> None:
        signed = quantity if side == BUY else -quantity
        self.cash -= signed * price
        self.fees += fee
        if self.position * signed < 0:
            closed = min(quantity, abs(self.position))
            self.cost -= self.cost * closed / abs(self.position)
            self.closes += 1
            opened = (quantity - closed) * (1 if signed > 0 else -1)
        else:
            opened = signed
        self.cost += opened * price
        self.position += signed
        if self.position == 0:
            self.closes = 0


def filled(fills: list[Fill]) -> Any:
    cell = touched(1, CELL)
    for fill in fills:
        fill_cell(address_of(cell), *fill)
    return cell[0]


@settings(max_examples=300, deadline=None)
@given(FILLS, st.integers(0, 1 << 32))
def test_money_is_exact_and_cost_is_the_average_to_a_unit_a_close(fills: list[Fill], mark: int) -> None:
    cell = touched(1, CELL)
    exact = Exact()
    for fill in fills:
        fill_cell(address_of(cell), *fill)
        exact.fill(*fill)
        row = {name: int(cell[0][name]) for name in ("position", "cash", "fees", "cost")}
        assert (row["position"], row["cash"], row["fees"]) == (exact.position, exact.cash, exact.fees)
        assert abs(row["cost"] - exact.cost) <= exact.closes
        assert row["cost"] * exact.position >= 0
        if exact.position == 0:
            assert row["cost"] == 0
        realised, unrealised = row["cash"] + row["cost"], exact.position * mark - row["cost"]
        assert realised + unrealised == exact.cash + exact.position * mark
    assert int(cell[0]["bought"]) == sum(quantity for side, _, quantity, _ in fills if side == BUY)
    assert int(cell[0]["sold"]) == sum(quantity for side, _, quantity, _ in fills if side == SELL)


def test_a_round_trip_realises_the_difference() -> None:
    cell = filled([(BUY, 1_000_000, 100, 30), (SELL, 1_002_500, 100, 40)])
    assert (int(cell["position"]), int(cell["cost"]), int(cell["cash"]), int(cell["fees"])) == (0, 0, 250_000, 70)


def test_a_fill_through_zero_closes_at_cost_and_opens_at_its_price() -> None:
    cell = filled([(BUY, 100, 10, 0), (BUY, 200, 10, 0), (SELL, 300, 30, 0)])
    assert (int(cell["position"]), int(cell["cost"]), int(cell["cash"])) == (-10, -3_000, 6_000)
    assert int(cell["cash"]) + int(cell["cost"]) == 20 * 300 - 10 * 100 - 10 * 200


def test_a_fill_counts_alike_for_the_firm_the_team_and_the_owner() -> None:
    loop = Loop()
    loop.wide_limits()
    loop.define_venue(1, maker_fee="-20", taker_fee="30")
    loop.quote(ALPHA, 999_900, 1_000_100)
    assert loop.start_pairs(instruments=[ALPHA, BRAVO]).applied
    mine, manual = loop.enter_for_strategy(BUY, 100), loop.enter(SELL, 40)
    loop.report(ReportKind.EXECUTED, mine, 100, 1_000_000)
    loop.report(ReportKind.EXECUTED, manual, 40, 1_000_100)
    team = loop.configuration.team_account(5)
    names = ("position", "cash", "fees", "bought", "sold", "working_buy", "working_sell")
    found = {
        "strategy": loop.leg(),
        "manual": loop.cell(FIRST_STRATEGY_ACCOUNT),
        "team": loop.cell(team),
        "firm": loop.cell(0),
    }
    both = (60, -100 * 1_000_000 + 40 * 1_000_100, 140 * 30, 100, 40, 0, 0)
    assert {who: tuple(int(cell[name]) for name in names) for who, cell in found.items()} == {
        "strategy": (100, -100 * 1_000_000, 3_000, 100, 0, 0, 0),
        "manual": (-40, 40 * 1_000_100, 1_200, 0, 40, 0, 0),
        "team": both,
        "firm": both,
    }
