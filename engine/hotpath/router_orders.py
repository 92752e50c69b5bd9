"""Orders that the router splits: entered at the venues it chose, followed, and what is left routed again.

A routed order is a row that its venue orders name. Each decision stands in the journal, a ROUTE record for each venue.
What the venues answer is learned from, and when nothing that took is open any more the rest is routed again.
"""

from __future__ import annotations

from engine.hotpath.answers import ACCEPTED, EXECUTED
from engine.hotpath.numbers import reserve, spend_number
from engine.hotpath.orders import STATE_CANCELED, is_open
from engine.hotpath.requests import enter
from engine.hotpath.router import ROW_BYTES, decide, find_best, is_better
from engine.hotpath.router_costs import BUY, mean_passing
from engine.hotpath.router_delays import delay_of, put_off, waits
from engine.hotpath.router_learning import halve, learn_latency, learn_midpoint, learn_rest, learn_take
from engine.hotpath.router_tables import CHILD, ROUTE_ROW, ROUTED, ROUTED_ROWS
from engine.hotpath.router_view import fill_rows, learned_of
from engine.hotpath.sending import flush_unsent
from engine.hotpath.tables import ENGINE, INSTRUMENT, LEG, LEGS_PER_STRATEGY, ORDER, PARENT, STRATEGY
from engine.journal.append import commit_journal
from engine.messages import journal
from engine.messages.codes import RecordKind, RouteReason, TimeInForce, Urgency
from engine.native import hot, view

ROUTE_KIND = int(RecordKind.ROUTE)
ROUTE_RECORD = journal.ROUTE
DAY, IOC, POST_ONLY = int(TimeInForce.DAY), int(TimeInForce.IOC), int(TimeInForce.POST_ONLY)
ALL_VENUES = -1
MOST_ROUNDS = 4
NO_LEG = -1
CROSSES = 1
PATIENT, URGENT = int(Urgency.PATIENT), int(Urgency.URGENT)
LARGEST_MOVE = 1_000_000  # what one order can teach about a move of the middle
HORIZON_MS = 10_000
NS_PER_MS = 1_000_000
MUTED = 2  # a replay of records alone (engine.hotpath.replay)
LARGEST_4 = (1 << 31) - 1
PINGED = int(RouteReason.PINGED)


@hot
def route(engine, strategy, team, leg, instrument, side, price, quantity, urgency, venues, signal):
    """Split an order over the venues in `venues` (bit v - 1 for venue v; ALL_VENUES) and enter the parts, each through
    the gate.

    `urgency` as in codes.Urgency: PATIENT rests (post only), NORMAL takes and rests, URGENT takes and is gone. `leg` is
    the leg that all parts count for, -1 for none. Returns the number of the routed order, which no order has; 0 when
    every row is taken or the journal is full. `core.routed_order` is the first part's number, or minus the DenialReason
    of the last refusal, or 0 when no venue got anything.
    """
    rests_as = POST_ONLY if urgency == PATIENT else DAY
    return begin_route(
        engine, strategy, team, leg, 0, instrument, side, price, quantity, urgency, rests_as, venues, 0, signal
    )  # fmt: skip


@hot
def route_child(engine, strategy, row, side, price, quantity, time_in_force, signal):
    """Route a child of the parent order in `row`, which is of the owner `strategy`, over those of its venues where it
    has nothing open: IOC takes, on several; any other rests, on the one where that is expected to cost least, unless it
    would trade at once. What is not done is the parent order's business, so nothing is routed again. Returns how many
    shares have been asked for."""
    core = view(engine, 1, ENGINE)[0]
    parent = view(core.strategies, core.strategy_count, STRATEGY)[row]
    legs = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)
    venues = 0
    for at in range(parent.leg_count):
        leg = legs[row * LEGS_PER_STRATEGY + at]
        if leg.open_orders == 0 and core.clock_ns >= leg.retry_after_ns:
            venues |= 1 << (leg.venue - 1)
    instrument = legs[row * LEGS_PER_STRATEGY].instrument
    urgency = URGENT if time_in_force == IOC else PATIENT
    if urgency == PATIENT and not waits_at(engine, instrument, side, price, venues):
        return 0
    begin_route(
        engine, strategy, parent.team, NO_LEG, row, instrument, side, price, quantity, urgency, time_in_force, venues,
        MOST_ROUNDS, signal,
    )  # fmt: skip
    child = view(core.route_child, 1, CHILD)[0]
    return child.taken + child.rested


