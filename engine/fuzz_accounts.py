"""Fuzz targets for what session processes read beside the loop: a Binance account, and FIX answers through QuickFIX.

As in `engine.protocols.fuzz_targets`; what is accepted must also fit the record that it becomes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import numpy as np

from engine.messages.journal import ORDER_REPORT
from engine.protocols.fix44 import EXEC_TYPE, MSG_TYPE, read_fields
from engine.protocols.fuzz_targets import Target, good_fix
from engine.protocols.layouts import MalformedMessage
from engine.venues import binance_orders, fix44_reports
from engine.venues.fix44_orders import Order

TAG, NAME = "fuzzfuzz", "BTCUSDT"
LISTED = binance_orders.Listed(NAME, 5, "BTC", "USDT")
KINDS = ("NEW", "TRADE", "CANCELED", "EXPIRED", "REJECTED", "TRADE_PREVENTION", "REPLACED")
ODD: tuple[Any, ...] = (None, -1, 0, True, 1.5, 2**63, "", "x", "0", "-3", "9" * 30, "1e5", [], {}, [1], {"a": 1})
OURS = Order(17, 0, 1, 0, 1, 1, 100_000, 1_000_000)


def fits(values: Mapping[str, Any]) -> None:
    """OverflowError or ValueError when a report's values do not fit its record."""
    record = np.zeros(1, ORDER_REPORT)
    for name, value in values.items():
        if name in (ORDER_REPORT.names or ()):
            record[name] = value


def good_account(random: Random) -> bytes:
    """An execution report, the state of an order, a fill, or what the venue lists; half of them with an odd value."""

    def amount(most: int = 10**7) -> str:
        return f"{random.randrange(most)}.{random.randrange(10**5):05d}"

    trade = {"id": random.randrange(10**6), "qty": amount(9), "price": amount(), "time": 1_700_000_000_000}
    trade |= {"isMaker": True, "commission": amount(9), "commissionAsset": random.choice(("BTC", "USDT", "BNB"))}
    steps = [{"filterType": "PRICE_FILTER", "tickSize": "0.01"}, {"filterType": "LOT_SIZE", "stepSize": "0.00001"}]
    about: dict[str, Any] = random.choice(
        (
            {"C": "", "c": f"{TAG}-17", "x": random.choice(KINDS), "i": 5, "q": amount(9), "z": amount(9),
             "p": amount(), "T": 1_700_000_000_000, "t": random.randrange(10**6),
             "X": random.choice(list(binance_orders.STATES)),
             "L": amount(), "l": amount(9), "m": False, "n": amount(9), "N": random.choice(("BTC", "USDT", None))},
            {"status": random.choice(list(binance_orders.STATES)), "orderId": 5, "origQty": amount(9),
             "executedQty": amount(9), "updateTime": 1_700_000_000_000, "price": amount()},
            trade,
            {"symbol": NAME, "baseAsset": "BTC", "quoteAsset": "USDT", "filters": steps},
        )
    )  # fmt: skip
    if random.random() < 0.5:
        about[random.choice(list(about))] = random.choice(ODD)
    return json.dumps(about).encode()


def read_account(raw: bytes) -> bool:
    """One of those, told apart by a field that it alone has."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as wrong:
        raise MalformedMessage(str(wrong)) from wrong
    if not isinstance(body, dict):
        raise MalformedMessage("not an object")
    if "filters" in body or "symbol" in body:
        return bool(binance_orders.read_listing({"symbols": [body]}, {NAME: 5}))
    if "origQty" in body or "updateTime" in body:
        reports, _ = binance_orders.read_status(body, OURS, LISTED)
    elif "commission" in body or "isMaker" in body:
        reports = binance_orders.read_trades([body], OURS, LISTED)
    else:
        report = binance_orders.read_execution_report(body, TAG, LISTED)
        reports = [report] if report else []
    for report in reports:
        fits(report.values)
    return True


def read_fix_answer(raw: bytes) -> bool:
    """An ExecutionReport(8) or OrderCancelReject(9) as a QuickFIX session reads it."""
    fields = read_fields(raw.decode("latin-1"))
    if fields.get(MSG_TYPE) == "9":
        reports = [fix44_reports.read_cancel_reject(fields)]
    elif fields.get(EXEC_TYPE) == "I":
        fits(fix44_reports.read_status(fields).values)
        return True
    else:
        reports = fix44_reports.read_execution_report(fields)
    for report in reports:
        fits(report.values)
    return True


TARGETS: dict[str, tuple[Callable[[], Target], Callable[[Random], bytes]]] = {
    "binance-account": (lambda: read_account, good_account),
    "fix44-answers": (lambda: read_fix_answer, good_fix),
}
