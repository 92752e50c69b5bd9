"""The venue of the pipeline benchmarks: it accepts every order and fills most at once, compiled, so that trading goes
on without end. Orders whose number is 3 modulo `rest_every` rest until they are canceled; 0: none does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.hotpath.entries import TAKE_ANSWER, TAKE_DATAGRAM, TAKE_PACKETS, library_address
from engine.hotpath.replay import PACKET_GAP_NS
from engine.hotpath.tables import ENGINE, OUTBOUND_BYTES, VENUE, VENUES
from engine.native import (
    address_of,
    call_entry,
    copy_bytes,
    cycle_counter,
    hot,
    load_be16,
    load_be32,
    load_be64,
    load_i64,
    load_u8,
    store_be32,
    store_be64,
    store_i64,
    store_u8,
    touched,
    view,
)
from engine.protocols import ouch50_offsets as ouch
from engine.protocols.soupbintcp_frames import HEADER_LENGTH, PAYLOAD

REFERENCES = 1 << 20
LONGEST_ANSWER = 80
MOST_ANSWERS = 2
LIVE, REMOVED, USER = ord("L"), ord("R"), ord("U")

RESPONDER = np.dtype(
    [
        ("library", "<i8"),  # address of the loop's compiled code: what trades is measured, and not a copy of it
        ("frames", "<i8"),  # address of the copy of what is being answered
        ("answer", "<i8"),
        ("quantities", "<i8"),  # by user reference, of what rests
        ("rest_every", "<i8"),
        ("time_ns", "<i8"),  # of the venue's answers: counts up by one
        ("enters", "<i8"),
        ("cancels", "<i8"),
        ("sent", "<i8"),  # address of room for everything that was sent, 0: not kept
        ("sent_used", "<i8"),
        ("sent_room", "<i8"),
    ]
)


class Responder:
    """Its memory. With `room` every byte that the engine sends is kept in `sent`."""

    def __init__(self, rest_every: int = 4, room: int = 0) -> None:
        self.state = touched(1, RESPONDER)
        self._frames = touched(OUTBOUND_BYTES, np.dtype("u1"))
        self._answer = touched(LONGEST_ANSWER, np.dtype("u1"))
        self._quantities = touched(REFERENCES, np.dtype("<i8"))
        self.sent = touched(max(room, 1), np.dtype("u1"))
        row = self.state[0]
        row["library"] = library_address()
        row["frames"], row["answer"] = address_of(self._frames), address_of(self._answer)
        row["quantities"], row["rest_every"] = address_of(self._quantities), rest_every
        row["sent"], row["sent_room"] = address_of(self.sent) if room else 0, room
        self.address = address_of(self.state)

    def __getitem__(self, name: str) -> int:
        return int(self.state[0][name])

    @property
    def kept(self) -> np.ndarray[Any, Any]:
        """What the engine sent, in its order."""
        return self.sent[: self["sent_used"]]


@hot
def write_accepted(responder, order, answer):
    """Accepted (3.2) of the Enter Order at `order`. Returns its length."""
    state = view(responder, 1, RESPONDER)[0]
    reference = load_be32(order + ouch.ENTER_ORDER_USER_REFERENCE)
    store_u8(answer, ouch.ACCEPTED)
    store_be64(answer + ouch.ACCEPTED_TIMESTAMP_NS, state.time_ns)
    store_be32(answer + ouch.ACCEPTED_USER_REFERENCE, reference)
    same = ouch.ENTER_ORDER_TIME_IN_FORCE + 2 - ouch.ENTER_ORDER_SIDE  # side to display stand alike in both
    copy_bytes(answer + ouch.ACCEPTED_SIDE, order + ouch.ENTER_ORDER_SIDE, same)
    store_be64(answer + ouch.ACCEPTED_REFERENCE, reference)
    copy_bytes(answer + ouch.ACCEPTED_CAPACITY, order + ouch.ENTER_ORDER_CAPACITY, 3)
    store_u8(answer + ouch.ACCEPTED_ORDER_STATE, LIVE)
    copy_bytes(answer + ouch.ACCEPTED_CLIENT_ORDER_ID, order + ouch.ENTER_ORDER_CLIENT_ORDER_ID, 14)
    return ouch.ACCEPTED_LENGTH


@hot
def write_executed(responder, order, answer):
    """Executed (3.6): the whole of the Enter Order at `order`, at its price. Returns its length."""
    state = view(responder, 1, RESPONDER)[0]
    reference = load_be32(order + ouch.ENTER_ORDER_USER_REFERENCE)
    store_u8(answer, ouch.EXECUTED)
    store_be64(answer + ouch.EXECUTED_TIMESTAMP_NS, state.time_ns)
    store_be32(answer + ouch.EXECUTED_USER_REFERENCE, reference)
    store_be32(answer + ouch.EXECUTED_QUANTITY, load_be32(order + ouch.ENTER_ORDER_QUANTITY))
    store_be64(answer + ouch.EXECUTED_PRICE, load_be64(order + ouch.ENTER_ORDER_PRICE))
    store_u8(answer + ouch.EXECUTED_LIQUIDITY, REMOVED)
    store_be64(answer + ouch.EXECUTED_MATCH_NUMBER, reference)
    return ouch.EXECUTED_LENGTH


@hot
def write_canceled(responder, reference, quantity, answer):
    """Canceled (3.4). Returns its length."""
    state = view(responder, 1, RESPONDER)[0]
    store_u8(answer, ouch.CANCELED)
    store_be64(answer + ouch.CANCELED_TIMESTAMP_NS, state.time_ns)
    store_be32(answer + ouch.CANCELED_USER_REFERENCE, reference)
    store_be32(answer + ouch.CANCELED_QUANTITY, quantity)
    store_u8(answer + ouch.CANCELED_REASON, USER)
    return ouch.CANCELED_LENGTH


@hot
def write_answer(responder, message, number, answer):
    """Answer `number` (0, 1) to an order message: returns its length, 0 when there are no more."""
    state = view(responder, 1, RESPONDER)[0]
    state.time_ns += 1
    kind = load_u8(message)
    reference = load_be32(message + ouch.ENTER_ORDER_USER_REFERENCE)  # at the same place in both
    quantity = state.quantities + (reference & (REFERENCES - 1)) * 8
    if kind == ouch.ENTER_ORDER:
        rests = state.rest_every > 0 and reference % state.rest_every == 3
        if number == 0:
            state.enters += 1
            store_i64(quantity, load_be32(message + ouch.ENTER_ORDER_QUANTITY) if rests else 0)
            return write_accepted(responder, message, answer)
        return 0 if rests else write_executed(responder, message, answer)
    if kind == ouch.CANCEL_ORDER and number == 0:
        state.cancels += 1
        open_quantity = load_i64(quantity)
        store_i64(quantity, 0)
        if open_quantity > 0:
            return write_canceled(responder, reference, open_quantity, answer)
    return 0


@hot
def take_sent(engine, venue_index, responder):
    """Take what stands in the outbound buffer of a venue in memory. Returns how many bytes."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    state = view(responder, 1, RESPONDER)[0]
    used = venue.outbound_used
    copy_bytes(state.frames, venue.outbound, used)
    venue.outbound_used = 0
    if state.sent_used + used <= state.sent_room:
        copy_bytes(state.sent + state.sent_used, state.frames, used)
        state.sent_used += used
    return used


