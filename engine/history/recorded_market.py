"""A recording's packets through the books once more, kept: tops of the listings that matter, and prints.

By the same compiled dispatch as the engine's pipeline, without the engine: no strategy looks, nothing is decided.
"""

from __future__ import annotations

import numpy as np
from numpy import int64

from engine.hotpath.book_layout import BOOK, DUPLICATE, LOCATES, ORDER, TOP
from engine.hotpath.itch_book import EXECUTED, EXECUTED_WITH_PRICE, LOCATE, NOT_BOOK, apply_itch, listing_of
from engine.hotpath.order_index import find_order, order_key
from engine.messages.journal import RECORDING_HEADER
from engine.native import (
    hot,
    load_be16,
    load_be32,
    load_be48,
    load_be64,
    load_i64,
    load_u8,
    store_i64,
    store_le32,
    view,
)
from engine.protocols import itch50_offsets as itch
from engine.protocols.moldudp64_blocks import (
    BLOCK_HEADER_LENGTH,
    END_OF_SESSION,
    HEADER_LENGTH,
    next_block,
    packet_count,
    packet_sequence,
)

# A top as an event of the venue left it. `time_ns`: when the packet was received; `event_ns`: the venue's time of day
# on the day (UTC) of the packet.
TOP_ROW = np.dtype(
    [
        (name, "<i8")
        for name in ("position", "time_ns", "event_ns", "listing", "bid", "bid_quantity", "ask", "ask_quantity")
    ]
)
# Somebody's trade; `broken` when the venue took it back.
PRINT_ROW = np.dtype([(name, "<i8") for name in ("time_ns", "listing", "price", "quantity", "match", "broken")])
TAPE = np.dtype(
    [
        (name, "<i8")
        for name in (
            "tops",  # addresses
            "prints",
            "wanted",  # one for each listing: 1, keep it
            "last_rows",  # one for each listing: number of its newest top row, from 1
            "expected",  # one for each venue: number of its next message; JOINING while a snapshot comes
            "symbols",  # one for each instrument: eight characters as loaded from memory
            "top_capacity",
            "top_count",
            "print_capacity",
            "print_count",
            "instrument_count",
            "full",  # 1: a table has no room for another packet
        )
    ]
)
SNAPSHOT_LINE = 3
DAY_NS = 86_400_000_000_000
HALF_DAY_NS = DAY_NS // 2
MOST_MESSAGES = 256  # of one packet: what a table must have room for before it
RECORDING_HEADER_BYTES = RECORDING_HEADER.itemsize
PRINTABLE = ord("Y")


@hot
def walk_recording(book, tape, address, end, last_position):
    """Apply recorded packets from `address` on, up to `last_position` or as far as there is room. Returns the address
    of the first one left."""
    state = view(tape, 1, TAPE)[0]
    state.full = 0
    while address < end:
        header = view(address, 1, RECORDING_HEADER)[0]
        if header.position > last_position:
            break
        if (
            state.top_count + MOST_MESSAGES > state.top_capacity
            or state.print_count + MOST_MESSAGES > state.print_capacity
        ):
            state.full = 1
            break
        payload = address + RECORDING_HEADER_BYTES
        walk_packet(book, tape, address, payload, int64(header.payload_length))
        address += header.length
    return address


@hot
def walk_packet(book, tape, recorded, packet, length):
    """Apply the new messages of one packet; `recorded` is the address of its RECORDING_HEADER."""
    state = view(tape, 1, TAPE)[0]
    header = view(recorded, 1, RECORDING_HEADER)[0]
    venue = int64(header.venue)
    snapshot = header.line == SNAPSHOT_LINE
    count = packet_count(packet, length)
    if count < 0 or count == END_OF_SESSION:
        return
    sequence = packet_sequence(packet)
    at = packet + HEADER_LENGTH
    for _ in range(count):
        size = next_block(at, packet + length)
        if size < itch.TIMESTAMP_NS + 6:
            return
        if snapshot or sequence >= load_i64(state.expected + venue * 8):
            walk_message(book, tape, venue, int64(header.position), header.time_ns, at + BLOCK_HEADER_LENGTH, size)
        sequence += 1
        at += BLOCK_HEADER_LENGTH + size
    if not snapshot:
        store_i64(state.expected + venue * 8, sequence)


@hot
def event_time(time_ns, since_midnight_ns):
    """The venue's time of day on the day of the packet that brought it; around midnight on the day before or after."""
    event_ns = time_ns - time_ns % DAY_NS + since_midnight_ns
    if event_ns - time_ns > HALF_DAY_NS:
        return event_ns - DAY_NS
    if time_ns - event_ns > HALF_DAY_NS:
        return event_ns + DAY_NS
    return event_ns


