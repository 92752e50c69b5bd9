"""Trades that a venue takes back or corrects: position, money, fees and journal as if they had not happened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.hotpath import tables
from engine.messages.codes import OrderState, RecordKind, ReportKind
from engine.protocols import ouch50
from tests.engine.hotpath.ouch_venue import OuchVenue, accepted, executed, sequenced
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, SELL, TEAM, VENUE, Loop

PRICE = 1_000_000
MONEY = ("position", "cash", "fees", "bought", "sold", "working_buy", "working_sell")
FEE = 30


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits(**{name: {"position": 10**6, "orders_per_second": 10**6} for name in ("firm", "team", "strategy")})
    made.quote(ALPHA, 999_900, 1_000_100)
    assert made.start_pairs(instruments=[ALPHA, BRAVO]).applied
    made.memory.venues[VENUE]["taker_fee"] = FEE
    return made


@pytest.fixture
def venue(loop: Loop) -> Iterator[OuchVenue]:
    made = OuchVenue(loop)
    yield made
    made.close()


def broken(order_id: int, match_number: int) -> bytes:
    fields = {"user_reference": order_id, "match_number": match_number, "reason": "E", "client_order_id": ""}
    return ouch50.encode_outbound("broken_trade", timestamp_ns=9, **fields)


def correction(order_id: int, match_number: int, quantity: int, price: int) -> bytes:
    fields = {"user_reference": order_id, "match_number": match_number, "quantity": quantity, "price": price}
    return ouch50.encode_outbound(
        "trade_correction", timestamp_ns=9, liquidity="R", reason="N", client_order_id="", **fields
    )


def money(loop: Loop) -> list[dict[str, int]]:
    """Of leg, team and firm."""
    team = loop.configuration.team_account(TEAM)
    cells = (loop.leg(), loop.cell(team), loop.cell(0))
    return [{name: int(cell[name]) for name in MONEY} for cell in cells]


def accounts(loop: Loop) -> list[tuple[int, int]]:
    used = loop.memory.accounts
    return [(int(row["cash"]), int(row["fees"])) for row in used]


def profit(loop: Loop) -> list[int]:
    """Realised plus unrealised at some mark: what does not depend on how it is split."""
    return [row["cash"] + row["position"] * 1_234_500 - row["fees"] for row in money(loop)]


def test_a_broken_fill_never_happened_for_positions_money_and_fees(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id), executed(order_id, 40, 7)))
    before, paid = money(loop), accounts(loop)
    venue.send(sequenced(executed(order_id, 60, 8, 1_000_100)))
    loop.taken()
    venue.send(sequenced(broken(order_id, 8)))
    after = money(loop)
    assert [row | {"working_buy": 0} for row in after] == [row | {"working_buy": 0} for row in before]
    assert accounts(loop) == paid
    order = loop.order(order_id)
    assert (int(order["state"]), int(order["filled"]), int(order["leaves"])) == (OrderState.FILLED, 40, 0)
    (report,) = loop.bodies(RecordKind.ORDER_REPORT)
    assert {name: report[name] for name in ("kind", "order_id", "match_number", "price", "quantity", "fee")} == {
        "kind": ReportKind.BROKEN,
        "order_id": order_id,
        "match_number": 8,
        "price": 1_000_100,
        "quantity": 60,
        "fee": -60 * FEE,
    }
    assert (report["side"], report["reason"], report["duplicate"]) == (BUY, ord("E"), 0)


def test_a_break_said_twice_or_of_a_trade_that_is_not_known_changes_nothing(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(SELL, 100, PRICE)
    venue.send(sequenced(accepted(order_id), executed(order_id, 40, 7), broken(order_id, 7)))
    before, unknown = money(loop), int(loop.core["unknown_reports"])
    loop.taken()
    venue.send(sequenced(broken(order_id, 7), broken(order_id, 99)))
    assert (money(loop), int(loop.core["unknown_reports"])) == (before, unknown + 1)
    assert [report["duplicate"] for report in loop.bodies(RecordKind.ORDER_REPORT)] == [1, 1]


def test_a_correction_is_a_break_and_another_fill_and_takes_nothing_more_from_the_order(
    loop: Loop, venue: OuchVenue
) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id), executed(order_id, 40, 7)))
    loop.taken()
    sequence = int(venue.row["next_inbound"])
    venue.send(sequenced(correction(order_id, 7, 40, 999_000)))
    assert [row["position"] for row in money(loop)] == [40] * 3
    assert [row["cash"] for row in money(loop)] == [-40 * 999_000] * 3
    order = loop.order(order_id)
    assert (int(order["leaves"]), int(order["filled"])) == (60, 40)
    reports = [(r["kind"], r["price"], r["quantity"]) for r in loop.bodies(RecordKind.ORDER_REPORT)]
    assert reports == [(ReportKind.BROKEN, PRICE, 40), (ReportKind.EXECUTED, 999_000, 40)]
    assert int(venue.row["next_inbound"]) == sequence + 1
    venue.send(sequenced(broken(order_id, 7)))
    assert [row["position"] for row in money(loop)] == [0] * 3


def test_a_correction_of_a_trade_that_is_not_known_is_told_and_not_booked(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id)))
    loop.core["attention"] = 0
    venue.send(sequenced(correction(order_id, 7, 40, 999_000)))
    assert [row["position"] for row in money(loop)] == [0] * 3
    assert int(loop.core["attention"]) & tables.REPORT_UNKNOWN


def test_a_break_after_the_order_has_left_the_table_is_booked_all_the_same(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id), executed(order_id, 100, 7)))
    loop.core["next_order_id"] = order_id + len(loop.memory.orders)
    loop.enter(BUY, 10, PRICE)
    venue.send(sequenced(broken(order_id, 7)))
    assert [row["position"] for row in money(loop)] == [0] * 3


def test_a_break_after_the_leg_went_to_another_instrument_is_the_desks_own(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id), executed(order_id, 100, 7)))
    loop.leg()["instrument"] = BRAVO
    venue.send(sequenced(broken(order_id, 7)))
    manual = loop.cell(tables.FIRST_STRATEGY_ACCOUNT)
    assert (int(loop.leg()["position"]), int(manual["position"]), int(loop.cell(0)["position"])) == (100, -100, 0)


TRADES = st.lists(
    st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 50), st.integers(9_900, 10_100)), min_size=1, max_size=8
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TRADES, st.data())
def test_with_any_of_the_fills_broken_the_profit_is_that_of_the_others(
    loop: Loop, trades: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    taken_back = data.draw(st.sets(st.integers(0, len(trades) - 1)))
    start, positions = profit(loop), [row["position"] for row in money(loop)]
    orders = []
    for at, (side, quantity, price) in enumerate(trades):
        order_id = loop.enter(side, quantity, PRICE, strategy=1, leg=tables.LEGS_PER_STRATEGY)
        loop.answer(accepted(order_id, quantity, side="B" if side == BUY else "S"))
        loop.answer(executed(order_id, quantity, at + 1, price * 100))
        orders.append(order_id)
    for at in taken_back:
        loop.answer(broken(orders[at], at + 1))
    kept = [trade for at, trade in enumerate(trades) if at not in taken_back]
    signed = [quantity if side == BUY else -quantity for side, quantity, _ in kept]
    earned = sum(n * (1_234_500 - price * 100) for n, (_, _, price) in zip(signed, kept, strict=True))
    fees = FEE * sum(quantity for _, quantity, _ in kept)
    assert profit(loop) == [value + earned - fees for value in start]
    assert [row["position"] for row in money(loop)] == [value + sum(signed) for value in positions]
    loop.journal.take()
