"""ITCH 5.0 book messages written at an address, for the exchange's feed. Each returns the message's length.

`side` is `engine.messages.codes.Side`; `instrument` is the address of the symbol, 8 bytes padded with spaces;
`timestamp_ns` counts from midnight. The caller guarantees room for the longest message (50 bytes).
"""

from __future__ import annotations

from engine.native import hot, load_i64, store_be16, store_be32, store_be48, store_be64, store_i64, store_u8
from engine.protocols import itch50_offsets as itch

BUY = 1
LETTER_BUY = ord("B")
LETTER_SELL = ord("S")


@hot
def write_header(address, message_type, stock_locate, timestamp_ns):
    """The eleven bytes that every message starts with."""
    store_u8(address, message_type)
    store_be16(address + itch.STOCK_LOCATE, stock_locate)
    store_be16(address + itch.TRACKING_NUMBER, 0)
    store_be48(address + itch.TIMESTAMP_NS, timestamp_ns)


@hot
def write_add_order(address, stock_locate, timestamp_ns, reference, side, quantity, instrument, price):
    """Add Order, no attribution (1.3.1)."""
    write_header(address, itch.ADD_ORDER, stock_locate, timestamp_ns)
    store_be64(address + itch.ADD_ORDER_REFERENCE, reference)
    store_u8(address + itch.ADD_ORDER_SIDE, LETTER_BUY if side == BUY else LETTER_SELL)
    store_be32(address + itch.ADD_ORDER_QUANTITY, quantity)
    store_i64(address + itch.ADD_ORDER_INSTRUMENT, load_i64(instrument))
    store_be32(address + itch.ADD_ORDER_PRICE, price)
    return itch.ADD_ORDER_LENGTH


@hot
def write_order_executed(address, stock_locate, timestamp_ns, reference, quantity, match_number):
    """Order Executed at its display price (1.4.1)."""
    write_header(address, itch.ORDER_EXECUTED, stock_locate, timestamp_ns)
    store_be64(address + itch.ORDER_EXECUTED_REFERENCE, reference)
    store_be32(address + itch.ORDER_EXECUTED_QUANTITY, quantity)
    store_be64(address + itch.ORDER_EXECUTED_MATCH_NUMBER, match_number)
    return itch.ORDER_EXECUTED_LENGTH


@hot
def write_order_cancel(address, stock_locate, timestamp_ns, reference, quantity):
    """Order Cancel: `quantity` shares are taken off the order (1.4.3)."""
    write_header(address, itch.ORDER_CANCEL, stock_locate, timestamp_ns)
    store_be64(address + itch.ORDER_CANCEL_REFERENCE, reference)
    store_be32(address + itch.ORDER_CANCEL_QUANTITY, quantity)
    return itch.ORDER_CANCEL_LENGTH


@hot
def write_order_delete(address, stock_locate, timestamp_ns, reference):
    """Order Delete (1.4.4)."""
    write_header(address, itch.ORDER_DELETE, stock_locate, timestamp_ns)
    store_be64(address + itch.ORDER_DELETE_REFERENCE, reference)
    return itch.ORDER_DELETE_LENGTH


@hot
def write_order_replace(address, stock_locate, timestamp_ns, original_reference, new_reference, quantity, price):
    """Order Replace: a new reference without the old time priority (1.4.5)."""
    write_header(address, itch.ORDER_REPLACE, stock_locate, timestamp_ns)
    store_be64(address + itch.ORDER_REPLACE_ORIGINAL_REFERENCE, original_reference)
    store_be64(address + itch.ORDER_REPLACE_NEW_REFERENCE, new_reference)
    store_be32(address + itch.ORDER_REPLACE_QUANTITY, quantity)
    store_be32(address + itch.ORDER_REPLACE_PRICE, price)
    return itch.ORDER_REPLACE_LENGTH