@hot
def walk_message(book, tape, venue, position, time_ns, message, size):
    """Apply one message, and keep the top that it leaves or the print that it is."""
    kind = load_u8(message)
    event_ns = event_time(time_ns, load_be48(message + itch.TIMESTAMP_NS))
    if kind in (EXECUTED, EXECUTED_WITH_PRICE) and size == itch.message_length(kind):
        keep_execution(book, tape, venue, time_ns, message, kind)
    outcome = apply_itch(book, venue, message, size)
    header = view(book, 1, BOOK)[0]
    if outcome <= DUPLICATE:
        if header.top_changed != 0:
            keep_top(book, tape, position, time_ns, event_ns, header.listing)
    elif outcome == NOT_BOOK:
        if kind == itch.TRADE:
            listing = listing_of(book, venue, load_be16(message + LOCATE))
            price = load_be32(message + itch.TRADE_PRICE)
            quantity = load_be32(message + itch.TRADE_QUANTITY)
            keep_print(tape, time_ns, listing, price, quantity, load_be64(message + itch.TRADE_MATCH_NUMBER))
        elif kind == itch.CROSS_TRADE:
            listing = listing_of(book, venue, load_be16(message + LOCATE))
            price = load_be32(message + itch.CROSS_TRADE_PRICE)
            quantity = load_be64(message + itch.CROSS_TRADE_QUANTITY)
            keep_print(tape, time_ns, listing, price, quantity, load_be64(message + itch.CROSS_TRADE_MATCH_NUMBER))
        elif kind == itch.BROKEN_TRADE:
            break_print(tape, venue, load_be64(message + itch.BROKEN_TRADE_MATCH_NUMBER))
        elif kind == itch.STOCK_DIRECTORY:
            name_locate(book, tape, venue, message)


@hot
def keep_top(book, tape, position, time_ns, event_ns, listing):
    """The listing's top after an event: one row for each event of a packet."""
    state = view(tape, 1, TAPE)[0]
    if load_i64(state.wanted + listing * 8) == 0:
        return
    rows = view(state.tops, state.top_capacity, TOP_ROW)
    header = view(book, 1, BOOK)[0]
    top = view(header.tops, header.listing_count, TOP)[listing]
    last = load_i64(state.last_rows + listing * 8)
    if last > 0 and rows[last - 1].event_ns == event_ns and rows[last - 1].position == position:
        row = rows[last - 1]
    else:
        row = rows[state.top_count]
        state.top_count += 1
        store_i64(state.last_rows + listing * 8, state.top_count)
    row.position = position
    row.time_ns = time_ns
    row.event_ns = event_ns
    row.listing = listing
    row.bid = top.bid
    row.bid_quantity = top.bid_quantity
    row.ask = top.ask
    row.ask_quantity = top.ask_quantity


@hot
def keep_execution(book, tape, venue, time_ns, message, kind):
    """An order of the book is about to be executed: at its own price, or at the one that the message says."""
    key = order_key(venue, load_be64(message + itch.ORDER_EXECUTED_REFERENCE))
    row = find_order(book, key)
    if row == 0:
        return
    header = view(book, 1, BOOK)[0]
    order = view(header.orders, header.order_capacity + 1, ORDER)[row]
    price = int64(order.price)
    if kind == EXECUTED_WITH_PRICE:
        if load_u8(message + itch.ORDER_EXECUTED_WITH_PRICE_PRINTABLE) != PRINTABLE:
            return
        price = load_be32(message + itch.ORDER_EXECUTED_WITH_PRICE_PRICE)
    quantity = load_be32(message + itch.ORDER_EXECUTED_QUANTITY)
    match = load_be64(message + itch.ORDER_EXECUTED_MATCH_NUMBER)
    keep_print(tape, time_ns, int64(order.listing_side) >> 1, price, quantity, match)


@hot
def keep_print(tape, time_ns, listing, price, quantity, match):
    """One print of a listing that matters."""
    state = view(tape, 1, TAPE)[0]
    if listing < 0 or quantity <= 0 or load_i64(state.wanted + listing * 8) == 0:
        return
    row = view(state.prints, state.print_capacity, PRINT_ROW)[state.print_count]
    state.print_count += 1
    row.time_ns = time_ns
    row.listing = listing
    row.price = price
    row.quantity = quantity
    row.match = match
    row.broken = 0


@hot
def break_print(tape, venue, match):
    """The venue took its newest print of this number back."""
    state = view(tape, 1, TAPE)[0]
    rows = view(state.prints, state.print_capacity, PRINT_ROW)
    width = state.instrument_count + 1
    at = state.print_count - 1
    while at >= 0:
        if rows[at].match == match and rows[at].listing // width == venue - 1:
            rows[at].broken = 1
            return
        at -= 1


@hot
def name_locate(book, tape, venue, message):
    """A Stock Directory says which instrument a locate is for the day."""
    state = view(tape, 1, TAPE)[0]
    symbol = load_i64(message + itch.STOCK_DIRECTORY_INSTRUMENT)
    found = 0
    for instrument in range(1, state.instrument_count + 1):
        if load_i64(state.symbols + instrument * 8) == symbol:
            found = instrument
            break
    entry = (venue * LOCATES + load_be16(message + LOCATE)) * 4
    listing = (venue - 1) * (state.instrument_count + 1) + found
    store_le32(view(book, 1, BOOK)[0].locates + entry, listing + 1 if found > 0 else 0)
