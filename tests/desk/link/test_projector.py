"""Journal records become rows, once, however they are cut into blocks."""

import random
from decimal import Decimal

import pytest

from desk.blotter.models import Denial, Fill, Order, OrderEvent, Route
from desk.blotter.routes import route_of
from desk.link.models import EngineEvent
from desk.link.projector import AnotherJournal, clear, digest, offset, project
from desk.positions.models import Position
from engine.messages.codes import (
    DenialReason,
    FeedEventKind,
    OrderAction,
    OrderState,
    RecordKind,
    ReportKind,
    RouteReason,
    SessionState,
    Side,
)
from engine.messages.journal import RECORD_SIZE
from tests.desk.journal_records import PRICE, START_NS, Journal

pytestmark = pytest.mark.django_db

ORDER_COLUMNS = ("order_id", "state", "quantity", "filled_quantity", "leaves", "fees", "last_sequence")


def states() -> dict[int, OrderState]:
    return {order_id: OrderState(state) for order_id, state in Order.objects.values_list("order_id", "state")}


def day(seed: int = 1, orders: int = 40) -> Journal:
    """A mixed session: orders that fill in parts, are canceled, denied, rejected, and a session that is lost."""
    dice = random.Random(seed)
    journal = Journal()
    journal.text(RecordKind.ENGINE_STARTED, {"epoch": 1, "mode": "paper"})
    journal.session(SessionState.UP)
    for order_id in range(1, orders + 1):
        side = dice.choice([Side.BUY, Side.SELL])
        if dice.random() < 0.2:
            journal.deny(order_id, side=side)
            continue
        price = PRICE + dice.randrange(-50, 50) * 100
        journal.enter(order_id, side, 100, price=price)
        if dice.random() < 0.1:
            journal.session(SessionState.DOWN)
            journal.session(SessionState.UP)
        journal.report(order_id, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100, side=side)
        leaves = 100
        while leaves and dice.random() < 0.7:
            quantity = min(leaves, dice.randrange(1, 60))
            leaves -= quantity
            state = OrderState.PARTIALLY_FILLED if leaves else OrderState.FILLED
            journal.fill(order_id, state, leaves, quantity, side=side, price=price)
        if leaves:
            journal.cancel(order_id)
            if dice.random() < 0.7:
                journal.report(order_id, ReportKind.CANCELED, OrderState.CANCELED, 0, side=side, quantity=leaves)
    journal.append(RecordKind.FEED_EVENT, venue=1, line=0, kind=FeedEventKind.GAP, expected=5, received=9)
    return journal


def test_a_child_names_its_parent_and_an_order_of_older_journals_is_not_its_own() -> None:
    journal = Journal()
    journal.enter(3, parent_id=2)
    journal.change(OrderAction.REPLACE, 3, 4, 50, parent_id=2)
    journal.deny(5, parent_id=2)
    journal.enter(6)
    journal.enter(7, parent_id=7)  # where the parent stands, the order's own number stood

    project(journal.data)

    assert dict(Order.objects.values_list("order_id", "parent_id")) == {3: 2, 4: 2, 5: 2, 6: None, 7: None}


