"""The consolidated market of one instrument for the router: a row for each venue, from the loop's own tables.

Everything read here is a function of recording and journal, so that a replay decides alike.
"""

from __future__ import annotations

from engine.hotpath.book import TOP
from engine.hotpath.orders import is_open
from engine.hotpath.positions import account_cell
from engine.hotpath.router_costs import BUY
from engine.hotpath.router_tables import LEARNED, ROUTE_ROW
from engine.hotpath.status_tables import STATUS
from engine.hotpath.tables import CELL, ENGINE, FIRM_ACCOUNT, NO_PROTOCOL, ORDER, VENUE, VENUES
from engine.messages.codes import RouteReason, SessionState
from engine.native import hot, view

UP = int(SessionState.UP)
VENUE_DOWN, BOOK_DIRTY = int(RouteReason.VENUE_DOWN), int(RouteReason.BOOK_DIRTY)
NO_QUOTE = int(RouteReason.NO_QUOTE)
HALTED = int(RouteReason.HALTED)
LEARNED_BYTES = LEARNED.itemsize


@hot
def learned_of(engine, venue, instrument):
    """Address of what is learned of an instrument on a venue."""
    core = view(engine, 1, ENGINE)[0]
    return core.learned + ((venue - 1) * (core.instrument_count + 1) + instrument) * LEARNED_BYTES


@hot
def fill_rows(engine, instrument, side, venues):
    """Rows of the venues in `venues` (bit v - 1 for venue v) that are defined. Returns how many."""
    core = view(engine, 1, ENGINE)[0]
    count = 0
    for venue_index in range(1, core.venue_count + 1):
        venue = view(core.venues, VENUES, VENUE)[venue_index]
        if venue.protocol == NO_PROTOCOL or venues >> (venue_index - 1) & 1 == 0:
            continue
        listing = (venue_index - 1) * (core.instrument_count + 1) + instrument
        top = view(core.tops, core.listing_count, TOP)[listing]
        row = view(core.route_rows, VENUES, ROUTE_ROW)[count]
        row.venue = venue_index
        row.blocked = 0
        if venue.session != UP or venue.killed != 0:
            row.blocked = VENUE_DOWN
        elif venue.priced_by != venue_index and venue.midpoint == 0:
            row.blocked = NO_QUOTE  # a broker: nobody sees what it has
        elif venue.dirty != 0:
            row.blocked = BOOK_DIRTY
        elif view(core.statuses, core.listing_count, STATUS)[listing].blocks != 0:
            row.blocked = HALTED
        row.near_quantity = top.bid_quantity if side == BUY else top.ask_quantity
        row.far_quantity = top.ask_quantity if side == BUY else top.bid_quantity
        bid = top.bid if top.bid_quantity > 0 else 0
        ask = top.ask if top.ask_quantity > 0 else 0
        row.near = bid if side == BUY else ask
        row.far = ask if side == BUY else bid
        row.own_far = 0
        row.maker_fee = venue.maker_fee
        row.taker_fee = venue.taker_fee
        row.minimum_quantity = venue.minimum_quantity
        row.midpoint = venue.midpoint
        row.learned = learned_of(engine, venue_index, instrument)
        row.latency_ns = view(row.learned, 1, LEARNED)[0].latency_ns
        count += 1
    find_own(engine, instrument, side, count)
    return count


@hot
def find_own(engine, instrument, side, count):
    """The best price of the firm's own orders on the other side, for each of `count` rows.

    Orders are looked at from the newest on, until everything that the firm has working there has been found.
    """
    core = view(engine, 1, ENGINE)[0]
    cell = view(account_cell(engine, FIRM_ACCOUNT, instrument), 1, CELL)[0]
    left = cell.working_sell if side == BUY else cell.working_buy
    orders = view(core.orders, core.order_mask + 1, ORDER)
    newest = core.next_order_id - 1
    used = newest if newest <= core.order_mask else core.order_mask + 1
    for age in range(used):
        if left <= 0:
            return
        order = orders[(newest - age) & core.order_mask]
        if order.instrument != instrument or order.side == side or order.order_id == 0 or not is_open(order.state):
            continue
        left -= order.leaves
        for at_row in range(count):
            row = view(core.route_rows, VENUES, ROUTE_ROW)[at_row]
            if row.venue != order.venue:
                continue
            if row.own_far == 0 or (order.price < row.own_far if side == BUY else order.price > row.own_far):
                row.own_far = order.price
