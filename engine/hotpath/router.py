"""The router: one child, the venues as they stand, and how much of it goes where and why.

`decide` is a function of its rows alone: the loop fills them from its books (router_view.py), a study from a recorded
day. It takes first, price by price and at a price the cheapest venue first, several venues at once; what is then left
rests where the next share is expected to cost least. It never asks for more than the child's quantity, never takes at
a price while a better displayed one is left (unless told), and sends nothing to a venue where it would meet an order
of our own.
"""

from __future__ import annotations

from engine.hotpath.router_costs import (
    BUY,
    cost_of_midpoint,
    cost_of_resting,
    cost_of_taking,
    distance,
    expect_beyond,
    expect_market,
    pool_rests,
)
from engine.hotpath.router_tables import CHILD, COST_SCALE, ROUTE_ROW
from engine.messages.codes import RouteReason, Urgency
from engine.native import hot, view

ROW_BYTES = ROUTE_ROW.itemsize
PATIENT, URGENT = int(Urgency.PATIENT), int(Urgency.URGENT)
NONE = int(RouteReason.NONE)
TAKEN, RESTED, BOTH = int(RouteReason.TAKEN), int(RouteReason.RESTED), int(RouteReason.TAKEN_AND_RESTED)
PINGED = int(RouteReason.PINGED)
VENUE_DOWN, BOOK_DIRTY = int(RouteReason.VENUE_DOWN), int(RouteReason.BOOK_DIRTY)
NO_QUOTE, OUTSIDE_LIMIT = int(RouteReason.NO_QUOTE), int(RouteReason.OUTSIDE_LIMIT)
OWN_ORDER, BELOW_MINIMUM = int(RouteReason.OWN_ORDER), int(RouteReason.BELOW_MINIMUM)
BETTER_ELSEWHERE, COSTS_MORE = int(RouteReason.BETTER_PRICE_ELSEWHERE), int(RouteReason.COSTS_MORE)
PIECES = 10  # parts in which the rest is laid out
NOWHERE = -1
DEAREST = 1 << 60
TYPICAL_FEE = 30  # of a crossing in the end, when no venue shows what it takes


@hot
def is_better(side, price, than):
    """Whether a buyer (seller) would rather pay (get) this price."""
    return price < than if side == BUY else price > than


@hot
def within(side, price, limit):
    """Whether a price is the limit or better."""
    return not is_better(side, limit, price)


@hot
def believable(row_address):
    """Whether what the venue displays counts as there: it is up and its book is whole."""
    blocked = view(row_address, 1, ROUTE_ROW)[0].blocked
    return blocked != VENUE_DOWN and blocked != BOOK_DIRTY


@hot
def find_best(child_address, rows, count):
    """Best displayed price of each side over all venues, and the average queue of the own side, into the child."""
    child = view(child_address, 1, CHILD)[0]
    child.best_near = 0
    child.best_far = 0
    queued = 0
    venues = 0
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if not believable(rows + at * ROW_BYTES):
            continue
        if row.far != 0 and (child.best_far == 0 or is_better(child.side, row.far, child.best_far)):
            child.best_far = row.far
        if row.near != 0:
            queued += row.near_quantity
            venues += 1
        if row.near != 0 and (child.best_near == 0 or is_better(child.side, child.best_near, row.near)):
            child.best_near = row.near
    child.typical_queue = queued // venues + 1 if venues > 0 else child.lot_size


@hot
def middle_twice(child_address):
    """Best bid plus best offer; with one side only, twice that one; with none, twice the limit."""
    child = view(child_address, 1, CHILD)[0]
    if child.best_near == 0 and child.best_far == 0:
        return child.limit * 2
    if child.best_near == 0:
        return child.best_far * 2
    if child.best_far == 0:
        return child.best_near * 2
    return child.best_near + child.best_far


