"""Many ITCH messages at a time: length-prefixed blocks, as in a BinaryFILE or a MoldUDP64 packet, into the books."""

from __future__ import annotations

import numpy as np

from engine.hotpath.book_layout import BATCHED, BOOK, LOCATES, MOST_BATCHED
from engine.hotpath.itch_book import ADD, ADD_ATTRIBUTED, LOCATE, apply_inlined, apply_itch
from engine.hotpath.itch_prefetch import PREFIX, ask_levels, ask_orders, gather_blocks
from engine.native import hot, hot_inlined, load_be16, load_i64, load_le32, load_u8, store_le32, view
from engine.protocols import itch50_offsets as itch

DIRECTORY = itch.STOCK_DIRECTORY
ADD_INSTRUMENT, DIRECTORY_INSTRUMENT = itch.ADD_ORDER_INSTRUMENT, itch.STOCK_DIRECTORY_INSTRUMENT

# Where a walk stands, and what it is for.
WALK = np.dtype(
    [
        ("venue", "<i8"),
        ("naming", "<i8"),  # 1: give listings to locates as their instruments are named
        ("instrument", "<i8"),  # eight characters as loaded from memory; 0 follows every instrument
        ("stop_locate", "<i8"),  # stop after each message of this locate; -1 never
        ("next_listing", "<i8"),
        ("address", "<i8"),  # of the next block
        ("messages", "<i8"),
        ("ended", "<i8"),  # a length of zero ended the session
        ("last", "<i8"),  # address of the message that was applied last
    ]
)


@hot
def walk_blocks(book, walk, end):
    """Apply whole blocks up to the address `end`. Returns 1 after one of `stop_locate`, 0 when no whole one is left."""
    state = view(walk, 1, WALK)[0]
    at = state.address
    messages = state.messages
    stopped = 0
    while at + PREFIX <= end and state.ended == 0:
        length = load_be16(at)
        if at + PREFIX + length > end:
            break
        message = at + PREFIX
        at = message + length
        if length == 0:
            state.ended = 1
            break
        messages += 1
        if state.naming != 0:
            follow_named(book, walk, message, length)
        apply_itch(book, state.venue, message, length)
        if state.stop_locate >= 0 and length >= LOCATE + 2 and load_be16(message + LOCATE) == state.stop_locate:
            state.last = message
            stopped = 1
            break
    state.address = at
    state.messages = messages
    return stopped


@hot
def follow_named(book, walk, message, length):
    """Give a listing to the locate of a message that names its instrument, if it is wanted and has none yet."""
    state = view(walk, 1, WALK)[0]
    header = view(book, 1, BOOK)[0]
    kind = load_u8(message)
    if kind == ADD or kind == ADD_ATTRIBUTED:
        name_at = message + ADD_INSTRUMENT
    elif kind == DIRECTORY:
        name_at = message + DIRECTORY_INSTRUMENT
    else:
        return
    if name_at + 8 > message + length:
        return
    entry = header.locates + (state.venue * LOCATES + load_be16(message + LOCATE)) * 4
    if load_le32(entry) != 0 or state.next_listing >= header.listing_count:
        return
    if state.instrument != 0:
        if load_i64(name_at) != state.instrument:
            return
        state.stop_locate = load_be16(message + LOCATE)
    store_le32(entry, state.next_listing + 1)
    state.next_listing += 1


@hot
def apply_blocks(book, venue, start, end):
    """Apply the whole blocks from `start` on, in batches. Returns where the last one ends."""
    at = start
    while True:
        count = gather_blocks(book, venue, at, end)
        if count == 0:
            return at
        at = apply_batch(book, venue, count)


@hot
def apply_each(book, venue, start, end):
    """Apply the whole blocks from `start` on one after the other, as live. Returns where the last one ends."""
    at = start
    while at + PREFIX <= end and at + PREFIX + load_be16(at) <= end:
        length = load_be16(at)
        apply_itch(book, venue, at + PREFIX, length)
        at += PREFIX + length
    return at


@hot_inlined
def apply_batch(book, venue, count):
    """Apply the blocks that were gathered. Returns where the last one ends."""
    ask_orders(book, count)
    ask_levels(book, count)
    batch = view(view(book, 1, BOOK)[0].batch, MOST_BATCHED, BATCHED)
    for n in range(count):
        apply_inlined(book, venue, batch[n].message, batch[n].length)
    return batch[count - 1].message + batch[count - 1].length
