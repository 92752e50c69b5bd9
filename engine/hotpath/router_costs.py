"""What a share costs at a venue, taken or rested, from what is displayed and what was learned there.

Until something is learned the figures lean on a prior that a few hundred shares outweigh. `//` is used on numbers that
are not negative only, so that every backend rounds alike.
"""

from __future__ import annotations

from engine.hotpath.fitted_costs import part_of_price, square_root_impact
from engine.hotpath.router_tables import CHILD, COST_SCALE, DEPTH_BOUNDS, DEPTHS, LEARNED, ROUTE_ROW
from engine.messages.codes import Side
from engine.native import hot, view

BUY = int(Side.BUY)
PRIOR_SHARES = 200  # weight of what is believed of a venue before anything is learned
PRIOR_GOT = 190
PRIOR_ORDERS = 20
CONCENTRATION = 4_000  # a share behind as many of ours as are expected to trade is a fifth less sure than averages say
PRIOR_FOUND = 10
REFILL_NS = 1_000_000_000
PRIOR_HIDDEN = 500
PRIOR_IMPACTS = 1000  # moves of the middle after single orders are mostly not theirs
PRIOR_PARTS = 5000  # parts of orders with which the other venues count for what rests at one
PRIOR_MISSES = 2_000_000
MOMENT_MS = 20
PRIOR_EXPOSED_MS = 20_000
FADE_NS = 50_000_000  # latency at which half of what is displayed is believed to be gone, while nothing is learned
LONGEST_RATIO = 100_000
HALF = 2


