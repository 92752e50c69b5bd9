"""MoldUDP64 in the loop: offsets of the header, a bounds-checked walk over the blocks, and the retransmission
request.
"""

from __future__ import annotations

from engine.native import hot, load_be16, load_be64, load_i64, load_le16, store_be16, store_be64, store_i64, store_le16
from engine.protocols.moldudp64_layouts import DOWNSTREAM, REQUEST

SESSION, SEQUENCE, MESSAGE_COUNT = (place.offset for place in DOWNSTREAM.fields)
HEADER_LENGTH = DOWNSTREAM.length
BLOCK_HEADER_LENGTH = 2
REQUEST_LENGTH = REQUEST.length
HEARTBEAT = 0
END_OF_SESSION = 0xFFFF
MALFORMED = -1


@hot
def next_block(address, end):
    """Length of the message in the block at `address`; its bytes start at address + BLOCK_HEADER_LENGTH.

    MALFORMED (-1) when the block does not end before `end`, the address after the packet's last byte.
    """
    if address + BLOCK_HEADER_LENGTH > end:
        return MALFORMED
    length = load_be16(address)
    if address + BLOCK_HEADER_LENGTH + length > end:
        return MALFORMED
    return length


@hot
def packet_count(address, length):
    """Message count of a downstream packet of `length` bytes; MALFORMED (-1) when the header is cut."""
    if length < HEADER_LENGTH:
        return MALFORMED
    return load_be16(address + MESSAGE_COUNT)


@hot
def packet_sequence(address):
    """Sequence number of the first message (the caller has checked the header's length)."""
    return load_be64(address + SEQUENCE)


@hot
def same_session(address, other):
    """True when two packets, or a packet and ten stored bytes, carry the same session."""
    return load_i64(address) == load_i64(other) and load_le16(address + 8) == load_le16(other + 8)


@hot
def write_request(address, session, sequence, message_count):
    """A request packet; `session` is the address of ten bytes. Returns its length, 20."""
    store_i64(address, load_i64(session))
    store_le16(address + 8, load_le16(session + 8))
    store_be64(address + SEQUENCE, sequence)
    store_be16(address + MESSAGE_COUNT, message_count)
    return REQUEST_LENGTH