@hot
def look(child_address, row_address, middle):
    """Costs of taking at the venue, and whether it is out from the start."""
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    row.take_quantity = row.take_price = row.rest_quantity = row.rest_price = 0
    row.take_cost = row.price_part = row.fee_part = row.impact_part = row.miss_part = 0
    row.sure = row.beyond = row.rest_cost = row.ahead = row.fill_chance = 0
    row.reason = row.blocked
    if row.blocked != NONE:
        return
    if row.midpoint != 0:
        if child.best_near == 0 or child.best_far == 0 or child.best_near == child.best_far:
            row.reason = NO_QUOTE
            return
        cost_of_midpoint(child_address, row_address, middle)
        return
    expect_beyond(row_address)
    if row.far == 0 or row.far_quantity <= 0:
        row.reason = NO_QUOTE
        return
    cost_of_taking(child_address, row_address, middle)
    if not within(child.side, row.far, child.limit):
        row.reason = OUTSIDE_LIMIT
    elif row.own_far != 0 and within(child.side, row.own_far, row.far):
        row.reason = OWN_ORDER
    elif row.far_quantity < row.minimum_quantity or child.quantity < row.minimum_quantity:
        row.reason = BELOW_MINIMUM


@hot
def cheapest_at(rows, count, price, wanted):
    """The venue of least cost that displays `price` and of whose `wanted` shares (0: those that are sure, 1: the
    displayed ones) some are not asked for yet; NOWHERE when there is none."""
    found = NOWHERE
    cost = DEAREST
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if row.midpoint != 0 or row.far != price or (row.reason != NONE and row.reason != TAKEN):
            continue
        if row.take_cost < cost and row.take_quantity < room_at(rows + at * ROW_BYTES, wanted):
            found = at
            cost = row.take_cost
    return found


@hot
def room_at(row_address, wanted):
    """Shares that may be asked for at a venue in each of the two goes."""
    row = view(row_address, 1, ROUTE_ROW)[0]
    return row.sure if wanted == 0 else row.far_quantity


@hot
def in_lots(quantity, most, lot_size):
    """A quantity rounded up to whole lots, but never beyond `most`."""
    rounded = (quantity + lot_size - 1) // lot_size * lot_size
    return rounded if rounded < most else most


@hot
def take_at(child_address, rows, count, price):
    """Take what is displayed at one price: first what is sure to be there, then all that is displayed."""
    child = view(child_address, 1, CHILD)[0]
    for wanted in range(2):
        while child.left > 0:
            at = cheapest_at(rows, count, price, wanted)
            if at == NOWHERE:
                break
            row = view(rows, count, ROUTE_ROW)[at]
            more = room_at(rows + at * ROW_BYTES, wanted) - row.take_quantity
            more = in_lots(more, child.left, child.lot_size)
            if row.take_quantity + more < row.minimum_quantity:
                row.reason = BELOW_MINIMUM
                continue
            row.take_quantity += more
            row.take_price = price
            row.reason = TAKEN
            child.left -= more
            child.taken += more


@hot
def ping_midpoints(child_address, rows, count, middle):
    """Ask at the midpoint where the expected cost is below that of the best displayed price. The order's price is the
    first tick that reaches the middle; it trades at the middle all the same."""
    child = view(child_address, 1, CHILD)[0]
    crossing = distance(child.side, child.best_far, middle)
    price = middle // 2 // child.tick_size * child.tick_size
    if child.side == BUY and price * 2 < middle:
        price += child.tick_size
    if child.best_far == 0 or not within(child.side, price, child.limit):
        return
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if row.midpoint == 0 or row.reason != NONE or child.left <= 0:
            continue
        if row.own_far != 0:
            row.reason = OWN_ORDER
            continue
        asked = row.beyond // 1000
        if asked < row.minimum_quantity:
            asked = row.minimum_quantity
        asked = in_lots(asked, child.left, child.lot_size)
        if asked < row.minimum_quantity:
            row.reason = BELOW_MINIMUM
        elif row.take_cost >= crossing + TYPICAL_FEE * COST_SCALE:
            row.reason = COSTS_MORE
        elif asked > 0:
            row.take_quantity = asked
            row.take_price = price
            row.reason = PINGED
            child.left -= asked
            child.taken += asked