@hot
def scaled(amount, numerator, denominator):
    """amount x numerator / denominator for an amount of either sign, rounded towards nothing."""
    if amount < 0:
        return -(-amount * numerator // denominator)
    return amount * numerator // denominator


@hot
def expected_impact(learned, price, quantity):
    """How far the middle moves against us after an order that takes `quantity` shares, as a cost: what was learned,
    and what cost reports fitted (nothing, before there was one) with the weight of PRIOR_IMPACTS orders."""
    known = view(learned, 1, LEARNED)[0]
    fitted = part_of_price(square_root_impact(known.impact_scale, quantity), price)
    return scaled(known.impact * COST_SCALE + fitted * PRIOR_IMPACTS, 1, known.impact_orders + PRIOR_IMPACTS)


@hot
def depth_ratio(ahead, mean):
    """How `ahead` shares compare with those that are expected to trade, in 1/1,000."""
    ratio = ahead * 1000 // mean if mean > 0 else LONGEST_RATIO
    return ratio if ratio < LONGEST_RATIO else LONGEST_RATIO


@hot
def depth_class(ratio):
    """Class of a queue position."""
    for depth in range(DEPTHS - 1):
        if ratio <= DEPTH_BOUNDS[depth]:
            return depth
    return DEPTHS - 1


@hot
def class_middle(depth):
    """The depth for which a class stands."""
    if depth == 0:
        return DEPTH_BOUNDS[0] // 2
    if depth == DEPTHS - 1:
        return DEPTH_BOUNDS[DEPTHS - 2] * 3 // 2
    return (DEPTH_BOUNDS[depth - 1] + DEPTH_BOUNDS[depth]) // 2


@hot
def class_chance(child_address, learned, depth):
    """What the venue's own flow took of what rested at a class of depth: at this venue, and with less weight at all."""
    child = view(child_address, 1, CHILD)[0]
    known = view(learned, 1, LEARNED)[0]
    prior = child.depth_chances[depth] * PRIOR_PARTS
    return (known.depth_got[depth] + prior) // (known.depth_asked[depth] + PRIOR_PARTS)


@hot
def through_chance(child_address, depth):
    """What everybody's flow took of what was left when our price was the market's last, by our shares before it."""
    return view(child_address, 1, CHILD)[0].through_chances[depth]


@hot
def chance_at(child_address, learned, ratio, own):
    """The chance at a depth, on the line between the middles of its class and of the next one on its side; `own`: of
    the venue's own flow, else of everybody's."""
    depth = depth_class(ratio)
    middle = class_middle(depth)
    other = depth - 1 if ratio < middle else depth + 1
    if other < 0 or other == DEPTHS:
        other = depth
    if own:
        here = class_chance(child_address, learned, depth)
        there = class_chance(child_address, learned, other)
    else:
        here = through_chance(child_address, depth)
        there = through_chance(child_address, other)
    if other == depth:
        return here
    away = ratio - middle if ratio > middle else middle - ratio
    between = class_middle(other) - middle if other > depth else middle - class_middle(other)
    return here + scaled(there - here, away, between)


@hot
def mean_passing(learned, typical_queue, horizon_ms):
    """Shares that are expected to trade on one side of the venue within a time: half of what everybody traded there, or
    what passed while we rested there when that is not known. Before anything is learned a typical queue is believed to
    trade in PRIOR_EXPOSED_MS."""
    known = view(learned, 1, LEARNED)[0]
    if known.traded_ms > PRIOR_EXPOSED_MS:
        return known.traded * horizon_ms // (known.traded_ms * 2) + 1
    return (known.passed + typical_queue) * horizon_ms // (known.exposed_ms + PRIOR_EXPOSED_MS)


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
    row.price_part = distance(child.side, row.far, middle_twice)
    row.fee_part = row.taker_fee * COST_SCALE
    asked = child.quantity if child.quantity < row.far_quantity else row.far_quantity
    row.impact_part = expected_impact(row.learned, row.far, asked)
    row.miss_part = child.tick_size * (1000 - got)
    row.take_cost = row.price_part + row.fee_part + row.impact_part + row.miss_part


@hot
def expect_beyond(row_address):
    """What an order finds at the venue beyond the displayed shares, on average, in 1/1,000 of a share. Before orders
    have asked for more, it is believed to be what trades there in a moment."""
    row = view(row_address, 1, ROUTE_ROW)[0]
    known = view(row.learned, 1, LEARNED)[0]
    prior = mean_passing(row.learned, 0, MOMENT_MS * 1000)
    row.beyond = (known.beyond_got * 1000 + prior * PRIOR_HIDDEN) // (known.beyond_asked + PRIOR_HIDDEN)


@hot
def cost_of_midpoint(child_address, row_address, middle_twice):
    """The same for a venue that trades at the middle: an order that finds nobody there costs what the far side costs
    and a tick. Where nobody was a moment ago nobody is: the chance comes back within REFILL_NS."""
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    known = view(row.learned, 1, LEARNED)[0]
    row.sure = 0
    row.beyond = (known.middle_got + PRIOR_SHARES) * 1000 // (known.middle_found + PRIOR_FOUND)
    chance = (known.middle_found + PRIOR_FOUND) * 1000 // (known.middle_asked + PRIOR_ORDERS)
    empty_for = child.time_ns - known.middle_empty_ns
    if known.middle_empty_ns != 0 and empty_for < REFILL_NS:
        chance = chance * (empty_for if empty_for > 0 else 0) // REFILL_NS
    row.fill_chance = chance
    row.price_part = 0
    row.fee_part = row.taker_fee * COST_SCALE
    expected = row.beyond // 1000
    asked = child.quantity if child.quantity < expected else expected
    row.impact_part = expected_impact(row.learned, middle_twice // 2, asked)
    row.miss_part = scaled(distance(child.side, child.best_far, middle_twice), 1000 - chance, 1000)
    row.miss_part += child.tick_size * (1000 - chance)
    row.take_cost = row.price_part + scaled(row.fee_part, chance, 1000) + row.impact_part + row.miss_part


@hot
def pool_rests(child_address, rows, count):
    """What was learned of resting at all venues together, into the child. The exponential at the middle of each class
    of depth is the prior, halved between the two kinds of flow."""
    child = view(child_address, 1, CHILD)[0]
    for depth in range(DEPTHS):
        prior = chance_beyond(class_middle(depth), 1000) // 2
        asked = PRIOR_ORDERS
        got = prior * PRIOR_ORDERS
        through_asked = PRIOR_ORDERS * 1000
        through_got = prior * PRIOR_ORDERS
        for at in range(count):
            known = view(view(rows, count, ROUTE_ROW)[at].learned, 1, LEARNED)[0]
            asked += known.depth_asked[depth]
            got += known.depth_got[depth]
            through_asked += known.through_asked[depth]
            through_got += known.through_got[depth]
        child.depth_chances[depth] = got // asked
        child.through_chances[depth] = through_got * 1000 // through_asked
    missed = 0
    orders = PRIOR_ORDERS * 1000
    for at in range(count):
        known = view(view(rows, count, ROUTE_ROW)[at].learned, 1, LEARNED)[0]
        missed += known.missed
        orders += known.missed_orders
    child.missed_cost = scaled(missed, COST_SCALE, orders)


@hot
def expect_market(child_address, rows, count):
    """Shares that are expected to trade on one side of all venues together while the child rests, into the child."""
    child = view(child_address, 1, CHILD)[0]
    child.market_mean = 0
    for at in range(count):
        learned = view(rows, count, ROUTE_ROW)[at].learned
        child.market_mean += mean_passing(learned, child.typical_queue, child.horizon_ms)


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
def cost_of_resting(child_address, row_address, price, more, middle_twice, crossing):
    """Fill in what the last of `more` shares costs that come to rest at the venue behind ours there: the fill at its
    chance, else `crossing`, the cost of a share that has to cross in the end.

    The venue's own flow reaches it at its depth in the venue's queue; once our price is the market's last everybody's
    flow does, after all of the child's shares that rest already, wherever.
    """
    child = view(child_address, 1, CHILD)[0]
    row = view(row_address, 1, ROUTE_ROW)[0]
    known = view(row.learned, 1, LEARNED)[0]
    row.ahead = shares_ahead(child_address, row_address, price)
    placed = row.rest_quantity + more
    mean = mean_passing(row.learned, child.typical_queue, child.horizon_ms)
    own = chance_at(child_address, row.learned, depth_ratio(row.ahead + placed, mean), True)
    before = depth_ratio(child.rested + more, child.market_mean)
    row.fill_chance = own + chance_at(child_address, row.learned, before, False) * (1000 - own) // 1000
    alone = depth_ratio(placed, mean)
    row.fill_chance -= row.fill_chance * alone // (alone + CONCENTRATION)
    filled = distance(child.side, price, middle_twice) + row.maker_fee * COST_SCALE
    filled += part_of_price(known.adverse, price)
    missed = known.missed * COST_SCALE + child.missed_cost * PRIOR_MISSES
    crossing += scaled(missed, 1, known.missed_orders + PRIOR_MISSES)
    row.rest_cost = scaled(filled, row.fill_chance, 1000) + scaled(crossing, 1000 - row.fill_chance, 1000)
