"""OUCH 5.0 requests written at an address, each a whole SoupBinTCP unsequenced data packet. Each returns the packet's
length.

`side` is `engine.messages.codes.Side`, `time_in_force` is `TimeInForce`, `price` is in 1/10,000 of the currency;
`instrument` and `firm` are addresses of 8 and 4 bytes padded with spaces. The caller guarantees LONGEST_REQUEST bytes
of room and values within their fields: user reference below 2**32, quantity below 1,000,000.
"""

from __future__ import annotations

from engine.native import (
    hot,
    hot_inlined,
    load_i64,
    load_le32,
    store_be16,
    store_be32,
    store_be64,
    store_i64,
    store_le32,
    store_u8,
)
from engine.protocols import ouch50_offsets as ouch
from engine.protocols.soupbintcp_frames import HEADER_LENGTH, PAYLOAD, UNSEQUENCED_DATA, write_frame_header

LONGEST_REQUEST = 64
LARGEST_PRICE = 0x7FFFFFFE  # above it stands no limit

BUY = 1
DAY = 1
FILL_OR_KILL = 3
POST_ONLY = 4
AT_OPEN = 5
LETTER_BUY = ord("B")
LETTER_SELL = ord("S")
LETTER_DAY = ord("0")
LETTER_IMMEDIATE = ord("3")
POSTS_ONLY = ord("P")
VISIBLE = ord("Y")
PRINCIPAL = ord("P")
NO_SWEEP = ord("N")
CONTINUOUS, OPENING, CLOSING = ord("N"), ord("O"), ord("C")
BLANKS = int.from_bytes(b"        ", "big")


@hot_inlined
def hexadecimal(number):
    """The eight hexadecimal digits of the lower 32 bits as eight characters, all at once: each digit gets a byte of its
    own, and those beyond 9 get 7 more on top of "0"."""
    spread = number & 0xFFFFFFFF
    spread = (spread << 16 | spread) & 0x0000FFFF0000FFFF
    spread = (spread << 8 | spread) & 0x00FF00FF00FF00FF
    spread = (spread << 4 | spread) & 0x0F0F0F0F0F0F0F0F
    beyond = (spread + 0x0606060606060606) >> 4 & 0x0101010101010101
    return spread + 0x3030303030303030 + beyond * 7


@hot_inlined
def cross_type(time_in_force):
    """The letter of the cross that an order is for."""
    if time_in_force < AT_OPEN:
        return CONTINUOUS
    return OPENING if time_in_force == AT_OPEN else CLOSING


@hot
def write_client_order_id(address, order_id):
    """Fourteen hexadecimal digits of the engine's order id, so that a person can find the order at the venue."""
    low = hexadecimal(order_id)
    high = hexadecimal(order_id >> 32)
    store_be32(address, high >> 16 & 0xFFFFFFFF)
    store_be16(address + 4, high & 0xFFFF)
    store_be64(address + 6, low)


@hot
def write_minimum_quantity(address, quantity):
    """The option MinQty (tag 3). Returns its length."""
    store_u8(address, 5)
    store_u8(address + 1, ouch.TAG_MINIMUM_QUANTITY)
    store_be32(address + 2, quantity)
    return 6


@hot_inlined
def is_day(time_in_force):
    """Whether an order may rest until the end of the day; one for a cross waits for it."""
    return time_in_force == DAY or time_in_force >= POST_ONLY


@hot
def write_post_only(address):
    """The option PostOnly (tag 12). Returns its length."""
    store_u8(address, 2)
    store_u8(address + 1, ouch.TAG_POST_ONLY)
    store_u8(address + 2, POSTS_ONLY)
    return 3


@hot
def write_appendage(address, quantity, time_in_force):
    """Appendage length and options at `address`. Fill or kill is immediate or cancel of at least the whole quantity."""
    length = 0
    if time_in_force == FILL_OR_KILL:
        length = write_minimum_quantity(address + ouch.APPENDAGE_LENGTH_FIELD, quantity)
    elif time_in_force == POST_ONLY:
        length = write_post_only(address + ouch.APPENDAGE_LENGTH_FIELD)
    store_be16(address, length)
    return ouch.APPENDAGE_LENGTH_FIELD + length


@hot
def write_enter_order(address, user_reference, side, quantity, instrument, price, time_in_force, order_id):
    """Enter Order (2.1): visible, principal. 50 bytes, 56 for fill or kill, 53 for post only."""
    message = address + PAYLOAD
    store_u8(message, ouch.ENTER_ORDER)
    store_be32(message + ouch.ENTER_ORDER_USER_REFERENCE, user_reference)
    store_u8(message + ouch.ENTER_ORDER_SIDE, LETTER_BUY if side == BUY else LETTER_SELL)
    store_be32(message + ouch.ENTER_ORDER_QUANTITY, quantity)
    store_i64(message + ouch.ENTER_ORDER_INSTRUMENT, load_i64(instrument))
    store_be64(message + ouch.ENTER_ORDER_PRICE, price)
    store_u8(message + ouch.ENTER_ORDER_TIME_IN_FORCE, LETTER_DAY if is_day(time_in_force) else LETTER_IMMEDIATE)
    store_u8(message + ouch.ENTER_ORDER_DISPLAY, VISIBLE)
    store_u8(message + ouch.ENTER_ORDER_CAPACITY, PRINCIPAL)
    store_u8(message + ouch.ENTER_ORDER_INTERMARKET_SWEEP, NO_SWEEP)
    store_u8(message + ouch.ENTER_ORDER_CROSS_TYPE, cross_type(time_in_force))
    write_client_order_id(message + ouch.ENTER_ORDER_CLIENT_ORDER_ID, order_id)
    options = write_appendage(message + ouch.ENTER_ORDER_LENGTH, quantity, time_in_force)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.ENTER_ORDER_LENGTH + options)


