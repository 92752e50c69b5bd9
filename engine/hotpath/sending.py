"""Order requests leave here: encoded behind each other in the venue's outbound buffer, and sent together when all that
one packet or answer causes is there (a send costs microseconds, an order a hundred nanoseconds).

What the socket does not take stays in the buffer, whole frames in order. A socket that fails takes its buffer with it:
a frame is never continued on another connection.
"""

from __future__ import annotations

from engine.hotpath.latency import settle_stamps, stamp_sent
from engine.hotpath.tables import (
    ENGINE,
    INSTRUMENT,
    ORDER,
    OUCH50,
    OUTBOUND_BYTES,
    RING,
    SESSION_LOST,
    VENUE,
    VENUES,
)
from engine.messages.codes import RecordKind
from engine.native import (
    AGAIN,
    DONT_WAIT,
    NO_SIGNAL,
    copy_bytes,
    errno,
    hot,
    load_u8,
    send,
    store_u8,
    view,
)
from engine.protocols.ouch50_encode import write_account_query, write_cancel_order, write_enter_order
from engine.protocols.soupbintcp_frames import DEBUG, PAYLOAD, write_client_heartbeat, write_frame_header
from engine.transport.rings import ring_push

ORDER_REQUEST_KIND = int(RecordKind.ORDER_REQUEST)
ORDER_REQUEST_BYTES = 96
INSTRUMENT_BYTES = INSTRUMENT.itemsize
LONGEST_FRAME = 256


@hot
def lose_session(engine, venue_index):
    """The connection is gone; the cold path closes the socket, journals the event and connects again.

    The gate goes on as if the session were up until that event is journalled: decisions depend on journalled input
    only.
    """
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    venue.lost = 1
    venue.outbound_used = 0
    core.attention |= SESSION_LOST


@hot
def flush(engine, venue_index):
    """Send what waits. 1 when the buffer is empty or the rest must wait, 0 when the connection is lost."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    used = venue.outbound_used
    if core.stamps_made != core.stamps_settled:
        stamp_sent(engine, venue_index)
    sent = send(venue.fd, venue.outbound, used, DONT_WAIT | NO_SIGNAL)
    if sent == used:
        venue.outbound_used = 0
        return 1
    if sent < 0:
        if errno() == AGAIN:
            return 1
        lose_session(engine, venue_index)
        return 0
    for at in range(used - sent):
        store_u8(venue.outbound + at, load_u8(venue.outbound + sent + at))
    venue.outbound_used = used - sent
    return 1


@hot
def flush_unsent(engine):
    """Send what the last packet or answer caused, to each venue in one go."""
    core = view(engine, 1, ENGINE)[0]
    if core.unsent == 0:
        return
    for venue_index in range(1, core.venue_count + 1):
        if core.unsent >> venue_index & 1:
            venue = view(core.venues, VENUES, VENUE)[venue_index]
            if venue.outbound_used > 0 and venue.fd >= 0 and venue.lost == 0:
                flush(engine, venue_index)
    core.unsent = 0
    if core.stamps_made != core.stamps_settled:
        settle_stamps(engine)


@hot
def queued(engine, venue_index, length):
    """A packet of `length` bytes stands at the end of the outbound buffer and waits for `flush_unsent`."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    venue.outbound_used += length
    venue.sent_ns = core.clock_ns
    if venue.protocol == OUCH50:
        core.unsent |= 1 << venue_index


@hot
def has_room(engine, venue_index):
    """Room for one more frame, after a send if need be; a buffer that stays full means a venue that stopped reading. 0
    once the session is lost."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if venue.lost != 0:
        return 0
    if venue.outbound_used + LONGEST_FRAME <= OUTBOUND_BYTES:
        return 1
    if venue.protocol == OUCH50 and venue.fd >= 0:
        flush(engine, venue_index)
        if venue.lost != 0:
            return 0
        if venue.outbound_used + LONGEST_FRAME <= OUTBOUND_BYTES:
            return 1
    lose_session(engine, venue_index)
    return 0


@hot
def push_request(engine, venue_index, request_body):
    """The journalled request into the session process's ring. Without a process there is no ring: nothing is sent."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if venue.request_ring == 0:
        return
    stamp_sent(engine, venue_index)
    if ring_push(venue.request_ring, ORDER_REQUEST_KIND, request_body, ORDER_REQUEST_BYTES) == 0:
        lose_session(engine, venue_index)


@hot
def send_enter(engine, order_address, request_body):
    """Enter Order (OUCH 5.0, section 2.1), or the journalled request itself into the session process's ring."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    venue = view(core.venues, VENUES, VENUE)[order.venue]
    if venue.protocol == RING:
        push_request(engine, order.venue, request_body)
    elif has_room(engine, order.venue) != 0:
        symbol = core.instruments + order.instrument * INSTRUMENT_BYTES
        packet = venue.outbound + venue.outbound_used
        length = write_enter_order(
            packet, order.order_id, order.side, order.quantity, symbol, order.price, order.time_in_force, order.order_id
        )
        queued(engine, order.venue, length)


@hot
def send_cancel(engine, order_address, request_body):
    """Cancel Order (OUCH 5.0, section 2.3) down to nothing, or the journalled request into the ring."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    venue = view(core.venues, VENUES, VENUE)[order.venue]
    if venue.protocol == RING:
        push_request(engine, order.venue, request_body)
    elif has_room(engine, order.venue) != 0:
        queued(engine, order.venue, write_cancel_order(venue.outbound + venue.outbound_used, order.order_id, 0))


@hot
def send_account_query(engine, venue_index):
    """Account Query Request (OUCH 5.0, section 2.8): the answer says which of our numbers the venue has seen."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        queued(engine, venue_index, write_account_query(venue.outbound + venue.outbound_used))
        flush_unsent(engine)


@hot
def send_heartbeat(engine, venue_index):
    """Client Heartbeat (SoupBinTCP, section 2.2.5) after a second of silence."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        queued(engine, venue_index, write_client_heartbeat(venue.outbound + venue.outbound_used))


@hot
def send_debug(engine, venue_index, text, length):
    """Debug packet (SoupBinTCP, section 2.2.1) with `length` bytes of text."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        packet = venue.outbound + venue.outbound_used
        copy_bytes(packet + PAYLOAD, text, length)
        queued(engine, venue_index, write_frame_header(packet, DEBUG, length))
