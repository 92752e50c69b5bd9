"""What Binance says of orders as reports, and what it lists: whole, in units, and refused when it makes no sense."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.codes import Liquidity, OrderState, ReportKind, Side, TimeInForce
from engine.protocols.layouts import MalformedMessage
from engine.venues import why_not_on_paper
from engine.venues.binance import read_settings
from engine.venues.binance_orders import (
    Listed,
    fee_of,
    named_parameters,
    order_id_of,
    place_parameters,
    read_execution_report,
    read_listing,
    read_status,
    read_trades,
    reason_of,
)
from engine.venues.fix44_orders import Order

LISTED = Listed("BTCUSDT", 5, "BTC", "USDT")
# The order update of the documents ("User Data Streams", executionReport), with a symbol and an order id of ours.
EVENT: dict[str, Any] = {
    "e": "executionReport", "E": 1499405658658, "s": "BTCUSDT", "c": "0123abcd-17", "S": "BUY", "o": "LIMIT",
    "f": "GTC", "q": "1.00000000", "p": "0.10260000", "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "",
    "x": "NEW", "X": "NEW", "r": "NONE", "i": 4293153, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000",
    "n": "0", "N": None, "T": 1499405658657, "t": -1,
    "I": 8641984, "w": True, "m": False, "M": False, "O": 1499405658657,
    "Z": "0.00000000", "Y": "0.00000000", "Q": "0.00000000",
}  # fmt: skip
ORDER = Order(17, 0, 9, 7, Side.BUY, TimeInForce.DAY, 100_000, 1026)
COMMON = {"order_id": 17, "venue_reference": 17, "venue_time_ns": 1_499_405_658_657_000_000, "price": 1026}


def values(**changes: Any) -> dict[str, int]:
    report = read_execution_report(EVENT | changes, "0123abcd", LISTED)
    assert report is not None
    return report.values


def test_an_order_is_placed_and_named_in_the_venues_words() -> None:
    assert place_parameters(ORDER, LISTED, "0123abcd") == {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "0.1026",
        "quantity": "1.00000", "newClientOrderId": "0123abcd-17", "newOrderRespType": "ACK",
    }  # fmt: skip
    posts = place_parameters(replace(ORDER, time_in_force=TimeInForce.POST_ONLY), LISTED, "0123abcd")
    assert (posts["type"], posts.get("timeInForce")) == ("LIMIT_MAKER", None)
    assert named_parameters(ORDER, LISTED, "0123abcd") == {
        "symbol": "BTCUSDT", "origClientOrderId": "0123abcd-17",
    }  # fmt: skip


def test_a_new_order_is_accepted() -> None:
    assert values() == COMMON | {
        "kind": ReportKind.ACCEPTED, "quantity": 100_000, "leaves": 100_000, "state": OrderState.ACCEPTED,
        "match_number": 4293153,
    }  # fmt: skip


def test_a_trade_is_a_fill_with_its_price_liquidity_and_fee() -> None:
    trade = {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.25000000", "z": "0.25000000", "L": "0.10250000", "t": 77}
    assert values(**trade, m=True, n="0.00002500", N="BTC") == COMMON | {
        "kind": ReportKind.EXECUTED, "match_number": 77, "price": 1025, "quantity": 25_000, "leaves": 75_000,
        "state": OrderState.PARTIALLY_FILLED, "liquidity": Liquidity.ADDED, "fee": 2563,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"x": "CANCELED", "X": "CANCELED", "c": "made up", "C": "0123abcd-17"}, ReportKind.CANCELED),
        ({"x": "EXPIRED", "X": "EXPIRED"}, ReportKind.EXPIRED),
        ({"x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH"}, ReportKind.EXPIRED),
        ({"x": "REJECTED", "X": "REJECTED"}, ReportKind.REJECTED),
    ],
)
def test_an_ending_takes_what_was_left(changes: dict[str, Any], kind: ReportKind) -> None:
    ended = values(**changes, z="0.40000000")
    assert (ended["kind"], ended["quantity"], ended["leaves"]) == (kind, 60_000, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"c": "web_abc"},
        {"c": "ffffffff-17"},
        {"x": "REPLACED"},
        {"x": "TRADE_PREVENTION", "X": "NEW"},
    ],
)
def test_orders_of_others_and_what_changes_nothing_make_no_report(changes: dict[str, Any]) -> None:
    assert read_execution_report(EVENT | changes, "0123abcd", LISTED) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"x": "CALCULATED"}, {"X": "WORKING"}, {"i": "4293153"}, {"q": None}, {"p": "0.00001"}, {"q": "0.000001"},
        {"T": -1}, {"x": "TRADE"}, {"x": "TRADE", "t": 7, "m": "yes"},
    ],
)  # fmt: skip
def test_a_report_that_makes_no_sense_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        read_execution_report(EVENT | changes, "0123abcd", LISTED)


@given(
    st.dictionaries(
        st.sampled_from(sorted(EVENT)), st.none() | st.booleans() | st.integers() | st.text(max_size=12), max_size=4
    )
)
def test_any_change_of_a_report_is_a_report_or_malformed(changes: dict[str, Any]) -> None:
    try:
        report = read_execution_report(EVENT | changes, "0123abcd", LISTED)
    except MalformedMessage:
        return
    assert report is None or report.values["order_id"] > 0


def test_a_status_says_what_the_stream_would_have_with_the_same_causes() -> None:
    body = {
        "orderId": 4293153, "status": "CANCELED", "origQty": "1.0", "executedQty": "0.4", "price": "0.1026",
        "updateTime": 1499405658657,
    }  # fmt: skip
    reports, done = read_status(body, ORDER, LISTED)
    streamed = [read_execution_report(EVENT | more, "0123abcd", LISTED) for more in (
        {}, {"x": "CANCELED", "X": "CANCELED", "z": "0.4"},
    )]  # fmt: skip
    assert [report.cause for report in reports] == [report.cause for report in streamed if report]
    assert (done, reports[1].values["quantity"], reports[1].values["kind"]) == (40_000, 60_000, ReportKind.CANCELED)


def test_fills_of_an_order_come_oldest_first_with_the_causes_of_the_stream() -> None:
    def row(number: int, quantity: str, maker: bool) -> dict[str, Any]:
        return {
            "id": number, "qty": quantity, "price": "0.1", "time": 1, "isMaker": maker, "commission": "0.5",
            "commissionAsset": "BNB",
        }  # fmt: skip

    reports = read_trades([row(9, "0.6", True), row(8, "0.4", False)], ORDER, LISTED)
    shown = [(r.cause, r.values["quantity"], r.values["leaves"], r.values["fee"]) for r in reports]
    assert shown == [("trade BTCUSDT 8", 40_000, 60_000, 0), ("trade BTCUSDT 9", 60_000, 0, 0)]
    with pytest.raises(MalformedMessage):
        read_trades({}, ORDER, LISTED)


def test_fees_are_rounded_up_in_the_money_of_the_engine() -> None:
    assert fee_of("0.00010001", "USDT", 1, LISTED) == 100_010
    assert fee_of("0.00000001", "USDT", 1, Listed("BTCUSDT", 0, "BTC", "USDT")) == 1
    assert fee_of("0.001", "BTC", 618_376_300, LISTED) == 61_837_630_000
    assert fee_of("0.001", "BNB", 618_376_300, LISTED) == 0
    assert fee_of(None, None, 1, LISTED) == 0
    with pytest.raises(MalformedMessage, match="is more than a report can say"):
        fee_of("99999999999.99999999", "BTC", 1_005_000, LISTED)


@pytest.mark.parametrize(
    ("text", "order_id"),
    [("t-1", 1), ("t-", 0), ("t-0x1", 0), ("u-1", 0), (None, 0), ("t-" + "9" * 19, 0), ("-1", 0), ("t-٣", 0)],
)
def test_client_order_ids_are_ours_or_nobodys(text: Any, order_id: int) -> None:
    assert order_id_of("t", text) == order_id


def test_reasons_are_the_last_digits_of_a_code() -> None:
    assert [reason_of(code) for code in (-2010, -1013, -1999, 0)] == [10, 13, 255, 0]


def listing(**changes: Any) -> dict[str, Any]:
    filters = [
        {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"}, {"filterType": "LOT_SIZE", "stepSize": "0.00001000"},
    ]  # fmt: skip
    return {"symbols": [{"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": filters} | changes]}


def test_what_is_listed_has_its_assets() -> None:
    assert read_listing(listing(), {"BTCUSDT": 5}) == {"BTCUSDT": LISTED}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "holds no symbols"),
        (listing(symbol="ETHUSDT"), "does not list BTCUSDT"),
        (listing(filters=7), "filters is not a list"),
        (listing(baseAsset=None, quoteAsset=""), "has no assets"),
        (listing(filters=[{"filterType": "PRICE_FILTER", "tickSize": "0.00000100"}]), "has more than 4 places"),
        (listing(filters=[{"filterType": "LOT_SIZE", "stepSize": "0.00000100"}]), "has more than 5 places"),
    ],
)
def test_what_is_not_listed_or_too_fine_is_refused(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        read_listing(body, {"BTCUSDT": 5})


SETTINGS = {"symbols": "btcusdt, ETHUSDT", "api_key": "k", "api_secret": "s", "feed_line_a": "127.0.0.1:9000"}


def test_settings_have_the_venues_addresses_unless_others_are_given() -> None:
    settings = read_settings(SETTINGS)
    assert (settings.symbols, settings.receive_window_ms) == (("BTCUSDT", "ETHUSDT"), 5000)
    assert settings.rest_url == "https://testnet.binance.vision"
    assert read_settings(SETTINGS | {"rest_url": "http://127.0.0.1:1/"}).rest_url == "http://127.0.0.1:1"


REAL = [
    ({"rest_url": "https://api1.binance.com"}, "api1.binance.com"),
    ({"stream_url": "wss://STREAM.Binance.com:9443/x"}, "stream.binance.com"),
    ({"api_url": "wss://ws-api.binance.us./ws-api/v3"}, "ws-api.binance.us"),
    ({"rest_url": "https://binance.com"}, "binance.com"),
    ({"rest_url": "https://notbinance.com"}, ""),
    ({"rest_url": "https://testnet.binance.vision"}, ""),
    ({}, ""),
]


@pytest.mark.parametrize(("changes", "host"), REAL)
def test_a_venue_for_real_money_is_known_by_its_addresses(changes: dict[str, str], host: str) -> None:
    sentence = f"{host} trades for real money and this engine is in paper mode; use the test network" if host else ""
    assert why_not_on_paper("binance", SETTINGS | changes) == sentence
    assert why_not_on_paper("ouch50", SETTINGS | changes) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"symbols": "BTC/USDT"}, "Instruments are names"),
        ({"api_secret": ""}, "API secret is missing"),
        ({"receive_window_ms": "70000"}, "Receive window is 100 to 60000 ms"),
        ({"rest_url": "http://api.binance.com"}, "without encryption goes to this machine only"),
        ({"api_url": "https://ws-api.binance.com"}, "is not an address like wss://host:port"),
        ({"stream_url": "wss://host:port"}, "is not an address like wss://host:port"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_settings(SETTINGS | changes)