@hot
def write_replace_order(address, original_user_reference, user_reference, quantity, price, time_in_force, order_id):
    """Replace Order (2.2). `quantity` is the chain's total, shares already executed included. 43 bytes, 49 or 46."""
    message = address + PAYLOAD
    store_u8(message, ouch.REPLACE_ORDER)
    store_be32(message + ouch.REPLACE_ORDER_ORIGINAL_USER_REFERENCE, original_user_reference)
    store_be32(message + ouch.REPLACE_ORDER_USER_REFERENCE, user_reference)
    store_be32(message + ouch.REPLACE_ORDER_QUANTITY, quantity)
    store_be64(message + ouch.REPLACE_ORDER_PRICE, price)
    store_u8(message + ouch.REPLACE_ORDER_TIME_IN_FORCE, LETTER_DAY if is_day(time_in_force) else LETTER_IMMEDIATE)
    store_u8(message + ouch.REPLACE_ORDER_DISPLAY, VISIBLE)
    store_u8(message + ouch.REPLACE_ORDER_INTERMARKET_SWEEP, NO_SWEEP)
    write_client_order_id(message + ouch.REPLACE_ORDER_CLIENT_ORDER_ID, order_id)
    options = write_appendage(message + ouch.REPLACE_ORDER_LENGTH, quantity, time_in_force)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.REPLACE_ORDER_LENGTH + options)


@hot
def write_cancel_order(address, user_reference, quantity):
    """Cancel Order (2.3): at most `quantity` shares may be executed in total; 0 cancels what is open. 12 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.CANCEL_ORDER)
    store_be32(message + ouch.CANCEL_ORDER_USER_REFERENCE, user_reference)
    store_be32(message + ouch.CANCEL_ORDER_QUANTITY, quantity)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.CANCEL_ORDER_LENGTH)


@hot
def write_modify_order(address, user_reference, side, quantity):
    """Modify Order (2.4): at most `quantity` shares may be executed in total; the order keeps its place. 13 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.MODIFY_ORDER)
    store_be32(message + ouch.MODIFY_ORDER_USER_REFERENCE, user_reference)
    store_u8(message + ouch.MODIFY_ORDER_SIDE, LETTER_BUY if side == BUY else LETTER_SELL)
    store_be32(message + ouch.MODIFY_ORDER_QUANTITY, quantity)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.MODIFY_ORDER_LENGTH)


@hot
def write_mass_cancel(address, user_reference, firm, instrument):
    """Mass Cancel Request (2.5); `instrument` 0 means all instruments of the firm. 22 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.MASS_CANCEL)
    store_be32(message + ouch.MASS_CANCEL_USER_REFERENCE, user_reference)
    store_le32(message + ouch.MASS_CANCEL_FIRM, load_le32(firm))
    store_i64(message + ouch.MASS_CANCEL_INSTRUMENT, BLANKS if instrument == 0 else load_i64(instrument))
    store_be16(message + ouch.MASS_CANCEL_LENGTH, 0)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.MASS_CANCEL_LENGTH + ouch.APPENDAGE_LENGTH_FIELD)


@hot
def write_order_entry_switch(address, user_reference, firm, enable):
    """Enable (2.7) or Disable (2.6) Order Entry Request. 14 bytes."""
    message = address + PAYLOAD
    store_u8(message, ouch.ENABLE_ORDER_ENTRY if enable else ouch.DISABLE_ORDER_ENTRY)
    store_be32(message + ouch.DISABLE_ORDER_ENTRY_USER_REFERENCE, user_reference)
    store_le32(message + ouch.DISABLE_ORDER_ENTRY_FIRM, load_le32(firm))
    store_be16(message + ouch.DISABLE_ORDER_ENTRY_LENGTH, 0)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.DISABLE_ORDER_ENTRY_LENGTH + ouch.APPENDAGE_LENGTH_FIELD)


@hot
def write_account_query(address):
    """Account Query Request (2.8): asks for the next user reference. 4 bytes."""
    store_u8(address + PAYLOAD, ouch.ACCOUNT_QUERY)
    return write_frame_header(address, UNSEQUENCED_DATA, ouch.ACCOUNT_QUERY_LENGTH)


ENTER_ORDER_PACKET_LENGTH = HEADER_LENGTH + ouch.ENTER_ORDER_LENGTH + ouch.APPENDAGE_LENGTH_FIELD
