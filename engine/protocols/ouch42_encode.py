"""OUCH 4.2 requests written at an address, each a whole SoupBinTCP packet, with the arguments of `ouch50_encode`.

A token is our user reference in 14 hexadecimal digits, so that both dialects name orders by the same rising number.
"""

from __future__ import annotations

from engine.native import hot, load_i64, store_be32, store_i64, store_u8
from engine.protocols import ouch42_offsets as ouch
from engine.protocols.ouch50_encode import (
    BUY,
    CONTINUOUS,
    DAY,
    FILL_OR_KILL,
    LETTER_BUY,
    LETTER_SELL,
    NO_SWEEP,
    PRINCIPAL,
    VISIBLE,
    write_client_order_id,
)
from engine.protocols.soupbintcp_frames import PAYLOAD, UNSEQUENCED_DATA, write_frame_header

MARKET_HOURS = 99_998
IMMEDIATE = 0
BLANK = ord(" ")
BLANKS = int.from_bytes(b"    ", "big")
write_token = write_client_order_id


@hot
def write_enter_order(address, user_reference, side, quantity, instrument, price, time_in_force, order_id):
    """Enter Order (2.1): visible, principal, continuous market. 52 bytes; `order_id` is not sent."""
    message = address + PAYLOAD
    store_u8(message, ouch.ENTER_ORDER)
    write_token(message + ouch.ENTER_ORDER_TOKEN, user_reference)
    store_u8(message + ouch.ENTER_ORDER_SIDE, LETTER_BUY if side == BUY else LETTER_SELL)
    store_be32(message + ouch.ENTER_ORDER_QUANTITY, quantity)
    store_i64(message + ouch.ENTER_ORDER_INSTRUMENT, load_i64(instrument))
    store_be32(message + ouch.ENTER_ORDER_PRICE, price)
    store_be32(message + ouch.ENTER_ORDER_TIME_IN_FORCE, MARKET_HOURS if time_in_force == DAY else IMMEDIATE)
    store_be32(message + ouch.ENTER_ORDER_FIRM, BLANKS)
    store_u8(message + ouch.ENTER_ORDER_DISPLAY, VISIBLE)
    store_u8(message + ouch.ENTER_ORDER_CAPACITY, PRINCIPAL)
    store_u8(message + ouch.ENTER_ORDER_INTERMARKET_SWEEP, NO_SWEEP)
    store_be32(message + ouch.ENTER_ORDER_MINIMUM_QUANTITY, quantity if time_in_force == FILL_OR_KILL else 0)
    store_u8(message + ouch.ENTER_ORDER_CROSS_TYPE, CONTINUOUS)
    store_u8(message + ouch.ENTER_ORDER_CUSTOMER_TYPE, BLANK)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.ENTER_ORDER_LENGTH)


@hot
def write_replace_order(address, original_user_reference, user_reference, quantity, price, time_in_force, order_id):
    """Replace Order (2.2). `quantity` is the chain's total, shares already executed included. 50 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.REPLACE_ORDER)
    write_token(message + ouch.REPLACE_ORDER_ORIGINAL_TOKEN, original_user_reference)
    write_token(message + ouch.REPLACE_ORDER_TOKEN, user_reference)
    store_be32(message + ouch.REPLACE_ORDER_QUANTITY, quantity)
    store_be32(message + ouch.REPLACE_ORDER_PRICE, price)
    store_be32(message + ouch.REPLACE_ORDER_TIME_IN_FORCE, MARKET_HOURS if time_in_force == DAY else IMMEDIATE)
    store_u8(message + ouch.REPLACE_ORDER_DISPLAY, VISIBLE)
    store_u8(message + ouch.REPLACE_ORDER_INTERMARKET_SWEEP, NO_SWEEP)
    store_be32(message + ouch.REPLACE_ORDER_MINIMUM_QUANTITY, quantity if time_in_force == FILL_OR_KILL else 0)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.REPLACE_ORDER_LENGTH)


@hot
def write_cancel_order(address, user_reference, quantity):
    """Cancel Order (2.3): at most `quantity` shares may be executed in total; 0 cancels what is open. 22 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.CANCEL_ORDER)
    write_token(message + ouch.CANCEL_ORDER_TOKEN, user_reference)
    store_be32(message + ouch.CANCEL_ORDER_QUANTITY, quantity)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.CANCEL_ORDER_LENGTH)
