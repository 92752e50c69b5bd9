"""What an order that stands for one its venue does not have sees of the venue: whether it takes orders now."""

from __future__ import annotations

from engine.hotpath.risk import ACTIVE, UP, reference_price
from engine.hotpath.status_gate import MARKET_START, phase_of
from engine.hotpath.status_tables import AFTER_HOURS, STATUS, STOPPED
from engine.hotpath.tables import ENGINE, LEG, LEGS_PER_STRATEGY, PARENT, STRATEGY, VENUE, VENUES
from engine.native import hot, view


@hot
def takes_orders(engine, venue_index, instrument):
    """Whether the venue's session is up and its market (or that of the venue that prices it) trades the instrument."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if core.state != ACTIVE or venue.session != UP:
        return False
    statuses = view(core.statuses, core.listing_count, STATUS)
    width = core.instrument_count + 1
    if statuses[(venue_index - 1) * width + instrument].blocks & (STOPPED | AFTER_HOURS) != 0:
        return False
    listing = (venue.priced_by - 1) * width + instrument
    if statuses[listing].blocks & (STOPPED | AFTER_HOURS) != 0:
        return False
    return view(core.venues, VENUES, VENUE)[venue.priced_by].dirty == 0 and reference_price(engine, listing) != 0


@hot
def show_venue(engine, row):
    """Tell the emulated order in `row`, before it is called, what its venue is about."""
    core = view(engine, 1, ENGINE)[0]
    parent = view(view(core.strategies, core.strategy_count, STRATEGY)[row].row, 1, PARENT)[0]
    leg = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[row * LEGS_PER_STRATEGY]
    parent.market_open = 1 if phase_of(engine, leg.venue) == MARKET_START else 0
    parent.takes_orders = 1 if takes_orders(engine, leg.venue, leg.instrument) else 0
