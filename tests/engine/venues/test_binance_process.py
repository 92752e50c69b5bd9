"""The Binance process, real, against a venue on loopback: from a difference to a signed order and its fill."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.messages.codes import Liquidity, OrderState, ReportKind, SessionState, Side, TimeInForce
from engine.protocols import itch50, moldudp64
from tests.engine.venues.binance_engine import INSTRUMENT_ID, UNITS, VENUE_ID, Engine, wait_for
from tests.engine.venues.binance_venue import BinanceVenue

START = ([(1_000_000, UNITS)], [(1_001_000, UNITS)])


@pytest.fixture
def venue() -> Iterator[BinanceVenue]:
    made = BinanceVenue()
    yield made
    made.close()


@pytest.fixture
def engine(tmp_path: Path, venue: BinanceVenue) -> Iterator[Engine]:
    made = Engine(tmp_path, venue)
    made.wait_session(SessionState.UP)
    wait_for(lambda: venue.streaming, "the streams")
    venue.change({"99.00": "2.00000"})
    made.wait_book([*START[0], (990_000, 2 * UNITS)], START[1])
    yield made
    made.close()


def test_a_difference_becomes_the_engines_book_and_a_signed_order_comes_back_filled(
    engine: Engine, venue: BinanceVenue
) -> None:
    venue.change(asks={"100.05": "0.30000"})
    engine.wait_book([*START[0], (990_000, 2 * UNITS)], [(1_000_500, 30_000), *START[1]])
    engine.enter(11, price=1_000_500, quantity=30_000, time_in_force=TimeInForce.IOC)
    engine.wait_reports(1)
    venue.fill(engine.client_id(11), "0.10000", "100.05")
    venue.fill(engine.client_id(11), "0.20000", "100.04")
    engine.wait_reports(3)
    sent = venue.asked("order.place")[0]
    assert {name: sent[name] for name in sent if name not in ("signature", "timestamp", "apiKey")} == {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "price": "100.0500",
        "quantity": "0.30000", "newClientOrderId": engine.client_id(11), "newOrderRespType": "ACK", "recvWindow": 500,
    }  # fmt: skip
    order_number = venue.orders[engine.client_id(11)]["id"]
    common = {
        "position": 0, "order_id": 11, "venue_reference": 11, "venue_time_ns": 1_723_161_255_208_000_000,
        "strategy": 7, "instrument": INSTRUMENT_ID, "venue": VENUE_ID, "side": Side.BUY, "reason": 0, "duplicate": 0,
    }  # fmt: skip
    fill = common | {"kind": ReportKind.EXECUTED, "liquidity": Liquidity.REMOVED, "fee": 100_000}
    expected = [
        common | {"kind": ReportKind.ACCEPTED, "quantity": 30_000, "leaves": 30_000, "state": OrderState.ACCEPTED,
                  "price": 1_000_500, "venue_sequence": 1, "match_number": order_number, "liquidity": 0, "fee": 0},
        fill | {"price": 1_000_500, "quantity": 10_000, "leaves": 20_000, "state": OrderState.PARTIALLY_FILLED,
                "venue_sequence": 2, "match_number": order_number + 1},
        fill | {"price": 1_000_400, "quantity": 20_000, "leaves": 0, "state": OrderState.FILLED,
                "venue_sequence": 3, "match_number": order_number + 2},
    ]  # fmt: skip
    assert [{name: int(report[name]) for name in report.dtype.names} for report in engine.journal] == expected


def test_a_cancel_and_what_the_venue_refuses(engine: Engine, venue: BinanceVenue) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    engine.cancel(1)
    engine.wait_reports(2)
    engine.cancel(1)
    engine.wait_reports(3)
    venue.refusing["order.place"] = (400, -2010, "Account has insufficient balance for requested action.")
    engine.enter(2)
    engine.wait_reports(4)
    assert engine.told() == [
        ("ACCEPTED", 1, 20_000, 20_000),
        ("CANCELED", 1, 20_000, 0),
        ("CANCEL_REJECTED", 1, 0, 0),
        ("REJECTED", 2, 0, 0),
    ]
    assert int(engine.journal[3]["reason"]) == 10


def test_lost_updates_make_the_feed_dirty_until_another_snapshot_says_what_is_different(
    engine: Engine, venue: BinanceVenue
) -> None:
    before, ahead = venue.snapshots, engine.claims_ahead
    venue.bids["99.50"] = "3.00000"
    venue.change({"99.00": "0.00000"}, lost=3)

    def gap() -> bool:
        engine.listen()
        return engine.claims_ahead > ahead  # it may be over before we look again

    wait_for(gap, "the gap")
    engine.wait_book([*START[0], (995_000, 3 * UNITS)], START[1])
    assert venue.snapshots > before
    assert len(engine.names) == 1


def test_after_a_cut_connection_book_and_orders_are_made_good(engine: Engine, venue: BinanceVenue) -> None:
    engine.enter(1)
    engine.enter(2)
    engine.wait_reports(2)
    venue.fill(engine.client_id(1), "0.05000", "100.10", told=False)
    venue.fill(engine.client_id(2), "0.20000", "100.10", told=False)
    venue.asks["100.20"] = "4.00000"
    venue.cut()
    engine.wait_session(SessionState.DOWN)
    engine.wait_session(SessionState.UP)
    engine.wait_book([*START[0], (990_000, 2 * UNITS)], [*START[1], (1_002_000, 4 * UNITS)])
    fills = [("EXECUTED", 1, 5_000, 15_000), ("EXECUTED", 2, 20_000, 0)]
    assert sorted(engine.told()[2:]) == fills
    venue.fill(engine.client_id(1), "0.15000", "100.10")
    engine.wait_reports(5)
    assert engine.told()[4] == ("EXECUTED", 1, 15_000, 0)


def test_an_order_whose_answer_never_comes_is_asked_for_and_is_not_sent_when_it_never_arrived(
    engine: Engine, venue: BinanceVenue
) -> None:
    venue.holding.add("order.place")
    venue.refusing["order.place"] = (504, -1007, "Timeout waiting for response from backend server.")
    venue.holding.discard("order.place")
    engine.enter(1)
    engine.wait_reports(1)
    assert engine.told() == [("NOT_SENT", 1, 0, 0)]
    assert len(venue.asked("order.place")) == 1
    assert venue.asked("order.status")[-1]["origClientOrderId"] == engine.client_id(1)


def test_an_order_that_arrived_although_the_connection_broke_is_known_again(
    engine: Engine, venue: BinanceVenue
) -> None:
    venue.holding.add("order.place")
    venue._tell = lambda *_, **__: None  # type: ignore[method-assign]
    engine.enter(1)
    wait_for(lambda: engine.client_id(1) in venue.orders, "the order")
    venue.cut()
    engine.wait_session(SessionState.UP)
    engine.wait_reports(1)
    assert engine.told() == [("ACCEPTED", 1, 20_000, 20_000)]
    assert len(venue.asked("order.place")) == 1


def test_without_a_session_an_order_was_provably_not_sent(engine: Engine, venue: BinanceVenue) -> None:
    venue.ignoring.add("time")
    venue.cut()
    engine.wait_session(SessionState.DOWN)
    engine.enter(1)
    engine.wait_reports(1)
    assert engine.told() == [("NOT_SENT", 1, 0, 0)]
    assert venue.asked("order.place") == []


def test_a_killed_process_leaves_orders_that_the_next_one_asks_for(engine: Engine, venue: BinanceVenue) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    engine.kill()
    venue.fill(engine.client_id(1), "0.20000", "100.10", told=False)
    venue.change({"98.00": "1.00000"})
    engine.start()
    engine.wait_session(SessionState.UP)
    engine.wait_reports(2)
    assert engine.told()[1] == ("EXECUTED", 1, 20_000, 0)
    engine.wait_book([*START[0], (990_000, 2 * UNITS), (980_000, UNITS)], START[1])
    assert len(engine.names) == 2
    assert engine.next_references == [1, 2]


def test_a_report_that_cannot_be_read_closes_the_session_until_all_orders_agree(
    engine: Engine, venue: BinanceVenue
) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    venue.account_event({"e": "executionReport", "s": "BTCUSDT", "c": engine.client_id(1), "x": "TRADE"})
    wait_for(lambda: engine.drain() or engine.sessions[-2:] == [SessionState.RECONCILING, SessionState.UP], "doubt")
    assert engine.told() == [("ACCEPTED", 1, 20_000, 20_000)]


def test_trades_are_published_once_and_lost_packets_are_sent_again(engine: Engine, venue: BinanceVenue) -> None:
    for number in (5, 5, 6):
        venue.trade(number, "100.05", "0.25000", buyer_is_maker=True)
    wait_for(lambda: engine.listen() or sum(raw[:1] == b"P" for raw in engine.seen) == 2, "two trades")
    trades = [itch50.decode(raw) for raw in engine.seen if raw[:1] == b"P"]
    assert [(t["match_number"], t["side"], t["price"], t["quantity"]) for t in trades] == [
        (5, "B", 1_000_500, 25_000), (6, "B", 1_000_500, 25_000),
    ]  # fmt: skip
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(10)
        request = moldudp64.encode_request(engine.names[0], 2, 3)
        asking.sendto(request, ("127.0.0.1", engine.retransmission_port))
        again = moldudp64.decode(asking.recv(65536))
    assert (again.sequence, list(again.messages)) == (2, engine.seen[1:4])


def test_a_book_that_disagrees_with_the_venues_best_prices_is_made_good(engine: Engine, venue: BinanceVenue) -> None:
    before = venue.snapshots
    venue.bids["100.01"] = "5.00000"  # a level that no difference ever said
    venue.change({"98.00": "1.00000"})
    venue.quote("100.01", "5.00000", "100.10", "1.00000")
    venue.change({"97.00": "1.00000"})
    venue.quote("100.01", "5.00000", "100.10", "1.00000")
    bids = [(1_000_100, 5 * UNITS), *START[0], (990_000, 2 * UNITS), (980_000, UNITS), (970_000, UNITS)]
    engine.wait_book(bids, START[1])
    assert venue.snapshots > before