@hot
def route_leg(engine, strategy, leg, request):
    """Route what `strategy`, or a parent order of it, asks for one of its legs: over all venues, or those of the parent
    order. Every part counts for that leg. It rests, whole, on the venue where that is expected to cost least; what
    would trade at once takes, on several. Nothing is routed again. Returns how many shares have been asked for."""
    core = view(engine, 1, ENGINE)[0]
    force = request.time_in_force
    if force != IOC and force != DAY and force != POST_ONLY:
        return 0
    own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg]
    worker = view(core.strategies, core.strategy_count, STRATEGY)[leg // LEGS_PER_STRATEGY]
    venues = ALL_VENUES
    if worker.parent != 0:
        venues = view(worker.row, 1, PARENT)[0].venues
    urgency = PATIENT
    if force == IOC or (force == DAY and not waits_at(engine, own.instrument, request.side, request.price, venues)):
        urgency = URGENT
        if worker.parent != 0:
            own.attempts = CROSSES
    begin_route(
        engine, strategy, worker.team, leg, 0, own.instrument, request.side, request.price, request.quantity, urgency,
        force, venues, MOST_ROUNDS, request.signal,
    )  # fmt: skip
    child = view(core.route_child, 1, CHILD)[0]
    return child.taken + child.rested


@hot
def waits_at(engine, instrument, side, price, venues):
    """Whether an order at this price would rest, by what these venues display."""
    core = view(engine, 1, ENGINE)[0]
    child = view(core.route_child, 1, CHILD)[0]
    child.side = side
    find_best(core.route_child, core.route_rows, fill_rows(engine, instrument, side, venues))
    return child.best_far == 0 or is_better(side, price, child.best_far)


@hot
def begin_route(
    engine, strategy, team, leg, row, instrument, side, price, quantity, urgency, rests_as, venues, rounds, signal
):  # fmt: skip
    """As `route` and `route_child` have it; `rounds` are taken for done, and what rests has this time in force."""
    core = view(engine, 1, ENGINE)[0]
    core.routed_order = 0
    child = view(core.route_child, 1, CHILD)[0]
    child.taken = child.rested = 0
    at = find_routed(engine, 0)
    if at < 0:
        free_ended(engine)
        at = find_routed(engine, 0)
    if at < 0 or core.replaying == MUTED:
        return 0
    number = spend_number(engine)
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    routed.number = number
    routed.row = row
    routed.strategy = strategy
    routed.team = team
    routed.leg = leg
    routed.instrument = instrument
    routed.side = side
    routed.price = price
    routed.left = quantity
    routed.urgency = urgency
    routed.rests_as = rests_as
    routed.whole = 1 if row != 0 or leg >= 0 else 0
    routed.venues = venues
    routed.rounds = rounds
    routed.open_takes = 0
    routed.open_rests = 0
    routed.signal = signal
    work(engine, at)
    return number


@hot
def find_routed(engine, number):
    """Row of the routed order of this number, -1: there is none (any more). Number 0 finds a free row."""
    core = view(engine, 1, ENGINE)[0]
    for at in range(ROUTED_ROWS):
        if view(core.routed, ROUTED_ROWS, ROUTED)[at].number == number:
            return at
    return -1


@hot
def free_ended(engine):
    """Free the rows of which nothing is open. A part that was replaced by another order ended without a word of its
    own: such rows are found only here, when room is needed."""
    core = view(engine, 1, ENGINE)[0]
    rows = view(core.routed, ROUTED_ROWS, ROUTED)
    for at in range(ROUTED_ROWS):
        rows[at].open_takes = waits(engine, rows[at].number) if rows[at].number != 0 else 0
        rows[at].open_rests = 0
    orders = view(core.orders, core.order_mask + 1, ORDER)
    for slot in range(core.order_mask + 1):
        order = orders[slot]
        if order.route == 0 or not is_open(order.state):
            continue
        at = find_routed(engine, order.route)
        if at >= 0 and order.time_in_force == IOC:
            rows[at].open_takes += 1
        elif at >= 0:
            rows[at].open_rests += 1
    for at in range(ROUTED_ROWS):
        if rows[at].open_takes + rows[at].open_rests == 0:
            rows[at].number = 0


@hot
def work(engine, at):
    """One decision about what is left: decided, journalled, entered; the row is free when nothing of it is open."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    count = fill_rows(engine, routed.instrument, routed.side, routed.venues)
    terms = view(core.instruments, core.instrument_count + 1, INSTRUMENT)[routed.instrument]
    child = view(core.route_child, 1, CHILD)[0]
    child.side = routed.side
    child.quantity = routed.left
    child.limit = routed.price
    child.urgency = routed.urgency
    child.time_ns = core.market_time_ns
    child.horizon_ms = HORIZON_MS
    child.tick_size = terms.tick_size
    child.lot_size = terms.lot_size
    child.trade_through = 0
    child.whole = routed.whole
    decide(core.route_child, core.route_rows, count)
    routed.rounds += 1
    routed.middle_twice = known_middle(engine)
    routed.typical_queue = child.typical_queue
    routed.market_mean = child.market_mean
    routed.decided_ns = core.clock_ns
    enter_parts(engine, at, count)
    if routed.open_takes + routed.open_rests == 0:
        routed.number = 0


@hot
def slowest(rows, count, before_ns, before_at):
    """The row of most latency after (`before_ns`, `before_at`) in the order of falling latency; -1: none is left."""
    found = -1
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if row.latency_ns > before_ns or (row.latency_ns == before_ns and at <= before_at):
            continue
        if found < 0 or row.latency_ns > view(rows, count, ROUTE_ROW)[found].latency_ns:
            found = at
    return found


@hot
def enter_parts(engine, at, count):
    """Enter what was decided, the slowest venue first and each part sent before the next is made. What takes at a
    venue that is known to be nearer waits, so that all of it arrives together; it is explained when it leaves, the
    others at once."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    before_ns = 1 << 62
    slowest_ns = 0
    row_at = -1
    for _ in range(count):
        row_at = slowest(core.route_rows, count, before_ns, row_at)
        row = view(core.route_rows, count, ROUTE_ROW)[row_at]
        address = core.route_rows + row_at * ROW_BYTES
        before_ns = row.latency_ns
        routed.shown[row.venue] = row.far_quantity
        routed.ahead[row.venue] = row.ahead
        routed.midpoint[row.venue] = 1 if row.reason == PINGED else 0
        routed.own[row.venue] = 0
        if row.take_quantity > 0:
            slowest_ns = row.latency_ns if row.latency_ns > slowest_ns else slowest_ns
            delay_ns = delay_of(row.latency_ns, slowest_ns)
            if delay_ns > 0 and put_off(
                engine, routed.number, leg_at(engine, at, row.venue, IOC), routed.side, address, delay_ns
            ):
                routed.left -= row.take_quantity + row.rest_quantity
                routed.open_takes += 1
                continue
        enter_row(engine, at, address)


@hot
def enter_row(engine, at, row_address):
    """Enter what was decided about one venue, and explain it in the journal."""
    core = view(engine, 1, ENGINE)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    view(core.routed, ROUTED_ROWS, ROUTED)[at].sent_ns[row.venue] = core.clock_ns
    take_id = rest_id = 0
    if row.take_quantity > 0:
        take_id = enter_part(engine, at, row.venue, row.take_price, row.take_quantity, IOC)
    if row.rest_quantity > 0:
        force = view(core.routed, ROUTED_ROWS, ROUTED)[at].rests_as
        rest_id = enter_part(engine, at, row.venue, row.rest_price, row.rest_quantity, force)
    write_route(engine, at, row_address, take_id, rest_id)


@hot
def leg_at(engine, at, venue, time_in_force):
    """The leg that a part at a venue counts for. An algorithm sees in `attempts` whether the child crosses."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    if routed.row == 0:
        return routed.leg
    for leg in range(routed.row * LEGS_PER_STRATEGY, (routed.row + 1) * LEGS_PER_STRATEGY):
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg]
        if own.venue == venue:
            own.attempts = CROSSES if time_in_force == IOC else 0
            return leg
    return NO_LEG


@hot
def enter_part(engine, at, venue, price, quantity, time_in_force):
    """One order of the routed one. Its number; 0 when the gate refused it: that part is not tried elsewhere."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    leg = leg_at(engine, at, venue, time_in_force)
    core.routing = routed.number
    order_id = enter(
        engine, routed.strategy, routed.team, leg, venue, routed.instrument, routed.side, price, quantity,
        time_in_force, routed.signal,
    )  # fmt: skip
    core.routing = 0
    routed.left -= quantity
    if order_id <= 0:
        if core.routed_order <= 0:
            core.routed_order = order_id
        return 0
    if core.routed_order <= 0:
        core.routed_order = order_id
    if time_in_force == IOC:
        routed.open_takes += 1
    else:
        routed.open_rests += 1
    if core.replaying == 0:
        flush_unsent(engine)
    return order_id


@hot
def fits(number):
    """A cost as four bytes can hold it."""
    if number > LARGEST_4:
        return LARGEST_4
    return number if number > -LARGEST_4 else -LARGEST_4


@hot
def write_route(engine, at, row_address, take_id, rest_id):
    """Explain the decision about one venue in the journal."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    row = view(row_address, 1, ROUTE_ROW)[0]
    body = reserve(engine)
    if body == 0:
        return
    record = view(body, 1, ROUTE_RECORD)[0]
    record.position = core.position
    record.route_id = routed.number
    record.take_order_id = take_id
    record.rest_order_id = rest_id
    record.take_price = row.take_price if row.take_quantity > 0 else row.far
    record.rest_price = row.rest_price
    record.take_quantity = fits(row.take_quantity)
    record.rest_quantity = fits(row.rest_quantity)
    record.displayed = fits(row.far_quantity if row.far != 0 else 0)
    record.ahead = fits(row.ahead)
    record.price_part = fits(row.price_part)
    record.fee_part = fits(row.fee_part)
    record.risk_part = fits(row.impact_part + row.miss_part)
    record.rest_cost = fits(row.rest_cost)
    record.latency_us = fits(row.latency_ns // 1000)
    record.fill_chance = row.fill_chance
    record.instrument = routed.instrument
    record.side = routed.side
    record.venue = row.venue
    record.reason = row.reason
    record.round = 1 if routed.whole != 0 else routed.rounds  # a child of a parent order is decided about once
    commit_journal(core.journal, ROUTE_KIND, core.clock_ns)


@hot
def known_middle(engine):
    """Best bid plus best offer of the venues that were looked at last, 0 when a side of the market is empty."""
    core = view(engine, 1, ENGINE)[0]
    child = view(core.route_child, 1, CHILD)[0]
    return child.best_near + child.best_far if child.best_near != 0 and child.best_far != 0 else 0


@hot
def moved_against(engine, at, side):
    """Price units by which the middle has moved against the routed order since its last decision."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    child = view(core.route_child, 1, CHILD)[0]
    child.side = side
    find_best(core.route_child, core.route_rows, fill_rows(engine, routed.instrument, side, routed.venues))
    middle = known_middle(engine)
    if middle == 0 or routed.middle_twice == 0:
        return 0
    moved = halve(middle - routed.middle_twice)
    if moved > LARGEST_MOVE:
        moved = LARGEST_MOVE
    elif moved < -LARGEST_MOVE:
        moved = -LARGEST_MOVE
    return moved if side == BUY else -moved


@hot
def note_own(engine, at, order_address):
    """A part that rests traded: by the venue's own flow while somebody else still displays its price."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    order = view(order_address, 1, ORDER)[0]
    moved_against(engine, at, order.side)
    near = view(core.route_child, 1, CHILD)[0].best_near
    if near != 0 and not is_better(order.side, near, order.price):
        routed.own[order.venue] = order.filled


@hot
def learn_from(engine, at, order_address):
    """A part has ended: what it got teaches about its venue."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    order = view(order_address, 1, ORDER)[0]
    learned = learned_of(engine, order.venue, order.instrument)
    moved = moved_against(engine, at, order.side)
    if order.time_in_force != IOC:
        waited_ms = (core.clock_ns - routed.sent_ns[order.venue]) // NS_PER_MS
        mean = mean_passing(learned, routed.typical_queue, HORIZON_MS)
        through = order.filled - routed.own[order.venue]
        learn_rest(
            learned, routed.ahead[order.venue], order.quantity, order.filled, through if through > 0 else 0, mean,
            routed.market_mean, waited_ms, moved,
        )  # fmt: skip
    elif routed.midpoint[order.venue] != 0:
        learn_midpoint(learned, order.filled, core.market_time_ns)
    else:
        learn_take(learned, routed.shown[order.venue], order.quantity, order.filled, moved)


@hot
def settle_part(engine, slot, kind):
    """After an answer about a part of a routed order: learn, and route the rest again once all that took is done."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    at = find_routed(engine, order.route)
    if at < 0:
        return
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    sent_ns = routed.sent_ns[order.venue]
    if kind == ACCEPTED and core.clock_ns > sent_ns:
        learn_latency(learned_of(engine, order.venue, order.instrument), core.clock_ns - sent_ns)
    elif kind == EXECUTED and order.time_in_force != IOC:
        note_own(engine, at, slot)
    if is_open(order.state):
        return
    order.route = 0
    learn_from(engine, at, slot)
    if order.time_in_force == IOC:
        routed.open_takes -= 1
        if order.state == STATE_CANCELED:
            routed.left += order.quantity - order.filled
    else:
        routed.open_rests -= 1
    go_on(engine, at, order.time_in_force == IOC)


@hot
def go_on(engine, at, took):
    """A part is done, one that took or one that rested: once all that took are, what is left is routed again; the row
    is free when nothing is open."""
    core = view(engine, 1, ENGINE)[0]
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[at]
    if routed.open_takes > 0:
        return
    if took and routed.left > 0 and routed.rounds < MOST_ROUNDS and core.replaying != MUTED:
        work(engine, at)
        if core.replaying == 0:
            flush_unsent(engine)
    elif routed.open_rests == 0:
        routed.number = 0
