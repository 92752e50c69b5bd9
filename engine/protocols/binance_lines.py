"""Recorded Binance messages: one JSON text a line, after the local time in nanoseconds and a space, or bare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from engine.messages.prices import fixed_text
from engine.protocols.binance import DECIMALS, DepthUpdate, Event, Level, Quote, Snapshot, Trade, decode
from engine.protocols.layouts import PRICE8, U64, Kind, Layout, Message, Row, alpha

LONGEST_LINE = 1 << 24
NUMBER = Kind("decimal text", 0, "", "", scale=PRICE8.scale)
LEVELS = Kind("list of price and quantity, decimal text", 0, "", "")
INSTRUMENT: Row = ("instrument", alpha(20), "`s`")
TIME: Row = ("time_ns", U64, "`E`, or `T` of a trade, ms on the wire")

LAYOUTS: dict[type[Any], Layout] = {
    DepthUpdate: Layout(
        "depth_update",
        "depthUpdate",
        "Diff. Depth Stream",
        (
            INSTRUMENT,
            TIME,
            ("first", U64, "`U`, first update in it"),
            ("last", U64, "`u`, last update in it"),
            ("bids", LEVELS, "`b`, with the quantity now at each level; 0 takes it away"),
            ("asks", LEVELS, "`a`, the same"),
        ),
    ),
    Snapshot: Layout(
        "snapshot",
        "snapshot",
        "Order book, `GET /api/v3/depth`",
        (("last", U64, "`lastUpdateId`"), ("bids", LEVELS, "best first"), ("asks", LEVELS, "best first")),
    ),
    Trade: Layout(
        "trade",
        "trade",
        "Trade Stream",
        (
            INSTRUMENT,
            TIME,
            ("number", U64, "`t`"),
            ("price", NUMBER, "`p`"),
            ("quantity", NUMBER, "`q`"),
            ("buyer_is_maker", U64, "`m`: the buyer's order was there first"),
        ),
    ),
    Quote: Layout(
        "quote",
        "bookTicker",
        "Individual Symbol Book Ticker Stream",
        (
            INSTRUMENT,
            ("last", U64, "`u`, the update after which it holds"),
            ("bid", NUMBER, "`b`"),
            ("bid_quantity", NUMBER, "`B`"),
            ("ask", NUMBER, "`a`"),
            ("ask_quantity", NUMBER, "`A`"),
        ),
    ),
}


def lines(source: BinaryIO) -> Iterator[bytes]:
    """Lines that are not empty."""
    while line := source.readline(LONGEST_LINE):
        if text := line.strip():
            yield text


def parse_line(line: bytes) -> Event:
    """The event of one line. MalformedMessage when it is none."""
    stamp, space, rest = line.partition(b" ")
    return decode(rest if space and stamp.isdigit() else line)


def layout_of(event: Event) -> Layout:
    """What the event's fields are; its code is the venue's name for the kind of event."""
    return LAYOUTS[type(event)]


def decode_line(line: bytes) -> Message:
    """The event of one line as a message to be shown."""
    event = parse_line(line)
    layout = layout_of(event)
    values = {name: getattr(event, name) for name in layout.names}
    for name, kind, _ in layout.rows:
        if kind is LEVELS:
            values[name] = [_shown(row) for row in values[name]]
    return Message(layout, values)


def _shown(row: Level) -> list[str]:
    return [fixed_text(value, DECIMALS) for value in row]
