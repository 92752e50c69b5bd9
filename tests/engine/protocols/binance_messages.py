"""Messages as Binance sends them, made for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable

Rows = Iterable[tuple[str, str]]


def depth(first: int, last: int, bids: Rows = (), asks: Rows = (), name: str = "BTCUSDT", time_ms: int = 1) -> str:
    data = {"e": "depthUpdate", "E": time_ms, "s": name, "U": first, "u": last, "b": list(bids), "a": list(asks)}
    return json.dumps({"stream": f"{name.lower()}@depth@100ms", "data": data})


def snapshot(last: int, bids: Rows = (), asks: Rows = ()) -> str:
    return json.dumps({"lastUpdateId": last, "bids": list(bids), "asks": list(asks)})


def quote(last: int, bid: str, bid_quantity: str, ask: str, ask_quantity: str, name: str = "BTCUSDT") -> str:
    data = {"u": last, "s": name, "b": bid, "B": bid_quantity, "a": ask, "A": ask_quantity}
    return json.dumps({"stream": f"{name.lower()}@bookTicker", "data": data})


def trade(number: int, price: str, quantity: str, maker: bool, name: str = "BTCUSDT", time_ms: int = 1) -> str:
    data = {
        "e": "trade", "E": time_ms, "s": name, "t": number, "p": price, "q": quantity, "T": time_ms, "m": maker,
        "M": True,
    }  # fmt: skip
    return json.dumps({"stream": f"{name.lower()}@trade", "data": data})
