"""Legs of a multi-leg order that go to the best of several venues: what such a leg sees is the best of all of them."""

from __future__ import annotations

from engine.hotpath.book import TOP
from engine.hotpath.emulated_orders import show_venue
from engine.hotpath.status_tables import STATUS
from engine.hotpath.tables import ENGINE, LEG, LEGS_PER_STRATEGY, NO_PROTOCOL, PARENT, STRATEGY, VENUE, VENUES
from engine.messages.codes import SessionState
from engine.native import hot, view

UP = int(SessionState.UP)


@hot
def show_everywhere(engine, row):
    """Put the best prices of its venues, and what is there at them together, into the legs of the parent order in `row`
    that go anywhere; tell an emulated order about its venue."""
    core = view(engine, 1, ENGINE)[0]
    parent = view(view(core.strategies, core.strategy_count, STRATEGY)[row].row, 1, PARENT)[0]
    if parent.emulates != 0:
        show_venue(engine, row)
    for at in range(parent.leg_count):
        if parent.anywhere >> at & 1:
            show_best(engine, row * LEGS_PER_STRATEGY + at, parent.venues)


@hot
def trades(engine, venue_index, listing):
    """Whether an order can meet the book of the venue now."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.protocol == NO_PROTOCOL or venue.session != UP or venue.killed != 0 or venue.dirty != 0:
        return False
    return venue.priced_by == venue_index and view(core.statuses, core.listing_count, STATUS)[listing].blocks == 0


@hot
def show_best(engine, leg_index, venues):
    """The best bid and offer of the venues in `venues` (bit v - 1 for venue v) into a leg."""
    core = view(engine, 1, ENGINE)[0]
    leg = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg_index]
    leg.bid = leg.bid_quantity = leg.ask = leg.ask_quantity = 0
    for venue_index in range(1, core.venue_count + 1):
        listing = (venue_index - 1) * (core.instrument_count + 1) + leg.instrument
        if venues >> (venue_index - 1) & 1 == 0 or not trades(engine, venue_index, listing):
            continue
        top = view(core.tops, core.listing_count, TOP)[listing]
        if top.bid_quantity > 0 and (leg.bid_quantity == 0 or top.bid > leg.bid):
            leg.bid = top.bid
            leg.bid_quantity = top.bid_quantity
        elif top.bid_quantity > 0 and top.bid == leg.bid:
            leg.bid_quantity += top.bid_quantity
        if top.ask_quantity > 0 and (leg.ask_quantity == 0 or top.ask < leg.ask):
            leg.ask = top.ask
            leg.ask_quantity = top.ask_quantity
        elif top.ask_quantity > 0 and top.ask == leg.ask:
            leg.ask_quantity += top.ask_quantity
