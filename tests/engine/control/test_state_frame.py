"""The state as screens get it: every number from the loop's tables, and sums that agree."""

from __future__ import annotations

import json

import pytest

from engine.control.state_frame import StateFrame
from engine.hotpath.mark import DAY_NS
from engine.messages import control
from engine.messages.codes import ReportKind, Scope
from tests.engine.loop_builder import (
    ALPHA,
    BRAVO,
    BUY,
    OPEN_NS,
    OTHER_VENUE,
    SECOND_NS,
    SELL,
    START_NS,
    STRATEGY,
    VENUE,
    Loop,
)

MIDDLE = 1_000_000
NO_TEXT = dict.fromkeys(
    ("status", "status_reason", "imbalance_side", "retail_interest", "release_time", "direct_listing")
)
NO_NUMBER = dict.fromkeys(
    ("collar_lower", "collar_upper", "last_price", "last_quantity", "imbalance_quantity", "paired_quantity")
)
NOTHING_SAID = NO_TEXT | NO_NUMBER | {"near_price": None, "short_sale": False, "volume": 0, "market_makers": 0}


@pytest.fixture
def loop() -> Loop:
    """Fees of 0.0030 for taking, one running strategy that wants nothing, a book."""
    made = Loop(venues=())
    for venue in (VENUE, OTHER_VENUE):
        made.define_venue(venue, taker_fee="30")
        made.session(venue)
    made.core["state"] = 3
    made.wide_limits()
    made.quote(ALPHA, MIDDLE - 100, MIDDLE + 100)
    assert made.start_pairs(instruments=[ALPHA, BRAVO]).applied
    return made


def frame(loop: Loop) -> dict:
    return StateFrame(loop.configuration, 3, "paper").make()


def traded(loop: Loop) -> None:
    """The strategy holds 100 bought at 100.0100, 40 of them sold; a person sold 50."""
    for side, quantity, price in ((BUY, 100, MIDDLE + 100), (SELL, 40, MIDDLE - 100)):
        loop.report(ReportKind.EXECUTED, loop.enter_for_strategy(side, quantity, price), quantity, price)
    loop.report(ReportKind.EXECUTED, loop.enter(SELL, 50, MIDDLE - 100), 50, MIDDLE - 100)
    loop.enter_for_strategy(BUY, 10)


def test_the_head_of_the_frame(loop: Loop) -> None:
    made = frame(loop)
    names = ("version", "epoch", "mode", "engine_state", "time_ns", "limits_version", "limits_hash", "kills")
    assert {name: made[name] for name in names} == {
        "version": 1,
        "epoch": 3,
        "mode": "PAPER",
        "engine_state": "ACTIVE",
        "time_ns": START_NS,
        "limits_version": 1,
        "limits_hash": loop.configuration.limits_hash,
        "kills": [],
    }
    assert json.loads(json.dumps(made)) == made


def test_kills_are_listed_by_scope(loop: Loop) -> None:
    loop.kill(Scope.VENUE, OTHER_VENUE)
    loop.kill(Scope.FIRM)
    made = frame(loop)
    assert made["kills"] == [{"scope": "FIRM", "scope_id": 0}, {"scope": "VENUE", "scope_id": OTHER_VENUE}]
    assert made["engine_state"] == "HALTED"


def test_positions_with_average_price_mark_and_profit(loop: Loop) -> None:
    traded(loop)
    cost = 60 * (MIDDLE + 100)
    assert frame(loop)["positions"] == [
        {
            "strategy": STRATEGY,
            "venue": VENUE,
            "instrument": ALPHA,
            "quantity": 60,
            "average_price": MIDDLE + 100,
            "mark": MIDDLE,
            "realised": -40 * 200,
            "unrealised": 60 * MIDDLE - cost,
            "fees": 140 * 30,
        },
        {
            "strategy": 0,
            "venue": None,
            "instrument": ALPHA,
            "quantity": -50,
            "average_price": MIDDLE - 100,
            "mark": MIDDLE,
            "realised": 0,
            "unrealised": -50 * 100,
            "fees": 50 * 30,
        },
    ]


def test_a_position_without_a_live_price_keeps_its_cost_as_its_value(loop: Loop) -> None:
    traded(loop)
    bid, _ = loop.quoted[VENUE, ALPHA]
    loop.packet([loop.delete(bid)])
    mine = frame(loop)["positions"][0]
    assert (mine["mark"], mine["unrealised"]) == (None, 0)


def test_profit_of_the_frame_is_the_sum_of_its_positions_and_of_the_firms_money(loop: Loop) -> None:
    traded(loop)
    loop.market_time(OPEN_NS + SECOND_NS)
    made = frame(loop)
    total = {name: sum(row[name] for row in made["positions"]) for name in ("realised", "unrealised", "fees")}
    net = total["realised"] + total["unrealised"] - total["fees"]
    assert made["pnl"] == total | {"net": net, "today": net}
    firm = loop.memory.accounts[0]
    assert made["pnl"]["net"] == int(firm["cash"] + firm["holdings"] - firm["fees"])


