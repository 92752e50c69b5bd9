"""What the router learns from its own orders: sums for each instrument on each venue, from journalled answers alone.

A pair of sums is halved together when it grows, so that what happened lately weighs more than what happened long ago.
"""

from __future__ import annotations

from engine.hotpath.router_tables import LEARNED
from engine.native import hot, view

MOST_SHARES = 1 << 20
MOST_ORDERS = 1 << 10
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
    known.impact += moved * got
    known.impact_shares += got
    if known.shown > MOST_SHARES:
        known.shown = halve(known.shown)
        known.got = halve(known.got)
    if known.beyond_asked > MOST_ORDERS:
        known.beyond_asked = halve(known.beyond_asked)
        known.beyond_got = halve(known.beyond_got)
    if known.impact_shares > MOST_SHARES:
        known.impact_shares = halve(known.impact_shares)
        known.impact = halve(known.impact)


@hot
def learn_midpoint(learned, got):
    """An order that was sent to the midpoint came back with `got` shares."""
    known = view(learned, 1, LEARNED)[0]
    known.middle_asked += 1
    known.middle_got += got
    if known.middle_asked > MOST_ORDERS:
        known.middle_asked = halve(known.middle_asked)
        known.middle_got = halve(known.middle_got)


@hot
def learn_rest(learned, ahead, got, waited_ms, moved):
    """An order rested for `waited_ms` behind `ahead` shares and `got` shares traded; `moved` is how far the middle had
    moved against us when they did. Nothing is known of the queue of an order that got nothing, but that it waited."""
    known = view(learned, 1, LEARNED)[0]
    known.exposed_ms += waited_ms
    if got > 0:
        known.passed += ahead + got
        known.adverse += moved * got
        known.adverse_shares += got
    if known.exposed_ms > MOST_MS:
        known.exposed_ms = halve(known.exposed_ms)
        known.passed = halve(known.passed)
    if known.adverse_shares > MOST_SHARES:
        known.adverse_shares = halve(known.adverse_shares)
        known.adverse = halve(known.adverse)


@hot
def learn_latency(learned, latency_ns):
    """An answer came `latency_ns` after its request."""
    known = view(learned, 1, LEARNED)[0]
    if known.latency_ns == 0:
        known.latency_ns = latency_ns
    else:
        known.latency_ns += halve(halve(halve(latency_ns - known.latency_ns)))
