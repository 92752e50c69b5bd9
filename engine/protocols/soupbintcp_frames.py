"""SoupBinTCP in the loop: bounds-checked framing, and the packets that the loop sends itself."""

from __future__ import annotations

from engine.native import hot, load_be16, store_be16, store_u8

LENGTH_FIELD = 2
TYPE = 2
PAYLOAD = 3
HEADER_LENGTH = 3

DEBUG = ord("+")
LOGIN_ACCEPTED = ord("A")
LOGIN_REJECTED = ord("J")
SEQUENCED_DATA = ord("S")
SERVER_HEARTBEAT = ord("H")
END_OF_SESSION = ord("Z")
LOGIN_REQUEST = ord("L")
UNSEQUENCED_DATA = ord("U")
CLIENT_HEARTBEAT = ord("R")
LOGOUT_REQUEST = ord("O")

# Far above any ITCH or OUCH message: a longer packet is a stream that lost its boundaries.
LONGEST_PACKET = 4096
PARTIAL = 0
MALFORMED = -1


@hot
def next_frame(address, available):
    """Bytes of the packet at `address`, its length field included.

    PARTIAL (0) when fewer than `available` bytes are the whole packet; MALFORMED (-1) when its length is 0 or above
    LONGEST_PACKET, after which the stream has no boundary left. The type is at address + TYPE, the payload of
    length - HEADER_LENGTH bytes at address + PAYLOAD.
    """
    if available < LENGTH_FIELD:
        return PARTIAL
    length = LENGTH_FIELD + load_be16(address)
    if length < HEADER_LENGTH or length > LONGEST_PACKET:
        return MALFORMED
    if length > available:
        return PARTIAL
    return length


@hot
def write_frame_header(address, packet_type, payload_length):
    """Length and type of a packet whose payload the caller writes at address + PAYLOAD. Returns the packet's length."""
    store_be16(address, payload_length + 1)
    store_u8(address + TYPE, packet_type)
    return HEADER_LENGTH + payload_length


@hot
def write_client_heartbeat(address):
    """A client heartbeat, 3 bytes."""
    return write_frame_header(address, CLIENT_HEARTBEAT, 0)


@hot
def write_logout_request(address):
    """A logout request, 3 bytes."""
    return write_frame_header(address, LOGOUT_REQUEST, 0)