def test_an_order_from_request_to_its_last_fill() -> None:
    journal = Journal()
    journal.enter(1, Side.BUY, 100)
    journal.report(1, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    journal.fill(1, OrderState.PARTIALLY_FILLED, 60, 40)
    journal.fill(1, OrderState.FILLED, 0, 60, price=PRICE + 100)

    assert project(journal.data) == 4

    order = Order.objects.get()
    assert (order.strategy_id, order.team_id, order.instrument_id, order.venue_id) == (7, 3, 1, 1)
    assert (order.sequence, order.last_sequence, order.time_ns) == (1, 4, START_NS + 1_000)
    assert (order.state, order.filled_quantity, order.leaves) == (OrderState.FILLED, 100, 0)
    assert (order.price, order.filled_value, order.fees) == (Decimal(100), Decimal("10000.6"), Decimal("0.3"))
    assert (order.limits_version, order.signal) == (2, -1.25)
    assert list(
        Fill.objects.order_by("sequence").values_list("sequence", "order_id", "team_id", "price", "quantity")
    ) == [
        (3, 1, 3, Decimal(100), 40),
        (4, 1, 3, Decimal("100.01"), 60),
    ]
    assert list(OrderEvent.objects.values_list("sequence", "state")) == [
        (1, OrderState.PENDING_NEW),
        (2, OrderState.ACCEPTED),
        (3, OrderState.PARTIALLY_FILLED),
        (4, OrderState.FILLED),
    ]
    position = Position.objects.get()
    assert (position.quantity, position.cost, position.realised) == (100, Decimal("10000.6"), 0)
    assert position.average_price == Decimal("100.006")


def test_a_denied_order_keeps_what_was_measured_against_what() -> None:
    journal = Journal()
    journal.deny(1)
    project(journal.data)
    denial = Denial.objects.get()
    assert (denial.reason, denial.measured, denial.bound) == (DenialReason.ORDER_QUANTITY, 5_000, 1_000)
    assert (Order.objects.get().state, Order.objects.get().denial_reason) == (
        OrderState.DENIED,
        DenialReason.ORDER_QUANTITY,
    )


def test_a_cancel_shows_as_pending_only_while_the_order_works() -> None:
    journal = Journal()
    journal.enter(1)
    journal.cancel(1)
    journal.enter(2)
    journal.report(2, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    journal.cancel(2)
    journal.enter(3)
    journal.fill(3, OrderState.FILLED, 0, 100)
    journal.cancel(3)
    project(journal.data)
    assert states() == {1: OrderState.PENDING_NEW, 2: OrderState.PENDING_CANCEL, 3: OrderState.FILLED}


def test_a_lost_session_makes_pending_orders_unknown_until_the_venue_answers() -> None:
    journal = Journal()
    journal.enter(1)
    journal.enter(2)
    journal.report(2, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    journal.session(SessionState.DOWN)
    project(journal.data)
    assert states() == {1: OrderState.UNKNOWN, 2: OrderState.ACCEPTED}
    journal.report(1, ReportKind.NOT_SENT, OrderState.DENIED, 0)
    project(journal.data)
    assert states() == {1: OrderState.DENIED, 2: OrderState.ACCEPTED}


def shown(*names: str) -> list[tuple[object, ...]]:
    return list(Order.objects.order_by("order_id").values_list(*names))


def replaced_and_traded() -> Journal:
    """100 bought in part, replaced at another price, filled, one fill taken back."""
    journal = Journal()
    journal.enter(1)
    journal.report(1, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    journal.fill(1, OrderState.PARTIALLY_FILLED, 60, 40, match_number=7)
    journal.change(OrderAction.REPLACE, 1, 2, 140, price=PRICE + 100)
    journal.report(2, ReportKind.REPLACED, OrderState.ACCEPTED, 100, quantity=100, price=PRICE + 200)
    journal.fill(2, OrderState.FILLED, 0, 100, match_number=8, price=PRICE + 100)
    broken = {"quantity": 100, "price": PRICE + 100, "fee": -3000, "match_number": 8}
    journal.report(2, ReportKind.BROKEN, OrderState.FILLED, 0, **broken)
    return journal


def test_a_replacement_ends_the_order_it_stands_for_and_works_with_what_was_outstanding() -> None:
    project(replaced_and_traded().data[: -2 * RECORD_SIZE])
    assert shown("order_id", "target_order_id", "state", "quantity", "filled_quantity", "leaves", "price") == [
        (1, None, OrderState.CANCELED, 100, 40, 0, Decimal(100)),
        (2, 1, OrderState.ACCEPTED, 100, 0, 100, Decimal("100.02")),
    ]


def test_a_broken_trade_is_taken_out_of_order_fill_and_position_however_the_records_are_cut() -> None:
    journal = replaced_and_traded()
    project(journal.data)
    assert shown("order_id", "filled_quantity", "filled_value", "fees") == [
        (1, 40, Decimal(4_000), Decimal("0.12")),
        (2, 0, Decimal(0), Decimal(0)),
    ]
    assert list(Fill.objects.order_by("sequence").values_list("match_number", "broken_sequence")) == [(7, None), (8, 7)]
    position = Position.objects.get()
    assert (position.quantity, position.fees) == (40, Decimal("0.12"))
    assert position.realised - position.cost == -4_000
    whole = digest()
    clear()
    for record in journal.records:
        project(record)
    assert digest() == whole


def test_a_corrected_trade_is_a_broken_fill_and_another_one() -> None:
    journal = Journal()
    journal.enter(1)
    journal.fill(1, OrderState.FILLED, 0, 100, match_number=7)
    broken = {"quantity": 100, "price": PRICE, "fee": -3000, "match_number": 7}
    journal.report(1, ReportKind.BROKEN, OrderState.FILLED, 0, **broken)
    journal.fill(1, OrderState.FILLED, 0, 100, match_number=7, price=PRICE - 100, reason=ord("N"))
    project(journal.data)
    assert list(Fill.objects.order_by("sequence").values_list("price", "broken_sequence")) == [
        (Decimal(100), 3),
        (Decimal("99.99"), None),
    ]
    assert shown("filled_quantity", "filled_value") == [(100, Decimal(9_999))]
    assert (Position.objects.get().quantity, Position.objects.get().average_price) == (100, Decimal("99.99"))


def test_a_refused_replacement_leaves_the_order_working_and_a_venue_request_is_no_order() -> None:
    journal = Journal()
    journal.enter(1)
    journal.report(1, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    journal.change(OrderAction.REPLACE, 1, 2, 140)
    journal.fill(1, OrderState.PENDING_REPLACE, 60, 40)
    journal.report(2, ReportKind.REJECTED, OrderState.REJECTED, 0)
    journal.change(OrderAction.MODIFY, 1, 1, 50)
    journal.report(1, ReportKind.MODIFIED, OrderState.PARTIALLY_FILLED, 10, quantity=10)
    journal.append(RecordKind.ORDER_REQUEST, order_id=3, venue=1, action=OrderAction.MASS_CANCEL)
    journal.append(RecordKind.ORDER_NUMBERS, first=1, last=16_384)
    project(journal.data)
    assert shown("order_id", "state", "leaves") == [
        (1, OrderState.PARTIALLY_FILLED, 10),
        (2, OrderState.REJECTED, 0),
    ]
    actions = OrderEvent.objects.filter(action__isnull=False).values_list("action", "order_id")
    assert list(actions) == [(OrderAction.ENTER, 1), (OrderAction.REPLACE, 1), (OrderAction.MODIFY, 1)]


def test_a_position_closes_at_its_share_of_the_cost_and_turns() -> None:
    journal = Journal()
    for order_id, (side, quantity, price) in enumerate(
        [
            (Side.BUY, 100, 1_000_000),
            (Side.BUY, 200, 1_030_000),
            (Side.SELL, 150, 1_050_000),
            (Side.SELL, 200, 990_000),
        ],
        start=1,
    ):
        journal.enter(order_id, side, quantity, price=price)
        journal.fill(order_id, OrderState.FILLED, 0, quantity, side=side, price=price, fee=0)
    project(journal.data)
    position = Position.objects.get()
    # 300 bought for 30,600: 102 each. 150 sold at 105, then 150 at 99; 50 are short at 99.
    assert (position.quantity, position.cost, position.realised) == (-50, Decimal(-4_950), Decimal(0))


def test_manual_orders_have_no_strategy() -> None:
    journal = Journal(strategy=0)
    journal.enter(1)
    journal.fill(1, OrderState.FILLED, 0, 100)
    project(journal.data)
    assert (Order.objects.get().strategy_id, Fill.objects.get().strategy_id) == (None, None)
    assert (Position.objects.get().strategy_id, Position.objects.get().team_id) == (None, 3)


def test_a_duplicate_report_is_no_second_fill() -> None:
    journal = Journal()
    journal.enter(1)
    journal.fill(1, OrderState.FILLED, 0, 100)
    journal.fill(1, OrderState.FILLED, 0, 100, duplicate=1)
    project(journal.data)
    assert (Fill.objects.count(), Position.objects.get().quantity) == (1, 100)


def test_the_same_block_twice_changes_nothing() -> None:
    journal = day()
    count = project(journal.data)
    once = digest()
    assert (count, project(journal.data)) == (len(journal.records), 0)
    assert digest() == once


@pytest.mark.parametrize("seed", range(4))
def test_however_the_journal_is_cut_the_rows_are_the_same(seed: int) -> None:
    journal = day(seed)
    project(journal.data)
    whole = digest()
    assert whole["blotter_fill"]["rows"] > 0
    clear()
    assert all(table["rows"] == 0 for table in digest().values())

    dice = random.Random(seed)
    at = 0
    while at < len(journal.records):
        back = max(0, at - dice.randrange(3))
        until = at + dice.randrange(1, 12)
        project(b"".join(journal.records[back:until]))
        at = until

    assert digest() == whole
    assert offset().sequence == len(journal.records)


def test_events_of_the_engine_are_kept_with_their_fields() -> None:
    journal = day()
    project(journal.data)
    started = EngineEvent.objects.get(kind=RecordKind.ENGINE_STARTED)
    gap = EngineEvent.objects.get(kind=RecordKind.FEED_EVENT)
    assert started.detail == {"epoch": 1, "mode": "paper"}
    assert (gap.detail["expected"], gap.detail["received"], gap.detail["kind"]) == (5, 9, FeedEventKind.GAP)


def test_a_missing_record_is_never_passed_over() -> None:
    journal = day()
    project(b"".join(journal.records[:5]))
    with pytest.raises(AnotherJournal, match="Record 6 is missing"):
        project(b"".join(journal.records[6:]))
    assert offset().sequence == 5


def test_another_journal_is_noticed() -> None:
    journal = day()
    project(b"".join(journal.records[:5]))
    other = Journal()
    other.records = [b""] * 4
    other.enter(1)
    changed = bytearray(other.records[4])
    changed[24] ^= 1
    with pytest.raises(AnotherJournal, match="Record 5 is not the one"):
        project(bytes(changed))


def test_a_decision_of_the_router_becomes_a_row_for_each_venue() -> None:
    journal = Journal()
    given = {"route_id": 8, "instrument": 1, "side": Side.BUY, "round": 1}
    journal.append(
        RecordKind.ROUTE,
        **given,
        venue=1,
        reason=RouteReason.TAKEN_AND_RESTED,
        take_order_id=9,
        rest_order_id=10,
        take_price=PRICE,
        rest_price=PRICE,
        take_quantity=300,
        rest_quantity=100,
        displayed=300,
        ahead=500,
        price_part=50_000,
        fee_part=-2_000,
        risk_part=1_500,
        rest_cost=-41_250,
        fill_chance=612,
        latency_us=800,
    )
    journal.append(RecordKind.ROUTE, **given, venue=2, reason=RouteReason.COSTS_MORE, fee_part=30_000)
    project(journal.data)
    first, second = Route.objects.values()
    assert first | {"time_ns": 0} == {
        "sequence": 1, "route_id": 8, "time_ns": 0, "round": 1, "venue_id": 1, "instrument_id": 1, "side": Side.BUY,
        "reason": RouteReason.TAKEN_AND_RESTED, "taken": 9, "rested": 10, "take_price": Decimal(100),
        "rest_price": Decimal(100), "take_quantity": 300, "rest_quantity": 100, "displayed": 300, "ahead": 500,
        "price_part": Decimal("0.005"), "fee_part": Decimal("-0.0002"), "risk_part": Decimal("0.00015"),
        "rest_cost": Decimal("-0.004125"), "fill_chance": 612, "latency_us": 800,
    }  # fmt: skip
    assert (second["taken"], second["rested"], second["fee_part"]) == (None, None, Decimal("0.003"))
    shown = [(row.route.venue_id, row.sentence, row.mine) for row in route_of(10)]
    assert shown == [(1, "Takes and rests here", True), (2, "Passed over: it costs more", False)]
    assert route_of(11) == []
