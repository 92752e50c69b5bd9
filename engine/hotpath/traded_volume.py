"""Shares that trade while there is a parent order: executions of displayed orders, trades and crosses of the feed.

Only the packets that come while somebody works a parent order are looked at; the loop of anybody else pays one compare.
"""

from __future__ import annotations

from engine.hotpath.itch_book import listing_of
from engine.hotpath.parents import parent_at
from engine.hotpath.tables import ENGINE, LEG, LEGS_PER_STRATEGY, VENUE, VENUES
from engine.native import hot, load_be16, load_be32, load_be64, load_i64, load_u8, store_i64, view
from engine.protocols import itch50_offsets as itch
from engine.protocols.moldudp64_blocks import (
    BLOCK_HEADER_LENGTH,
    HEADER_LENGTH,
    next_block,
    packet_count,
    packet_sequence,
)

PRINTABLE = ord("Y")
LARGEST_TRADE = 1 << 40  # beyond any day of any instrument: garbage


@hot
def traded_shares(message, length):
    """Shares that a message says were traded; 0 for any other."""
    kind = load_u8(message)
    if length != itch.message_length(kind):
        return 0
    if kind == itch.ORDER_EXECUTED:
        return load_be32(message + itch.ORDER_EXECUTED_QUANTITY)
    if kind == itch.ORDER_EXECUTED_WITH_PRICE:
        printed = load_u8(message + itch.ORDER_EXECUTED_WITH_PRICE_PRINTABLE) == PRINTABLE
        return load_be32(message + itch.ORDER_EXECUTED_WITH_PRICE_QUANTITY) if printed else 0
    if kind == itch.TRADE:
        return load_be32(message + itch.TRADE_QUANTITY)
    if kind == itch.CROSS_TRADE:
        quantity = load_be64(message + itch.CROSS_TRADE_QUANTITY)
        return quantity if 0 < quantity <= LARGEST_TRADE else 0
    return 0


@hot
def add_traded(volumes, last_locate, packet, length):
    """Add what the messages of a packet say was traded to the numbers (i64) at `volumes`, by stock locate; locates
    beyond `last_locate` are left out."""
    at = packet + HEADER_LENGTH
    for _ in range(packet_count(packet, length)):
        size = next_block(at, packet + length)
        message = at + BLOCK_HEADER_LENGTH
        shares = traded_shares(message, size) if size > 0 else 0
        locate = load_be16(message + itch.STOCK_LOCATE) if shares > 0 else 0
        if shares > 0 and locate <= last_locate:
            store_i64(volumes + locate * 8, load_i64(volumes + locate * 8) + shares)
        at += BLOCK_HEADER_LENGTH + size


@hot
def count_volume(engine, venue_index, packet, length):
    """Add what a packet's new messages say was traded, and show it to the parent orders."""
    core = view(engine, 1, ENGINE)[0]
    expected = view(core.venues, VENUES, VENUE)[venue_index].expected
    sequence = packet_sequence(packet)
    at = packet + HEADER_LENGTH
    counted = 0
    for _ in range(packet_count(packet, length)):
        size = next_block(at, packet + length)
        message = at + BLOCK_HEADER_LENGTH
        shares = traded_shares(message, size) if sequence >= expected and size > 0 else 0
        if shares > 0:
            listing = listing_of(core.book, venue_index, load_be16(message + itch.STOCK_LOCATE))
            if listing >= 0:
                place = core.volumes + listing * 8
                store_i64(place, load_i64(place) + shares)
                counted = 1
        sequence += 1
        at += BLOCK_HEADER_LENGTH + size
    if counted != 0:
        for index in range(core.parent_count):
            show_volume(engine, load_i64(core.parents + index * 8))


@hot
def listed_volume(engine, row):
    """Shares counted on the listings of a parent order's legs, each listing once: venues without a book share one."""
    core = view(engine, 1, ENGINE)[0]
    legs = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)
    total = 0
    for at in range(parent_at(engine, row).leg_count):
        listing = legs[row * LEGS_PER_STRATEGY + at].listing
        seen = 0
        for earlier in range(at):
            if legs[row * LEGS_PER_STRATEGY + earlier].listing == listing:
                seen = 1
        if seen == 0:
            total += load_i64(core.volumes + listing * 8)
    return total


@hot
def show_volume(engine, row):
    """What was traded since the parent order began, for its algorithm."""
    parent = parent_at(engine, row)
    parent.volume = listed_volume(engine, row) - parent.volume_begin
