"""Answers of venues on their way in: completed, applied, journalled, shown to the order's owner."""

from __future__ import annotations

from numpy import int64

from engine.hotpath.answers import BROKEN, REPLACED, apply_report
from engine.hotpath.dispatch import notify_owner
from engine.hotpath.numbers import reserve
from engine.hotpath.orders import (
    CANCELED,
    EXECUTED,
    EXPIRED,
    NOT_SENT,
    ORDER_BYTES,
    PENDING_NEW,
    RESENT,
    STATE_UNKNOWN,
    find_order,
    forget_cancel,
    is_open,
)
from engine.hotpath.router_orders import settle_part
from engine.hotpath.tables import ENGINE, ORDER, REPORT_UNKNOWN, SENT_AGAIN, UNWANTED, VENUE, VENUES
from engine.journal.append import commit_fields
from engine.messages.codes import Liquidity, RecordKind
from engine.messages.journal import ORDER_REPORT
from engine.native import copy_bytes, hot, view, zero_bytes

ORDER_REPORT_KIND = int(RecordKind.ORDER_REPORT)
REPORT_BYTES = ORDER_REPORT.itemsize
ADDED = int(Liquidity.ADDED)


@hot
def complete_report(engine, venue_index, report_address, venue_sequence):
    """What the engine adds to a venue's answer: whose order, which venue, which fee."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    report = view(report_address, 1, ORDER_REPORT)[0]
    report.venue = venue_index
    report.venue_sequence = venue_sequence
    report.order_id = report.venue_reference
    report.fee = 0
    report.duplicate = 0
    if report.kind == EXECUTED:
        fee = venue.maker_fee if report.liquidity == ADDED else venue.taker_fee
        report.fee = fee * report.quantity


@hot
def journal_report(engine, report_address):
    """Apply and journal one completed report that stands outside the journal. The owner's strategy row, -1 when the
    order is not known, -2 when the journal is full."""
    core = view(engine, 1, ENGINE)[0]
    body = reserve(engine)
    if body == 0:
        return -2
    copy_bytes(body, report_address, REPORT_BYTES)
    report = view(body, 1, ORDER_REPORT)[0]
    report.position = core.position
    report.strategy = 0
    report.instrument = 0
    report.leaves = 0
    report.state = 0
    owner = apply_report(engine, body)
    commit_fields(core.journal, ORDER_REPORT, ORDER_REPORT_KIND, core.clock_ns)
    return owner


@hot
def imply_replaced(engine, report_address):
    """A fill under the number of a replacement shows that the venue took it, whether it has said so yet or not: that is
    journalled before the fill. 1, or 0 when the journal is full."""
    core = view(engine, 1, ENGINE)[0]
    fill = view(report_address, 1, ORDER_REPORT)[0]
    slot = find_order(engine, int64(fill.order_id))
    if slot == 0:
        return 1
    order = view(slot, 1, ORDER)[0]
    if order.target == 0 or not is_open(order.state):
        return 1
    target_slot = find_order(engine, order.target)
    if target_slot == 0:
        return 1
    body = reserve(engine)
    if body == 0:
        return 0
    target = view(target_slot, 1, ORDER)[0]
    left = order.quantity - target.chain - target.filled
    report = view(body, 1, ORDER_REPORT)[0]
    report.position = core.position
    report.kind = REPLACED
    report.venue = fill.venue
    report.order_id = fill.order_id
    report.venue_reference = fill.order_id
    report.venue_time_ns = fill.venue_time_ns
    report.price = order.price
    report.quantity = left if left > fill.quantity else fill.quantity
    apply_report(engine, body)
    commit_fields(core.journal, ORDER_REPORT, ORDER_REPORT_KIND, core.clock_ns)
    return 1


@hot
def take_report(engine, report_address):
    """Apply and journal a completed report, and the end of another order that it implies. 1, or 0 when the journal is
    full."""
    core = view(engine, 1, ENGINE)[0]
    core.implied_end = 0
    report = view(report_address, 1, ORDER_REPORT)[0]
    venue_index, order_id, kind = int64(report.venue), int64(report.order_id), int64(report.kind)
    if kind == EXECUTED and imply_replaced(engine, report_address) == 0:
        return 0
    owner = journal_report(engine, report_address)
    if owner == -2:
        return 0
    if kind == RESENT:
        return 1  # no news to its owner, and nothing new may leave before everything that waits has left again
    if core.implied_end != 0:
        write_own_report(engine, venue_index, core.implied_end, CANCELED)
        core.implied_end = 0
        journal_report(engine, core.report)
    if owner < 0:
        core.attention |= REPORT_UNKNOWN
    else:
        notify_owner(engine, owner)
        slot = find_order(engine, order_id)
        if slot != 0 and view(slot, 1, ORDER)[0].route != 0:
            settle_part(engine, slot, kind)
    return 1


@hot
def take_back(engine, venue_index, report_address):
    """Before a correction: break the fill that it stands for. The correction's report stays where it is. 1, or 0 when
    the fill is not known: then the correction is not booked either.

    It has no number of the venue's sequence: a start between the two asks for the correction again, and a fill that was
    taken back is not taken back twice.
    """
    core = view(engine, 1, ENGINE)[0]
    body = reserve(engine)
    if body == 0:
        return 0
    correction = view(report_address, 1, ORDER_REPORT)[0]
    report = view(body, 1, ORDER_REPORT)[0]
    report.position = core.position
    report.kind = BROKEN
    report.venue = venue_index
    report.order_id = correction.venue_reference
    report.venue_reference = correction.venue_reference
    report.venue_time_ns = correction.venue_time_ns
    report.match_number = correction.match_number
    report.reason = correction.reason
    owner = apply_report(engine, body)
    commit_fields(core.journal, ORDER_REPORT, ORDER_REPORT_KIND, core.clock_ns)
    if owner < 0:
        core.attention |= REPORT_UNKNOWN
        return 0
    return 1


@hot
def resolve_never_sent(engine, venue_index, next_reference):
    """After a replay. The venue expects `next_reference`: our pending orders from that number on never arrived.

    Orders that strategies enter on hearing of it are new ones, and on their way. Returns how many orders ended.
    """
    core = view(engine, 1, ENGINE)[0]
    orders = view(core.orders, core.order_mask + 1, ORDER)
    resolved = 0
    first_new = core.next_order_id
    for at in range(core.order_mask + 1):
        order = orders[at]
        if order.order_id < next_reference or order.order_id >= first_new or order.venue != venue_index:
            continue
        if (order.state != PENDING_NEW and order.state != STATE_UNKNOWN) or order.filled > 0:
            continue
        if order.again & SENT_AGAIN != 0:
            continue
        resolved += own_report(engine, venue_index, order.order_id, NOT_SENT)
    return resolved


@hot
def write_own_report(engine, venue_index, order_id, kind):
    """A report that the engine itself makes from what the venue's answers or a session proved, at `report`."""
    core = view(engine, 1, ENGINE)[0]
    zero_bytes(core.report, REPORT_BYTES)
    report = view(core.report, 1, ORDER_REPORT)[0]
    report.venue_reference = order_id
    report.order_id = order_id
    report.venue = venue_index
    report.kind = kind