@hot
def next_price(child_address, rows, count, after):
    """The best displayed price within the limit that is worse than `after` (0: the best one); 0 when there is none."""
    child = view(child_address, 1, CHILD)[0]
    found = 0
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if row.far == 0 or not believable(rows + at * ROW_BYTES) or not within(child.side, row.far, child.limit):
            continue
        if after != 0 and not is_better(child.side, after, row.far):
            continue
        if found == 0 or is_better(child.side, row.far, found):
            found = row.far
    return found


@hot
def is_swept(rows, count, price):
    """Whether everything displayed at a price, over all venues that count, is asked for."""
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if row.far == price and believable(rows + at * ROW_BYTES) and row.take_quantity < row.far_quantity:
            return False
    return True


@hot
def take(child_address, rows, count):
    """Price by price, until nothing is left, nothing is displayed within the limit, or a better price stays. Returns
    the price at which something stays displayed, 0 when all of it within the limit is asked for."""
    child = view(child_address, 1, CHILD)[0]
    price = next_price(child_address, rows, count, 0)
    while price != 0 and child.left > 0:
        take_at(child_address, rows, count, price)
        if child.left > 0 and not is_swept(rows, count, price) and child.trade_through == 0:
            return price
        price = next_price(child_address, rows, count, price)
    return price


@hot
def ask_beyond(child_address, rows, count):
    """Everything displayed within the limit is asked for and the child rests nowhere: what is left is asked in
    proportion to what came beyond the displayed shares before, at the limit."""
    child = view(child_address, 1, CHILD)[0]
    if child.best_near != 0 and not is_better(child.side, child.best_near, child.limit):
        return  # nobody of the other side hides at a price that is displayed on ours
    total = 0
    most = NOWHERE
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if may_hide(child_address, rows + at * ROW_BYTES):
            total += row.beyond
            if most == NOWHERE or row.beyond > view(rows, count, ROUTE_ROW)[most].beyond:
                most = at
    if most == NOWHERE:
        return
    spread = child.left
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if total == 0 or at == most or not may_hide(child_address, rows + at * ROW_BYTES):
            continue
        more = spread * row.beyond // total // child.lot_size * child.lot_size
        if more > 0 and row.take_quantity + more >= row.minimum_quantity:
            give_more(child_address, rows + at * ROW_BYTES, more)
    chosen = view(rows, count, ROUTE_ROW)[most]
    if chosen.take_quantity + child.left >= chosen.minimum_quantity:
        give_more(child_address, rows + most * ROW_BYTES, child.left)


@hot
def may_hide(child_address, row_address):
    """Whether the venue may be asked for more than it displays."""
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    if row.blocked != NONE or row.midpoint != 0 or row.reason == BELOW_MINIMUM:
        return False
    return row.own_far == 0 or not within(child.side, row.own_far, child.limit)


@hot
def give_more(child_address, row_address, more):
    """Ask for `more` shares at the venue, at the child's limit."""
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    row.take_quantity += more
    row.take_price = child.limit
    row.reason = TAKEN
    child.left -= more
    child.taken += more


@hot
def price_to_rest(child_address, stays):
    """Where the rest of the child rests: at its limit, but never locking or crossing what stays displayed. `stays` is
    the best price of the other side that will be left."""
    child = view(child_address, 1, CHILD)[0]
    if stays == 0 or is_better(child.side, child.limit, stays):
        return child.limit
    return stays - child.tick_size if child.side == BUY else stays + child.tick_size


@hot
def reason_not_to_rest(child_address, row_address, price):
    """Why no order may rest at the venue, NONE when one may."""
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    if row.blocked != NONE:
        return row.blocked
    if row.midpoint != 0 or (row.near == 0 and row.far == 0):
        return NO_QUOTE
    if row.own_far != 0 and not is_better(child.side, price, row.own_far):
        return OWN_ORDER
    return BELOW_MINIMUM if row.minimum_quantity > child.left + row.rest_quantity else NONE


