"""Our market data template set in SBE (`sbe_market.xml`), as the events that every feed by level has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from engine.protocols.binance import DECIMALS, DepthUpdate, Event, Level, Quote, Snapshot, Trade
from engine.protocols.layouts import MalformedMessage
from engine.protocols.sbe import Decoded, Decoder
from engine.protocols.sbe_schema import read_schema

SCHEMA_PATH = Path(__file__).with_name("sbe_market.xml")


@cache
def market_decoder() -> Decoder:
    """The decoder of our own schema."""
    return Decoder(read_schema(SCHEMA_PATH.read_bytes()))


def decode(raw: bytes) -> list[Event]:
    """The events of one whole message: none for a trading status, one for each trade. MalformedMessage otherwise."""
    return events_of(market_decoder().decode_one(raw))


def events_of(message: Decoded) -> list[Event]:
    """The same from what was decoded."""
    fields = message.fields
    name = needed(fields, "instrument")
    if message.name == "Snapshot":
        return [Snapshot(needed(fields, "last"), _levels(fields, "bids"), _levels(fields, "asks"))]
    if message.name == "DepthUpdate":
        first, last = needed(fields, "first"), needed(fields, "last")
        if first > last:
            raise MalformedMessage(f"first update {first} is after the last, {last}")
        return [
            DepthUpdate(name, needed(fields, "time"), first, last, _levels(fields, "bids"), _levels(fields, "asks"))
        ]
    if message.name == "Trades":
        return [_trade(name, needed(fields, "time"), row) for row in needed(fields, "trades")]
    if message.name == "BestPrices":
        best = [_whole(needed(fields, part)) for part in ("bid", "bidQuantity", "ask", "askQuantity")]
        return [Quote(name, needed(fields, "last"), *best)]
    return []


def needed(fields: Mapping[str, Any], name: str) -> Any:
    """A field that a message of any version has."""
    value = fields[name]
    if value is None or value == "":
        raise MalformedMessage(f"{name} is missing")
    return value


def _trade(name: str, time_ns: int, row: Mapping[str, Any]) -> Trade:
    side = row["restingSide"]
    if side not in ("BUY", "SELL"):
        raise MalformedMessage(f"{side!r} is not a side")
    price, quantity = _whole(needed(row, "price")), _whole(needed(row, "quantity"))
    return Trade(name, time_ns, needed(row, "number"), price, quantity, side == "BUY")


def _levels(fields: Mapping[str, Any], name: str) -> tuple[Level, ...]:
    levels = tuple((_whole(needed(row, "price")), _whole(needed(row, "quantity"))) for row in needed(fields, name))
    if any(price == 0 for price, _ in levels):
        raise MalformedMessage(f"{name} holds a level without a price")
    return levels


def _whole(text: str) -> int:
    """Decimal text with eight places as an integer in 1/100,000,000."""
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**DECIMALS + int(fraction.ljust(DECIMALS, "0"))
