"""OUCH 4.2 requests written at an address, each a whole SoupBinTCP packet, with the arguments of `ouch50_encode`.

A token is fourteen hexadecimal digits: six of the strategy that asked (0 for people), eight of the order's number. So
both dialects name orders by the same rising number, and a person at the venue sees whose an order is.
"""

from __future__ import annotations

from engine.native import hot, load_i64, load_u8, store_be32, store_i64, store_u8
from engine.protocols import ouch42_offsets as ouch
from engine.protocols.ouch50_encode import (
    BUY,
    FILL_OR_KILL,
    LETTER_BUY,
    LETTER_SELL,
    NO_SWEEP,
    POST_ONLY,
    POSTS_ONLY,
    PRINCIPAL,
    VISIBLE,
    cross_type,
    is_day,
)
from engine.protocols.soupbintcp_frames import PAYLOAD, UNSEQUENCED_DATA, write_frame_header

MARKET_HOURS = 99_998
IMMEDIATE = 0
BLANK = ord(" ")
BLANKS = int.from_bytes(b"    ", "big")
NUMBER_DIGITS = 8
STRATEGY_MASK = 0xFFFFFF
LARGEST_PRICE = 1_999_999_900  # 200,000 and above is no limit


@hot
def write_token(address, strategy, number):
    """The token of an order: of a strategy's number, the lowest 24 bits."""
    name = ((strategy & STRATEGY_MASK) << (4 * NUMBER_DIGITS)) | number
    for index in range(ouch.TOKEN_LENGTH):
        digit = (name >> (4 * (ouch.TOKEN_LENGTH - 1 - index))) & 15
        store_u8(address + index, 48 + digit + (7 if digit > 9 else 0))


@hot
def write_enter_order(address, number, side, quantity, instrument, price, time_in_force, strategy):
    """Enter Order (2.1): visible, principal, for the continuous market or a cross. 52 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.ENTER_ORDER)
    write_token(message + ouch.ENTER_ORDER_TOKEN, strategy, number)
    store_u8(message + ouch.ENTER_ORDER_SIDE, LETTER_BUY if side == BUY else LETTER_SELL)
    store_be32(message + ouch.ENTER_ORDER_QUANTITY, quantity)
    store_i64(message + ouch.ENTER_ORDER_INSTRUMENT, load_i64(instrument))
    store_be32(message + ouch.ENTER_ORDER_PRICE, price)
    store_be32(message + ouch.ENTER_ORDER_TIME_IN_FORCE, MARKET_HOURS if is_day(time_in_force) else IMMEDIATE)
    store_be32(message + ouch.ENTER_ORDER_FIRM, BLANKS)
    store_u8(message + ouch.ENTER_ORDER_DISPLAY, POSTS_ONLY if time_in_force == POST_ONLY else VISIBLE)
    store_u8(message + ouch.ENTER_ORDER_CAPACITY, PRINCIPAL)
    store_u8(message + ouch.ENTER_ORDER_INTERMARKET_SWEEP, NO_SWEEP)
    store_be32(message + ouch.ENTER_ORDER_MINIMUM_QUANTITY, quantity if time_in_force == FILL_OR_KILL else 0)
    store_u8(message + ouch.ENTER_ORDER_CROSS_TYPE, cross_type(time_in_force))
    store_u8(message + ouch.ENTER_ORDER_CUSTOMER_TYPE, BLANK)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.ENTER_ORDER_LENGTH)


@hot
def write_replace_order(address, original_number, number, quantity, price, time_in_force, strategy):
    """Replace Order (2.2). `quantity` is the chain's total, shares already executed included. 50 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.REPLACE_ORDER)
    write_token(message + ouch.REPLACE_ORDER_ORIGINAL_TOKEN, strategy, original_number)
    write_token(message + ouch.REPLACE_ORDER_TOKEN, strategy, number)
    store_be32(message + ouch.REPLACE_ORDER_QUANTITY, quantity)
    store_be32(message + ouch.REPLACE_ORDER_PRICE, price)
    store_be32(message + ouch.REPLACE_ORDER_TIME_IN_FORCE, MARKET_HOURS if is_day(time_in_force) else IMMEDIATE)
    store_u8(message + ouch.REPLACE_ORDER_DISPLAY, POSTS_ONLY if time_in_force == POST_ONLY else VISIBLE)
    store_u8(message + ouch.REPLACE_ORDER_INTERMARKET_SWEEP, NO_SWEEP)
    store_be32(message + ouch.REPLACE_ORDER_MINIMUM_QUANTITY, quantity if time_in_force == FILL_OR_KILL else 0)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.REPLACE_ORDER_LENGTH)


@hot
def write_cancel_order(address, number, quantity, strategy):
    """Cancel Order (2.3): at most `quantity` shares may be executed in total; 0 cancels what is open. 22 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.CANCEL_ORDER)
    write_token(message + ouch.CANCEL_ORDER_TOKEN, strategy, number)
    store_be32(message + ouch.CANCEL_ORDER_QUANTITY, quantity)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.CANCEL_ORDER_LENGTH)


@hot
def write_modify_order(address, number, side, quantity, strategy):
    """Modify Order (2.4): at most `quantity` shares may be executed in total; the order keeps its place. 23 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.MODIFY_ORDER)
    write_token(message + ouch.MODIFY_ORDER_TOKEN, strategy, number)
    store_u8(message + ouch.MODIFY_ORDER_SIDE, LETTER_BUY if side == BUY else LETTER_SELL)
    store_be32(message + ouch.MODIFY_ORDER_QUANTITY, quantity)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.MODIFY_ORDER_LENGTH)


@hot
def write_void_order(address, token, side, instrument):
    """Enter Order of no shares under the 14 bytes at `token`: the venue rejects it, or ignores it when it has seen the
    token before. It cannot trade. 52 bytes."""
    length = write_enter_order(address, 0, side, 0, instrument, 0, FILL_OR_KILL, 0)
    for index in range(ouch.TOKEN_LENGTH):
        store_u8(address + PAYLOAD + ouch.ENTER_ORDER_TOKEN + index, load_u8(token + index))
    return length