@hot
def rest(child_address, rows, count, price, middle):
    """Lay out what is left in pieces (or whole, on one venue), each where the next share costs least; `placed` before
    it counts as ahead."""
    child = view(child_address, 1, CHILD)[0]
    crossing = cost_of_crossing(child_address, rows, count, middle)
    pool_rests(child_address, rows, count)
    pieces = 1 if child.whole != 0 else PIECES
    piece = in_lots((child.left + pieces - 1) // pieces, child.left, child.lot_size)
    while child.left > 0:
        found = NOWHERE
        cost = DEAREST
        more = piece if piece < child.left else child.left
        for at in range(count):
            address = rows + at * ROW_BYTES
            row = view(rows, count, ROUTE_ROW)[at]
            reason = reason_not_to_rest(child_address, address, price)
            if reason != NONE:
                if row.take_quantity == 0 and row.rest_quantity == 0:
                    row.reason = reason
                continue
            cost_of_resting(child_address, address, price, more, middle, crossing)
            if row.rest_cost < cost:
                found = at
                cost = row.rest_cost
        if found == NOWHERE:
            return
        row = view(rows, count, ROUTE_ROW)[found]
        if row.rest_quantity + more < row.minimum_quantity:
            more = row.minimum_quantity - row.rest_quantity
        row.rest_quantity += more
        row.rest_price = price
        row.reason = BOTH if row.take_quantity > 0 else RESTED
        child.left -= more
        child.rested += more


@hot
def cost_of_crossing(child_address, rows, count, middle):
    """What a share costs that did not trade while it rested: the far side a spread further, the dearest fee, and a tick
    for the part of the child that is beyond what is displayed there."""
    child = view(child_address, 1, CHILD)[0]
    fee = 0
    shown = 0
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if row.taker_fee > fee:
            fee = row.taker_fee
        if row.far == child.best_far and believable(rows + at * ROW_BYTES):
            shown += row.far_quantity
    half = distance(child.side, child.best_far, middle) if child.best_far != 0 else child.tick_size * COST_SCALE
    beyond = child.quantity - shown if child.quantity > shown else 0
    return half * 2 + fee * COST_SCALE + child.tick_size * COST_SCALE * beyond // child.quantity


@hot
def say_why_not(child_address, rows, count, stays):
    """A reason for every venue that got nothing and has none yet."""
    child = view(child_address, 1, CHILD)[0]
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if row.take_quantity > 0 or row.rest_quantity > 0:
            continue
        if row.reason == NONE and stays != 0 and row.far != 0 and is_better(child.side, stays, row.far):
            row.reason = BETTER_ELSEWHERE
        elif row.reason == NONE or (child.rested > 0 and row.reason in (NO_QUOTE, OUTSIDE_LIMIT)):
            row.reason = COSTS_MORE


@hot
def decide(child_address, rows, count):
    """Split the child over `count` venue rows. Fills in what the child and the rows say about the decision; returns
    how many shares have a place."""
    child = view(child_address, 1, CHILD)[0]
    child.taken = child.rested = 0
    child.left = child.quantity
    if child.lot_size < 1:
        child.lot_size = 1
    find_best(child_address, rows, count)
    middle = middle_twice(child_address)
    expect_market(child_address, rows, count)
    for at in range(count):
        look(child_address, rows + at * ROW_BYTES, middle)
    stays = child.best_far
    if child.urgency != PATIENT:
        ping_midpoints(child_address, rows, count, middle)
        stays = take(child_address, rows, count)
        if stays == 0:
            if child.urgency == URGENT and child.left > 0:
                ask_beyond(child_address, rows, count)
            stays = beyond_limit(child_address, rows, count)
    if child.urgency != URGENT and child.left > 0:
        rest(child_address, rows, count, price_to_rest(child_address, stays), middle)
    say_why_not(child_address, rows, count, stays)
    return child.taken + child.rested


@hot
def beyond_limit(child_address, rows, count):
    """The best displayed price outside the limit, 0 when there is none: nothing within it is left."""
    child = view(child_address, 1, CHILD)[0]
    found = 0
    for at in range(count):
        row = view(rows, count, ROUTE_ROW)[at]
        if row.far == 0 or not believable(rows + at * ROW_BYTES) or within(child.side, row.far, child.limit):
            continue
        if found == 0 or is_better(child.side, row.far, found):
            found = row.far
    return found
