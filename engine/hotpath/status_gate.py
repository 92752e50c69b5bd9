"""What the gate refuses because of a listing's status. Asked only when the listing's word is not 0."""

from __future__ import annotations

from engine.hotpath.book import TOP
from engine.hotpath.positions import account_cell
from engine.hotpath.status_tables import (
    AFTER_HOURS,
    CLOSED,
    CLOSING_HELD,
    COLLAR,
    HALTED,
    IPO,
    MARKET,
    MARKET_WIDE,
    OPENING_HELD,
    OPERATIONAL,
    PAUSED,
    SHORT_SALE,
    STATUS,
    STOPPED,
)
from engine.hotpath.tables import CELL, ENGINE, FIRM_ACCOUNT, VENUE, VENUES
from engine.messages.codes import DenialReason, Side, TimeInForce
from engine.native import hot, view

SELL = int(Side.SELL)
NONE = int(DenialReason.NONE)
INSTRUMENT_HALTED = int(DenialReason.INSTRUMENT_HALTED)
INSTRUMENT_PAUSED = int(DenialReason.INSTRUMENT_PAUSED)
QUOTATION_ONLY = int(DenialReason.QUOTATION_ONLY)
OPERATIONAL_HALT = int(DenialReason.OPERATIONAL_HALT)
MARKET_WIDE_HALT = int(DenialReason.MARKET_WIDE_HALT)
IPO_PENDING = int(DenialReason.IPO_PENDING)
AUCTION_COLLAR = int(DenialReason.AUCTION_COLLAR)
SHORT_SALE_RESTRICTED = int(DenialReason.SHORT_SALE_RESTRICTED)
MARKET_CLOSED = int(DenialReason.MARKET_CLOSED)
AUCTION_MISSING, AUCTION_OVER = int(DenialReason.AUCTION_MISSING), int(DenialReason.AUCTION_OVER)
AT_OPEN = int(TimeInForce.AT_OPEN)
MARKET_START, MARKET_END, SYSTEM_END, MESSAGES_END = ord("Q"), ord("M"), ord("E"), ord("C")


@hot
def measure(engine, reason, measured, bound):
    """Note what was measured against what; returns the reason."""
    core = view(engine, 1, ENGINE)[0]
    core.measured = measured
    core.bound = bound
    return reason


@hot
def check_status(engine, venue, instrument, side, price, quantity, reduces):
    """NONE when the status of the listing lets the order pass, else the DenialReason."""
    core = view(engine, 1, ENGINE)[0]
    listing = (venue - 1) * (core.instrument_count + 1) + instrument
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    blocks = status.blocks
    if blocks & STOPPED != 0:
        return stopped_reason(engine, venue, listing)
    if blocks & AFTER_HOURS != 0 and not reduces:
        return measure(engine, MARKET_CLOSED, view(core.markets, VENUES, MARKET)[venue].phase, 0)
    if blocks & COLLAR != 0:
        if price > status.collar_upper:
            return measure(engine, AUCTION_COLLAR, price, status.collar_upper)
        if price < status.collar_lower:
            return measure(engine, AUCTION_COLLAR, price, status.collar_lower)
    if blocks & SHORT_SALE != 0 and side == SELL:
        return check_short_sale(engine, instrument, price, quantity)
    return NONE


@hot
def phase_of(engine, venue):
    """Letter of the last system event of the venue's feed, without one that of the venue that prices it; 0: none."""
    core = view(engine, 1, ENGINE)[0]
    markets = view(core.markets, VENUES, MARKET)
    if markets[venue].heard != 0:
        return markets[venue].phase
    return markets[view(core.venues, VENUES, VENUE)[venue].priced_by].phase


@hot
def check_auction(engine, venue, instrument, time_in_force):
    """NONE when the venue takes orders for its auctions and this one is still to come, else the DenialReason. Where it
    has none, the engine may stand in for one that is still to come (`engine.control.emulation`).

    It is over when the listing's cross was printed, or with the system event after which no order for it is in time:
    the start of market hours for the opening, their end for the close.
    """
    core = view(engine, 1, ENGINE)[0]
    missing = view(core.venues, VENUES, VENUE)[venue].auctions == 0
    listing = (venue - 1) * (core.instrument_count + 1) + instrument
    held = view(core.statuses, core.listing_count, STATUS)[listing].crossed
    phase = phase_of(engine, venue) if missing else view(core.markets, VENUES, MARKET)[venue].phase
    over = phase == MARKET_END or phase == SYSTEM_END or phase == MESSAGES_END
    if time_in_force == AT_OPEN:
        over = over or phase == MARKET_START or held & OPENING_HELD != 0
    else:
        over = over or held & CLOSING_HELD != 0
    if over:
        return measure(engine, AUCTION_OVER, time_in_force, phase)
    return measure(engine, AUCTION_MISSING, time_in_force, 0) if missing else NONE


@hot
def stopped_reason(engine, venue, listing):
    """Why nothing passes, the widest cause first."""
    core = view(engine, 1, ENGINE)[0]
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    market = view(core.markets, VENUES, MARKET)[venue]
    blocks = status.blocks
    if blocks & CLOSED != 0:
        return measure(engine, MARKET_CLOSED, market.phase, 0)
    if blocks & MARKET_WIDE != 0:
        return measure(engine, MARKET_WIDE_HALT, market.breached - 48, 0)
    if blocks & HALTED != 0:
        return measure(engine, INSTRUMENT_HALTED, status.reason, 0)
    if blocks & PAUSED != 0:
        return measure(engine, INSTRUMENT_PAUSED, status.reason, 0)
    if blocks & OPERATIONAL != 0:
        return measure(engine, OPERATIONAL_HALT, 0, 0)
    if blocks & IPO != 0:
        return measure(engine, IPO_PENDING, status.release_seconds, 0)
    return measure(engine, QUOTATION_ONLY, status.reason, 0)


@hot
def check_short_sale(engine, instrument, price, quantity):
    """Rule 201 of Regulation SHO: a sale that the firm's position does not cover has to be above the best bid.

    Covered is what the whole firm holds, less what it has working to sell. The best bid is the highest of all venues
    whose books are whole; without one there is nothing to be above of, and the order is refused.
    """
    core = view(engine, 1, ENGINE)[0]
    cell = view(account_cell(engine, FIRM_ACCOUNT, instrument), 1, CELL)[0]
    if cell.position - cell.working_sell - quantity >= 0:
        return NONE
    tops = view(core.tops, core.listing_count, TOP)
    best = 0
    for venue in range(1, core.venue_count + 1):
        top = tops[(venue - 1) * (core.instrument_count + 1) + instrument]
        if view(core.venues, VENUES, VENUE)[venue].dirty == 0 and top.bid_quantity > 0 and top.bid > best:
            best = top.bid
    if best > 0 and price > best:
        return NONE
    return measure(engine, SHORT_SALE_RESTRICTED, price, best)
