"""What the router learns from its own orders: sums for each instrument on each venue, from journalled answers alone.

A pair of sums is halved together when it grows, so that what happened lately weighs more than what happened long ago.
"""

from __future__ import annotations

from engine.hotpath.router_costs import depth_class, depth_ratio
from engine.hotpath.router_tables import DEPTHS, LEARNED, PARTS
from engine.native import hot, view

MOST_SHARES = 1 << 20
MOST_ORDERS = 1 << 10
MOST_PARTS = 1 << 14
MOST_MS = 1 << 22


@hot
def halve(amount):
    """Half of an amount of either sign, rounded towards nothing."""
    return -(-amount // 2) if amount < 0 else amount // 2


@hot
def learn_take(learned, displayed, asked, got, moved):
    """An order took: `asked` of `displayed` shares, `got` of them came, and the middle has since moved by `moved` price
    units against us."""
    known = view(learned, 1, LEARNED)[0]
    seen = asked if asked < displayed else displayed
    known.shown += seen
    known.got += got if got < seen else seen
    if asked > displayed:
        known.beyond_asked += 1
        known.beyond_got += got - displayed if got > displayed else 0
    if got > 0:
        known.impact += moved
        known.impact_orders += 1
    if known.shown > MOST_SHARES:
        known.shown = halve(known.shown)
        known.got = halve(known.got)
    if known.beyond_asked > MOST_ORDERS:
        known.beyond_asked = halve(known.beyond_asked)
        known.beyond_got = halve(known.beyond_got)
    if known.impact_orders > MOST_ORDERS:
        known.impact_orders = halve(known.impact_orders)
        known.impact = halve(known.impact)


@hot
def learn_midpoint(learned, got, time_ns):
    """An order that was sent to the midpoint came back with `got` shares at this time of the market."""
    known = view(learned, 1, LEARNED)[0]
    known.middle_asked += 1
    known.middle_found += 1 if got > 0 else 0
    known.middle_got += got
    known.middle_empty_ns = time_ns if got == 0 else 0
    if known.middle_asked > MOST_ORDERS:
        known.middle_asked = halve(known.middle_asked)
        known.middle_found = halve(known.middle_found)
        known.middle_got = halve(known.middle_got)


@hot
def learn_rest(learned, ahead, quantity, got, through, mean, market_mean, waited_ms, moved):
    """An order of `quantity` shares rested for `waited_ms` behind `ahead` shares and `got` shares traded, `through` of
    them after the market had left our price; `moved` is how far the middle has moved against us since it was sent.

    `mean` and `market_mean` are the shares that had been expected to trade on the venue and on all (mean_passing).
    Nothing is known of the queue of an order that got nothing, but that it waited.
    """
    known = view(learned, 1, LEARNED)[0]
    piece = (quantity + PARTS - 1) // PARTS
    for part in range(PARTS):
        before = part * piece
        shares = piece if piece < quantity - before else quantity - before
        if shares <= 0:
            break
        own = part_of(got - through, before, shares)
        either = part_of(got, before, shares)
        depth = depth_class(depth_ratio(ahead + before + shares, mean))
        known.depth_asked[depth] += 1
        known.depth_got[depth] += own
        depth = depth_class(depth_ratio(before + shares, market_mean))
        known.through_asked[depth] += 1000 - own
        known.through_got[depth] += either - own
    known.exposed_ms += waited_ms
    if got > 0:
        known.passed += ahead + got
    gave_up = (quantity - got) * 1000 // quantity if got < quantity else 0
    known.missed += moved * gave_up
    known.missed_orders += gave_up
    forget_rests(learned)


@hot
def part_of(got, before, shares):
    """How much of `shares` shares traded of which `before` are ahead, when `got` traded of all; in 1/1,000."""
    if got <= before:
        return 0
    return (got - before) * 1000 // shares if got - before < shares else 1000


@hot
def learn_volume(learned, traded, during_ms):
    """Everybody together traded so many shares of the instrument at the venue."""
    known = view(learned, 1, LEARNED)[0]
    known.traded += traded
    known.traded_ms += during_ms
    if known.traded_ms > MOST_MS * 4:
        known.traded = halve(known.traded)
        known.traded_ms = halve(known.traded_ms)


@hot
def forget_rests(learned):
    """Halve what was learned of resting where it has grown enough."""
    known = view(learned, 1, LEARNED)[0]
    if known.exposed_ms > MOST_MS:
        known.exposed_ms = halve(known.exposed_ms)
        known.passed = halve(known.passed)
    if known.missed_orders > MOST_PARTS * 1000:
        known.missed_orders = halve(known.missed_orders)
        known.missed = halve(known.missed)
    for depth in range(DEPTHS):
        if known.depth_asked[depth] > MOST_PARTS:
            known.depth_asked[depth] = halve(known.depth_asked[depth])
            known.depth_got[depth] = halve(known.depth_got[depth])
        if known.through_asked[depth] > MOST_PARTS * 1000:
            known.through_asked[depth] = halve(known.through_asked[depth])
            known.through_got[depth] = halve(known.through_got[depth])


@hot
def learn_latency(learned, latency_ns):
    """An answer came `latency_ns` after its request."""
    known = view(learned, 1, LEARNED)[0]
    if known.latency_ns == 0:
        known.latency_ns = latency_ns
    else:
        known.latency_ns += halve(halve(halve(latency_ns - known.latency_ns)))