@hot
def answer_frames(engine, venue_index, responder, frames, used):
    """Answer whole frames of orders, through the way of answers from a socket."""
    state = view(responder, 1, RESPONDER)[0]
    at = 0
    while at < used:
        message = frames + at + PAYLOAD
        for number in range(MOST_ANSWERS):
            length = write_answer(responder, message, number, state.answer)
            if length == 0:
                break
            call_entry(state.library, TAKE_ANSWER, engine, venue_index, state.answer, length, 0, 0)
        at += HEADER_LENGTH - 1 + load_be16(frames + at)
    return at


@hot
def answer_all(engine, venue_index, responder):
    """Answer until nothing waits: an answer may make a strategy send again."""
    state = view(responder, 1, RESPONDER)[0]
    core = view(engine, 1, ENGINE)[0]
    core.received_cycles = 0
    while view(core.venues, VENUES, VENUE)[venue_index].outbound_used > 0:
        used = take_sent(engine, venue_index, responder)
        answer_frames(engine, venue_index, responder, state.frames, used)


@hot
def drive(engine, venue_index, responder, packets, offsets, first, last, cycles):
    """Packets first to last - 1 through the pipeline, orders answered after each; stores the cycles of each packet at
    `cycles`, or reads no counter when that is 0.

    Returns how many were taken: fewer than all when a log was full.
    """
    core = view(engine, 1, ENGINE)[0]
    library = view(responder, 1, RESPONDER)[0].library
    core.received_cycles = 0
    n = first
    while n < last and core.attention == 0:
        if cycles != 0:
            core.received_cycles = cycle_counter()
            call_entry(library, TAKE_PACKETS, engine, venue_index, packets, offsets, n, n + 1)
            store_i64(cycles + (n - first) * 8, cycle_counter() - core.received_cycles)
            n += 1
        else:
            n += call_entry(library, TAKE_PACKETS, engine, venue_index, packets, offsets, n, last)
        if view(core.venues, VENUES, VENUE)[venue_index].outbound_used > 0:
            answer_all(engine, venue_index, responder)
    return n - first


@hot
def rehearse(engine, venue_index, responder, packets, offsets, count, starts, ends, block):
    """`count` packets; orders are answered after every `block` packets. What is sent is kept in the responder.

    Packet n sent bytes starts[n] to ends[n] of it; what lies between ends[n] and starts[n + 1] was caused by answers.
    Returns how many packets were taken: fewer than all when the pipeline stopped.
    """
    core = view(engine, 1, ENGINE)[0]
    state = view(responder, 1, RESPONDER)[0]
    answered = 0
    for n in range(count):
        start = load_i64(offsets + n * 8)
        core.clock_ns += PACKET_GAP_NS
        core.received_cycles = 0
        length = load_i64(offsets + n * 8 + 8) - start
        call_entry(state.library, TAKE_DATAGRAM, engine, venue_index, 0, packets + start, length, 0)
        store_i64(starts + n * 8, state.sent_used)
        take_sent(engine, venue_index, responder)
        store_i64(ends + n * 8, state.sent_used)
        while (n + 1) % block == 0 and answered < state.sent_used:
            used = state.sent_used
            answer_frames(engine, venue_index, responder, state.sent + answered, used - answered)
            answered = used
            take_sent(engine, venue_index, responder)
        if core.attention != 0:
            return n
    return count
