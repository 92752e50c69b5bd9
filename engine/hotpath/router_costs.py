"""What a share costs at a venue, taken or rested, from what is displayed and what was learned there.

Until something is learned the figures lean on a prior that a few hundred shares outweigh. `//` is used on numbers that
are not negative only, so that every backend rounds alike.
"""

from __future__ import annotations

from engine.hotpath.router_tables import CHILD, COST_SCALE, LEARNED, ROUTE_ROW
from engine.messages.codes import Side
from engine.native import hot, view

BUY = int(Side.BUY)
PRIOR_SHARES = 200  # weight of what is believed of a venue before anything is learned
PRIOR_GOT = 190
PRIOR_ORDERS = 20
PRIOR_EXPOSED_MS = 20_000
FADE_NS = 50_000_000  # latency at which half of what is displayed is believed to be gone, while nothing is learned
LONGEST_RATIO = 20_000
HALF = 2


@hot
def scaled(amount, numerator, denominator):
    """amount x numerator / denominator for an amount of either sign, rounded towards nothing."""
    if amount < 0:
        return -(-amount * numerator // denominator)
    return amount * numerator // denominator


@hot
def per_share(total, shares):
    """A learned sum per share as a cost, with a prior of nothing."""
    return scaled(total, COST_SCALE, shares + PRIOR_SHARES)


@hot
def distance(side, price, middle_twice):
    """How far a price is on the dear side of the middle, as a cost; `middle_twice` is best bid plus best offer."""
    away = price * 2 - middle_twice if side == BUY else middle_twice - price * 2
    return away * COST_SCALE // HALF if away >= 0 else -(-away * COST_SCALE // HALF)


@hot
def chance_beyond(ahead, mean):
    """Chance in 1/1,000 that more than `ahead` shares trade when `mean` are expected: exp(-ahead / mean), by the first
    terms of its series."""
    if mean <= 0:
        return 0
    ratio = ahead * 1000 // mean
    if ratio > LONGEST_RATIO:
        return 0
    series = 1000 + ratio + ratio * ratio // 2000 + ratio * ratio // 1000 * ratio // 6000
    return 1_000_000 // series


@hot
def cost_of_taking(child_address, row_address, middle_twice):
    """Fill in what a share costs that is taken at the venue, and how many are expected to be there on arrival.

    A share that is gone when we arrive costs a tick more elsewhere: `miss_part`.
    """
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    known = view(row.learned, 1, LEARNED)[0]
    prior = PRIOR_GOT * FADE_NS // (FADE_NS + row.latency_ns)
    got = (known.got + prior) * 1000 // (known.shown + PRIOR_SHARES)
    if got > 1000:
        got = 1000
    row.sure = row.far_quantity * got // 1000
    row.beyond = known.beyond_got // (known.beyond_asked + PRIOR_ORDERS)
    row.price_part = distance(child.side, row.far, middle_twice)
    row.fee_part = row.taker_fee * COST_SCALE
    row.impact_part = per_share(known.impact, known.impact_shares)
    row.miss_part = child.tick_size * (1000 - got)
    row.take_cost = row.price_part + row.fee_part + row.impact_part + row.miss_part


@hot
def cost_of_midpoint(child_address, row_address, middle_twice):
    """The same for a venue that trades at the middle: a share that finds nobody there costs what the far side costs and
    a tick. Leaves the expected shares in `beyond`."""
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    known = view(row.learned, 1, LEARNED)[0]
    row.sure = 0
    row.beyond = (known.middle_got + PRIOR_SHARES) // (known.middle_asked + PRIOR_ORDERS)
    asked = row.beyond if row.beyond > child.lot_size else child.lot_size
    chance = row.beyond * 1000 // asked
    row.price_part = 0
    row.fee_part = row.taker_fee * COST_SCALE
    row.impact_part = per_share(known.impact, known.impact_shares)
    row.miss_part = scaled(distance(child.side, child.best_far, middle_twice), 1000 - chance, 1000)
    row.miss_part += child.tick_size * (1000 - chance)
    row.take_cost = row.price_part + scaled(row.fee_part, chance, 1000) + row.impact_part + row.miss_part


@hot
def shares_ahead(child_address, row_address, price):
    """Shares that trade before a new order of ours at this price on the venue.

    Better priced ones have to go first and then those at our own price, of which a top of the book does not tell: they
    are believed to be as many again.
    """
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    if row.near == 0:
        return 0
    if row.near == price:
        return row.near_quantity
    better = row.near > price if child.side == BUY else row.near < price
    return row.near_quantity * 2 if better else 0


@hot
def cost_of_resting(child_address, row_address, price, placed, middle_twice, crossing):
    """Fill in what the next share costs that rests at the venue behind `placed` of ours: the fill at its chance, else
    `crossing`, the cost of a share that has to cross in the end.

    Before anything is learned a typical queue is believed to trade in PRIOR_EXPOSED_MS at every venue.
    """
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    known = view(row.learned, 1, LEARNED)[0]
    row.ahead = shares_ahead(child_address, row_address, price)
    mean = (known.passed + child.typical_queue) * child.horizon_ms // (known.exposed_ms + PRIOR_EXPOSED_MS)
    row.fill_chance = chance_beyond(row.ahead + placed, mean)
    filled = distance(child.side, price, middle_twice) + row.maker_fee * COST_SCALE
    filled += per_share(known.adverse, known.adverse_shares)
    row.rest_cost = scaled(filled, row.fill_chance, 1000) + scaled(crossing, 1000 - row.fill_chance, 1000)
