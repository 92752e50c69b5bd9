"""Market orders with protection: each leaves as a limit order so many basis points beyond the far touch, never without.

The price is made when the order is entered, of the live book, so a replay makes the same one. What a venue calls a
market order is not sent to any.
"""

from __future__ import annotations

from engine.hotpath.book import TOP
from engine.hotpath.requests import ENTER, deny, enter
from engine.hotpath.risk import BOOK_DIRTY, BUY, NONE, REFERENCE_MISSING, check_kills, check_open, refuse
from engine.hotpath.tables import ENGINE, INSTRUMENT, STRATEGY, VENUE, VENUES
from engine.messages.prices import LARGEST_PROTECTION
from engine.native import hot, view

BASIS_POINTS = 10_000
EVERY_VENUE = 0


@hot
def protected_price(side, touch, protection, tick):
    """The limit `protection` basis points beyond `touch`, in whole ticks, never outside that band and never nothing."""
    beyond = int(touch * protection / BASIS_POINTS)
    if side == BUY:
        return (touch + beyond) // tick * tick
    return max(-(-(touch - beyond) // tick) * tick, tick)


@hot
def far_touch(engine, venue, instrument, side):
    """What a market order would trade at on the venue, of the books that price it; 0 while there is none, or minus
    BOOK_DIRTY while they are not whole."""
    core = view(engine, 1, ENGINE)[0]
    venues = view(core.venues, VENUES, VENUE)
    priced_by = venues[venue].priced_by
    if venues[priced_by].dirty != 0:
        return -BOOK_DIRTY
    top = view(core.tops, core.listing_count, TOP)[(priced_by - 1) * (core.instrument_count + 1) + instrument]
    if top.bid_quantity == 0 or top.ask_quantity == 0:
        return 0
    return top.ask if side == BUY else top.bid


@hot
def best_touch(engine, instrument, side):
    """The best far touch of the venues that have a book of their own, 0: none."""
    core = view(engine, 1, ENGINE)[0]
    best = 0
    for venue in range(1, core.venue_count + 1):
        if view(core.venues, VENUES, VENUE)[venue].priced_by != venue:
            continue
        price = far_touch(engine, venue, instrument, side)
        if price > 0 and (best == 0 or (price < best if side == BUY else price > best)):
            best = price
    return best


@hot
def market_price(engine, venue, instrument, side, protection):
    """The limit of a market order at a known venue (EVERY_VENUE: the router's), or minus the DenialReason: it has no
    live reference."""
    core = view(engine, 1, ENGINE)[0]
    touch = best_touch(engine, instrument, side) if venue == EVERY_VENUE else far_touch(engine, venue, instrument, side)
    if touch < 0:
        return touch
    if touch == 0:
        return -REFERENCE_MISSING
    return protected_price(
        side, touch, protection, view(core.instruments, core.instrument_count + 1, INSTRUMENT)[instrument].tick_size
    )


@hot
def deny_market(engine, strategy, team, leg, venue, instrument, side, quantity, time_in_force, signal, missing):
    """Journal why a market order without a reference does not leave: what the gate says before it looks at prices (a
    kill, an engine or a session that is down), else what is missing. Returns minus the reason."""
    core = view(engine, 1, ENGINE)[0]
    core.scope = 0
    core.scope_id = 0
    core.limit_name = 0
    reason = NONE
    if venue != EVERY_VENUE:
        owner = view(core.strategies, core.strategy_count, STRATEGY)[strategy]
        reason = check_kills(engine, owner.account, team, venue)
        if reason == NONE:
            reason = check_open(engine, venue, True)
    if reason == NONE:
        reason = refuse(engine, missing, 0, 0)
    return deny(engine, ENTER, reason, strategy, team, leg, venue, instrument, side, 0, quantity, time_in_force, signal)


@hot
def enter_market(engine, strategy, team, leg, venue, instrument, side, quantity, time_in_force, protection, signal):
    """Ask for a market order at one venue, as `requests.enter`. Without an instrument, a venue or a protection that
    there is, it has no price, and the gate says what is wrong. EVERY_VENUE only tells that the router has no price."""
    core = view(engine, 1, ENGINE)[0]
    known = instrument >= 1 and instrument <= core.instrument_count and venue >= 0 and venue <= core.venue_count
    if not known or protection < 1 or protection > LARGEST_PROTECTION:
        return enter(engine, strategy, team, leg, venue, instrument, side, 0, quantity, time_in_force, signal)
    price = market_price(engine, venue, instrument, side, protection)
    if price <= 0:
        return deny_market(
            engine, strategy, team, leg, venue, instrument, side, quantity, time_in_force, signal, -price
        )
    core.protection = protection
    number = enter(engine, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force, signal)
    core.protection = 0
    return number