def test_strategies_with_counts_and_profit(loop: Loop) -> None:
    traded(loop)
    loop.enter_for_strategy(quantity=1_000_000)
    (row,) = frame(loop)["strategies"]
    mine = frame(loop)["positions"][0]
    assert row == {
        "strategy": STRATEGY,
        "state": "RUNNING",
        "signal": 0.0,
        "orders": 3,
        "fills": 2,
        "denials": 1,
        "working": 1,
        "realised": mine["realised"],
        "unrealised": mine["unrealised"],
        "fees": mine["fees"],
        "net": mine["realised"] + mine["unrealised"] - mine["fees"],
        "today": mine["realised"] + mine["unrealised"] - mine["fees"],
    }


def test_the_profit_of_today_counts_from_midnight(loop: Loop) -> None:
    traded(loop)
    loop.market_time(OPEN_NS + SECOND_NS)
    before = frame(loop)
    loop.clock((int(loop.core["day"]) + 1) * DAY_NS)
    loop.market_time(OPEN_NS + 2 * SECOND_NS)
    assert [row["today"] for row in (frame(loop)["pnl"], *frame(loop)["strategies"])] == [0, 0]
    loop.report(ReportKind.EXECUTED, loop.enter_for_strategy(SELL, 10, MIDDLE), 10, MIDDLE)
    after = frame(loop)
    for mine, then in ((after["pnl"], before["pnl"]), (after["strategies"][0], before["strategies"][0])):
        assert (mine["net"] - then["net"], mine["today"]) == (-300, -300)


def test_a_stopped_strategy_with_working_orders_is_stopping(loop: Loop) -> None:
    order_id = loop.enter_for_strategy()
    loop.applied(control.StopStrategy(STRATEGY))
    assert frame(loop)["strategies"][0]["state"] == "STOPPING"
    loop.report(ReportKind.CANCELED, order_id)
    assert frame(loop)["strategies"][0]["state"] == "STOPPED"


def test_tops_say_nothing_of_an_empty_side(loop: Loop) -> None:
    loop.packet([loop.add(BRAVO, SELL, 2_000_000)])
    tops = {(row["venue"], row["instrument"]): row for row in frame(loop)["tops"]}
    assert len(tops) == 6
    assert (
        tops[VENUE, ALPHA]
        == {
            "venue": VENUE,
            "instrument": ALPHA,
            "bid": MIDDLE - 100,
            "bid_quantity": 500,
            "ask": MIDDLE + 100,
            "ask_quantity": 500,
        }
        | NOTHING_SAID
    )
    assert (
        tops[VENUE, BRAVO]
        == {
            "venue": VENUE,
            "instrument": BRAVO,
            "bid": None,
            "bid_quantity": None,
            "ask": 2_000_000,
            "ask_quantity": 500,
        }
        | NOTHING_SAID
    )


def test_venues_and_feeds_with_their_counts(loop: Loop) -> None:
    traded(loop)
    loop.datagram(b"garbage")
    made = frame(loop)
    assert made["venues"][0] == {
        "venue": VENUE,
        "name": "X1",
        "protocol": "ouch50",
        "session": "UP",
        "orders": 4,
        "fills": 3,
        "rejects": 0,
        "malformed": 0,
        "debug_packets": 0,
        "order_entry": "enabled",
        "why": "",
        "last_heard_ns": None,
        "market": None,
        "phase": None,
        "breached": None,
        "unknown_broken": 0,
    }
    assert made["feeds"][0] == {
        "venue": VENUE,
        "line": "A",
        "dirty": False,
        "packets": 2,
        "messages": 2,
        "duplicates": 0,
        "gaps": 0,
        "lost": 0,
        "malformed": 1,
        "ended": False,
        "heartbeats": 0,
        "recovered": 0,
        "behind": 0,
        "behind_mean_ns": None,
        "behind_most_ns": None,
        "last_heard_ns": START_NS,
    }
    assert [(row["venue"], row["line"]) for row in made["feeds"]] == [(1, "A"), (1, "B"), (2, "A"), (2, "B")]


def test_what_the_books_refused_is_counted(loop: Loop) -> None:
    loop.packet([b"!" + bytes(30), loop.delete(777)])
    loop.report(ReportKind.ACCEPTED, 4711)
    refused = {name: count for name, count in frame(loop)["refused"].items() if count}
    assert refused == {"unknown_type": 1, "unknown_order": 1, "unknown_report": 1}


def test_an_engine_without_orders_has_no_latency(loop: Loop) -> None:
    nothing = {"n": 0, "p50_ns": None, "p90_ns": None, "p99_ns": None, "p999_ns": None, "max_ns": None}
    stages = dict.fromkeys(("decide", "journal", "send", "whole"), nothing)
    whole = {name: value for name, value in nothing.items() if name != "p90_ns"}
    assert frame(loop)["latency"] == whole | {"minute": stages, "day": stages, "lost": 0, "logged": 0, "failure": ""}


def test_an_alarm_is_shown_from_when_it_went_on_until_it_is_over(loop: Loop) -> None:
    assert frame(loop)["alarms"] == []
    loop.applied(control.Alarm("latency_p99", 1, "too slow", 2_000, 1_000))
    alarm = {"name": "latency_p99", "sentence": "too slow", "since_ns": int(loop.core["clock_ns"])}
    assert frame(loop)["alarms"] == [alarm]
    loop.applied(control.Alarm("latency_p99", 0, "well again", 900, 1_000))
    assert frame(loop)["alarms"] == []
