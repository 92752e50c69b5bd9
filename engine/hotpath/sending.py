"""Order requests leave here: encoded behind each other in the venue's outbound buffer, and sent together when all that
one packet or answer causes is there (a send costs microseconds, an order a hundred nanoseconds).

What the socket does not take stays in the buffer, whole frames in order. A socket that fails takes its buffer with it:
a frame is never continued on another connection.
"""

from __future__ import annotations

from engine.hotpath.dialects import firm_address, write_cancel, write_enter, write_modify, write_replace
from engine.hotpath.latency import settle_stamps, stamp_sent
from engine.hotpath.tables import (
    ENGINE,
    FIX,
    LOST_CONNECTION,
    LOST_NOT_READING,
    LOST_RING_FULL,
    ORDER,
    OUCH42,
    OUCH50,
    OUTBOUND_BYTES,
    RING,
    SESSION_LOST,
    VENUE,
    VENUES,
)
from engine.messages.codes import RecordKind, SessionState
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
from engine.protocols.ouch42_encode import write_void_order
from engine.protocols.ouch50_encode import write_account_query, write_mass_cancel, write_order_entry_switch
from engine.protocols.soupbintcp_frames import (
    DEBUG,
    PAYLOAD,
    write_client_heartbeat,
    write_frame_header,
    write_logout_request,
)
from engine.transport.rings import ring_push

ORDER_REQUEST_KIND = int(RecordKind.ORDER_REQUEST)
ORDER_REQUEST_BYTES = 96
LONGEST_FRAME = 384
RECONCILING = int(SessionState.RECONCILING)


@hot
def on_socket(protocol):
    """Whether the loop itself speaks with a venue of this protocol, over the venue's socket."""
    return protocol == OUCH50 or protocol == OUCH42 or protocol == FIX


@hot
def lose_session(engine, venue_index, because=LOST_CONNECTION):
    """The connection is gone; the cold path closes the socket, journals the event and connects again.

    The gate goes on as if the session were up until that event is journalled: decisions depend on journalled input
    only.
    """
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.lost == 0:
        venue.lost_because = because
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
    if on_socket(venue.protocol):
        core.unsent |= 1 << venue_index


@hot
def has_room(engine, venue_index):
    """Room for one more frame, after a send if need be; a buffer that stays full means a venue that stopped reading. 0
    once the session is lost, and before it begins: whatever is written takes a number that the logon then counts on.
    """
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if venue.lost != 0 or (venue.fd < 0 and venue.session < RECONCILING):
        return 0
    if venue.outbound_used + LONGEST_FRAME <= OUTBOUND_BYTES:
        return 1
    if on_socket(venue.protocol) and venue.fd >= 0:
        flush(engine, venue_index)
        if venue.lost != 0:
            return 0
        if venue.outbound_used + LONGEST_FRAME <= OUTBOUND_BYTES:
            return 1
    lose_session(engine, venue_index, LOST_NOT_READING)
    return 0


@hot
def push_request(engine, venue_index, request_body):
    """The journalled request into the session process's ring. Without a process there is no ring: nothing is sent.

    After one that did not fit none follows: the process must not see a later order of which it would conclude that it
    has seen all before.
    """
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if venue.request_ring == 0 or venue.lost != 0:
        return
    stamp_sent(engine, venue_index)
    if ring_push(venue.request_ring, ORDER_REQUEST_KIND, request_body, ORDER_REQUEST_BYTES) == 0:
        lose_session(engine, venue_index, LOST_RING_FULL)


@hot
def send_enter(engine, order_address, request_body):
    """Enter Order in the venue's dialect, or the journalled request itself into the session process's ring."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    venue = view(core.venues, VENUES, VENUE)[order.venue]
    if venue.protocol == RING:
        push_request(engine, order.venue, request_body)
    elif has_room(engine, order.venue) != 0:
        queued(engine, order.venue, write_enter(engine, venue.outbound + venue.outbound_used, order_address))


@hot
def send_cancel(engine, order_address, request_body):
    """Cancel Order down to nothing, or the journalled request into the ring."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    venue = view(core.venues, VENUES, VENUE)[order.venue]
    if venue.protocol == RING:
        push_request(engine, order.venue, request_body)
    elif has_room(engine, order.venue) != 0:
        queued(engine, order.venue, write_cancel(engine, venue.outbound + venue.outbound_used, order_address))


@hot
def send_replace(engine, target_address, order_address, request_body):
    """Replace Order, or the journalled request into the ring."""
    core = view(engine, 1, ENGINE)[0]
    venue_index = view(order_address, 1, ORDER)[0].venue
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.protocol == RING:
        push_request(engine, venue_index, request_body)
    elif has_room(engine, venue_index) != 0:
        packet = venue.outbound + venue.outbound_used
        queued(engine, venue_index, write_replace(engine, packet, target_address, order_address))


@hot
def send_modify(engine, order_address, total):
    """Modify Order; a venue behind a ring is never asked."""
    core = view(engine, 1, ENGINE)[0]
    venue_index = view(order_address, 1, ORDER)[0].venue
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        packet = venue.outbound + venue.outbound_used
        queued(engine, venue_index, write_modify(engine, packet, order_address, total))


@hot
def send_mass_cancel(engine, venue_index, number):
    """Mass Cancel Request (OUCH 5.0, section 2.5) for every instrument."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        packet = venue.outbound + venue.outbound_used
        queued(engine, venue_index, write_mass_cancel(packet, number, firm_address(engine, venue_index), 0))


@hot
def send_entry_switch(engine, venue_index, number, enable):
    """Enable or Disable Order Entry Request (OUCH 5.0, sections 2.7 and 2.6)."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        packet = venue.outbound + venue.outbound_used
        firm = firm_address(engine, venue_index)
        queued(engine, venue_index, write_order_entry_switch(packet, number, firm, enable))


@hot
def send_void(engine, venue_index, token, side, symbol):
    """An OUCH 4.2 order of no shares under the 14 bytes at `token`: rejected, or ignored when the token was seen."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        queued(engine, venue_index, write_void_order(venue.outbound + venue.outbound_used, token, side, symbol))


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
def send_logout(engine, venue_index):
    """Logout Request (SoupBinTCP, section 2.3.4): we leave on purpose. Our orders stay."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        queued(engine, venue_index, write_logout_request(venue.outbound + venue.outbound_used))
        flush_unsent(engine)


@hot
def send_debug(engine, venue_index, text, length):
    """Debug packet (SoupBinTCP, section 2.2.1) with `length` bytes of text."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    if has_room(engine, venue_index) != 0:
        packet = venue.outbound + venue.outbound_used
        copy_bytes(packet + PAYLOAD, text, length)
        queued(engine, venue_index, write_frame_header(packet, DEBUG, length))
