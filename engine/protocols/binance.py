"""Binance spot market data in JSON: events of the streams and the answers of the REST interface.

Every number of the market arrives as decimal text with at most eight places. Here it is an exact integer in
1/100,000,000; `Scale` brings it to the units of an instrument. Sources: "WebSocket Streams" and "Market Data endpoints"
of the Binance spot API documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.messages.prices import fixed_text
from engine.protocols.layouts import MalformedMessage

DECIMALS = 8
LARGEST_ID = 1 << 53
LARGEST_TIME_MS = 1 << 43
_NUMBER = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,8})0*)?", re.ASCII)
_INSTRUMENT = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)

Level = tuple[int, int]  # price and quantity, both in 1/100,000,000


@dataclass(frozen=True, slots=True)
class DepthUpdate:
    """Diff. Depth Stream (`depthUpdate`): absolute quantities of the levels that changed in updates `first` to `last`;
    a quantity of 0 takes the level away."""

    instrument: str
    time_ns: int
    first: int
    last: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Order book (`GET /api/v3/depth`): the best levels of both sides after update `last`. It names no instrument."""

    last: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Trade:
    """Trade Stream (`trade`). `buyer_is_maker`: the seller came last."""

    instrument: str
    time_ns: int
    number: int
    price: int
    quantity: int
    buyer_is_maker: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """Individual Symbol Book Ticker (`bookTicker`): the best bid and offer after update `last`."""

    instrument: str
    last: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


Event = DepthUpdate | Snapshot | Trade | Quote


def load_json(raw: bytes | str) -> Any:
    """The value of one JSON text. MalformedMessage when it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as wrong:
        raise MalformedMessage(f"not JSON: {str(wrong)[:80]}") from None


def decode(raw: bytes | str) -> Event:
    """One event of a stream, bare or in a combined stream's envelope, or a snapshot. MalformedMessage otherwise."""
    return read_event(load_json(raw))


def read_event(value: Any) -> Event:
    """The same from parsed JSON."""
    body = _object(value)
    if "stream" in body:
        body = _object(body.get("data"))
    if "e" in body:
        kind = body["e"]
        reader = READERS.get(kind) if isinstance(kind, str) else None
        if reader is None:
            raise MalformedMessage(f"no event that is read here: {str(kind)[:40]!r}")
        return reader(body)
    if "lastUpdateId" in body:
        return Snapshot(whole(body, "lastUpdateId"), _levels(body, "bids"), _levels(body, "asks"))
    return _quote(body)


def number(text: Any) -> int:
    """Decimal text, not negative, as an integer in 1/100,000,000."""
    match = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise MalformedMessage(f"{str(text)[:40]!r} is not a decimal number with at most {DECIMALS} places")
    return int(match[1] + (match[2] or "").ljust(DECIMALS, "0"))


def whole(body: Mapping[str, Any], name: str, most: int = LARGEST_ID) -> int:
    """A whole number from 0 to `most`."""
    value = body.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise MalformedMessage(f"{name} is not a whole number from 0 to {most}")
    return value


def instrument_of(body: Mapping[str, Any]) -> str:
    """The symbol `s`."""
    name = body.get("s")
    if not isinstance(name, str) or not _INSTRUMENT.fullmatch(name):
        raise MalformedMessage(f"{str(name)[:40]!r} is not a symbol")
    return name


def time_of(body: Mapping[str, Any], name: str) -> int:
    """Milliseconds since the epoch as nanoseconds."""
    return whole(body, name, LARGEST_TIME_MS) * 1_000_000


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedMessage("not a JSON object")
    return value


def _levels(body: Mapping[str, Any], name: str) -> tuple[Level, ...]:
    rows = body.get(name)
    if not isinstance(rows, list):
        raise MalformedMessage(f"{name} is not a list of levels")
    levels = []
    for row in rows:
        if not isinstance(row, list) or len(row) < 2:
            raise MalformedMessage(f"{name} holds something that is no level")
        price = number(row[0])
        if price == 0:
            raise MalformedMessage(f"{name} holds a level without a price")
        levels.append((price, number(row[1])))
    return tuple(levels)


def _depth_update(body: Mapping[str, Any]) -> DepthUpdate:
    first, last = whole(body, "U"), whole(body, "u")
    if first > last:
        raise MalformedMessage(f"first update {first} is after the last, {last}")
    return DepthUpdate(instrument_of(body), time_of(body, "E"), first, last, _levels(body, "b"), _levels(body, "a"))


def _trade(body: Mapping[str, Any]) -> Trade:
    maker = body.get("m")
    if not isinstance(maker, bool):
        raise MalformedMessage("m is neither true nor false")
    return Trade(
        instrument_of(body), time_of(body, "T"), whole(body, "t"), number(body.get("p")), number(body.get("q")), maker
    )


def _quote(body: Mapping[str, Any]) -> Quote:
    return Quote(
        instrument_of(body),
        whole(body, "u"),
        number(body.get("b")),
        number(body.get("B")),
        number(body.get("a")),
        number(body.get("A")),
    )


READERS: dict[str, Callable[[Mapping[str, Any]], Event]] = {
    "bookTicker": _quote,
    "depthUpdate": _depth_update,
    "trade": _trade,
}


@dataclass(frozen=True)
class Scale:
    """Units of one instrument: decimal places of its integer prices and quantities, at most eight each."""

    price_decimals: int = 4
    quantity_decimals: int = 0

    def price(self, value: int) -> int:
        """A price in 1/100,000,000 in the instrument's units. MalformedMessage when it is finer than they are."""
        units, rest = divmod(value, 10 ** (DECIMALS - self.price_decimals))
        if rest:
            raise MalformedMessage(f"price {fixed_text(value, DECIMALS)} has more than {self.price_decimals} places")
        return units

    def quantity(self, value: int) -> int:
        """A quantity of the market in the instrument's units. What is finer is cut off, but not to nothing."""
        return max(value // 10 ** (DECIMALS - self.quantity_decimals), 1 if value else 0)

    def exact_quantity(self, value: int) -> int:
        """A quantity of ours. MalformedMessage when it is finer than the units: we asked for no such one."""
        units, rest = divmod(value, 10 ** (DECIMALS - self.quantity_decimals))
        if rest:
            raise MalformedMessage(f"{fixed_text(value, DECIMALS)} has more than {self.quantity_decimals} places")
        return units


def places(value: int) -> int:
    """How many decimal places a number in 1/100,000,000 needs."""
    needed = DECIMALS
    while needed and value % 10 == 0:
        value //= 10
        needed -= 1
    return needed if value else 0