@hot
def own_report(engine, venue_index, order_id, kind):
    """Take a report of our own making. 1, or 0 when the journal is full."""
    write_own_report(engine, venue_index, order_id, kind)
    return take_report(engine, view(engine, 1, ENGINE)[0].report)


@hot
def expire_all(engine, venue_index):
    """The venue began a new session: nothing of the last one is working any more. Returns how many orders ended."""
    core = view(engine, 1, ENGINE)[0]
    orders = view(core.orders, core.order_mask + 1, ORDER)
    ended = 0
    first_new = core.next_order_id
    for at in range(core.order_mask + 1):
        order = orders[at]
        if order.order_id == 0 or order.order_id >= first_new or order.venue != venue_index:
            continue
        if is_open(order.state):
            ended += own_report(engine, venue_index, order.order_id, EXPIRED)
    return ended


@hot
def forget_cancels(engine, venue_index):
    """The session ended or began: cancels that were under way and were not answered may never have arrived."""
    core = view(engine, 1, ENGINE)[0]
    orders = view(core.orders, core.order_mask + 1, ORDER)
    for at in range(core.order_mask + 1):
        order = orders[at]
        if order.order_id != 0 and order.venue == venue_index and order.canceling != 0 and is_open(order.state):
            forget_cancel(engine, core.orders + at * ORDER_BYTES)


@hot
def mark_unknown(engine, venue_index):
    """The session is gone: what was pending has an unknown outcome and keeps its exposure."""
    core = view(engine, 1, ENGINE)[0]
    orders = view(core.orders, core.order_mask + 1, ORDER)
    for at in range(core.order_mask + 1):
        order = orders[at]
        if order.order_id != 0 and order.venue == venue_index and order.state == PENDING_NEW:
            order.state = STATE_UNKNOWN
            order.again &= UNWANTED
