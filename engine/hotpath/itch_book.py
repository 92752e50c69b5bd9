"""ITCH 5.0 messages applied to the books: dispatch by type, lengths checked, everything counted by type and outcome."""

from __future__ import annotations

from engine.hotpath.book import add_order, delete_order, execute_order, reduce_order, replace_order
from engine.hotpath.book_layout import BOOK, BUY, LOCATES, OUTCOMES, SELL
from engine.native import (
    hot,
    hot_inlined,
    load_be16,
    load_be32,
    load_be64,
    load_i64,
    load_le32,
    load_u8,
    store_i64,
    view,
)
from engine.protocols import itch50_offsets as itch
from engine.protocols.itch50_offsets import message_length

# Outcomes beyond those of the book's operations.
WRONG_LENGTH = 5
UNKNOWN_TYPE = 6
NOT_FOLLOWED = 7  # about an instrument that nobody here follows
NOT_BOOK = 8  # a message that changes no book
OUTCOME_NAMES = (
    "applied",
    "unknown_order",
    "full",
    "bad_value",
    "duplicate",
    "wrong_length",
    "unknown_type",
    "not_followed",
    "not_book",
)
MALFORMED_OUTCOMES = frozenset({"bad_value", "duplicate", "wrong_length", "unknown_type"})

LOCATE = itch.STOCK_LOCATE
ADD, ADD_ATTRIBUTED = itch.ADD_ORDER, itch.ADD_ORDER_ATTRIBUTED
EXECUTED, EXECUTED_WITH_PRICE = itch.ORDER_EXECUTED, itch.ORDER_EXECUTED_WITH_PRICE
CANCEL, DELETE, REPLACE = itch.ORDER_CANCEL, itch.ORDER_DELETE, itch.ORDER_REPLACE
ADD_REFERENCE, ADD_SIDE = itch.ADD_ORDER_REFERENCE, itch.ADD_ORDER_SIDE
ADD_QUANTITY, ADD_PRICE = itch.ADD_ORDER_QUANTITY, itch.ADD_ORDER_PRICE
EXECUTED_REFERENCE, EXECUTED_QUANTITY = itch.ORDER_EXECUTED_REFERENCE, itch.ORDER_EXECUTED_QUANTITY
CANCEL_REFERENCE, CANCEL_QUANTITY = itch.ORDER_CANCEL_REFERENCE, itch.ORDER_CANCEL_QUANTITY
DELETE_REFERENCE = itch.ORDER_DELETE_REFERENCE
REPLACE_ORIGINAL, REPLACE_NEW = itch.ORDER_REPLACE_ORIGINAL_REFERENCE, itch.ORDER_REPLACE_NEW_REFERENCE
REPLACE_QUANTITY, REPLACE_PRICE = itch.ORDER_REPLACE_QUANTITY, itch.ORDER_REPLACE_PRICE
BUY_LETTER, SELL_LETTER = ord("B"), ord("S")


@hot
def apply_itch(book, venue, address, length):
    """Apply one message of `length` bytes. Returns its outcome, which is also counted by type."""
    return apply_inlined(book, venue, address, length)


@hot_inlined
def apply_inlined(book, venue, address, length):
    """As `apply_itch`, for the loops that apply one message after the other."""
    kind = load_u8(address) if length > 0 else 0
    outcome = dispatch_itch(book, venue, address, length, kind)
    count = view(book, 1, BOOK)[0].counts + (kind * OUTCOMES + outcome) * 8
    store_i64(count, load_i64(count) + 1)
    return outcome


@hot_inlined
def dispatch_itch(book, venue, address, length, kind):
    """Apply one message; `kind` is its type byte. Outcome as of `apply_itch`."""
    expected = message_length(kind)
    if expected == 0:
        return UNKNOWN_TYPE
    if length != expected:
        return WRONG_LENGTH
    if kind == ADD or kind == ADD_ATTRIBUTED:
        return apply_add(book, venue, address)
    if kind == DELETE:
        outcome = delete_order(book, venue, load_be64(address + DELETE_REFERENCE))
    elif kind == REPLACE:
        outcome = replace_order(
            book,
            venue,
            load_be64(address + REPLACE_ORIGINAL),
            load_be64(address + REPLACE_NEW),
            load_be32(address + REPLACE_PRICE),
            load_be32(address + REPLACE_QUANTITY),
        )
    elif kind == EXECUTED or kind == EXECUTED_WITH_PRICE:
        outcome = execute_order(
            book, venue, load_be64(address + EXECUTED_REFERENCE), load_be32(address + EXECUTED_QUANTITY)
        )
    elif kind == CANCEL:
        outcome = reduce_order(book, venue, load_be64(address + CANCEL_REFERENCE), load_be32(address + CANCEL_QUANTITY))
    else:
        return NOT_BOOK
    if outcome == 1 and listing_of(book, venue, load_be16(address + LOCATE)) < 0:
        return NOT_FOLLOWED
    return outcome


@hot_inlined
def apply_add(book, venue, address):
    """Apply an Add Order, attributed or not: their fields agree up to the attribution."""
    listing = listing_of(book, venue, load_be16(address + LOCATE))
    if listing < 0:
        return NOT_FOLLOWED
    letter = load_u8(address + ADD_SIDE)
    side = BUY if letter == BUY_LETTER else SELL if letter == SELL_LETTER else 0
    return add_order(
        book,
        venue,
        listing,
        load_be64(address + ADD_REFERENCE),
        side,
        load_be32(address + ADD_PRICE),
        load_be32(address + ADD_QUANTITY),
    )


@hot_inlined
def listing_of(book, venue, locate):
    """The listing that a stock locate of a venue means, or -1."""
    return load_le32(view(book, 1, BOOK)[0].locates + (venue * LOCATES + locate) * 4) - 1
