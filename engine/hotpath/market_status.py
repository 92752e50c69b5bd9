"""What ITCH says beside the book, applied: halts, restrictions, collars, breakers, hours, crosses, imbalances, breaks.

The rare path: messages that change a book never come here. Everything follows from recorded packets alone, so a replay
decides the same. What each message does to orders is written down in docs/protocols/itch50.md.
"""

from __future__ import annotations

from engine.hotpath.book_layout import BOOK, LOCATES
from engine.hotpath.itch_book import LOCATE, listing_of
from engine.hotpath.market_prints import apply_broken, apply_cross, apply_trade
from engine.hotpath.status_tables import (
    AFTER_HOURS,
    CLOSED,
    COLLAR,
    HALTED,
    IPO,
    MARKET,
    MARKET_WIDE,
    OPERATIONAL,
    PAUSED,
    QUOTATION,
    SHORT_SALE,
    STATUS,
)
from engine.hotpath.tables import ENGINE, INSTRUMENT, LEG, LEGS_PER_STRATEGY, VENUES
from engine.native import hot, load_be16, load_be32, load_be64, load_i64, load_u8, store_le32, view, zero_bytes
from engine.protocols import itch50_offsets as itch

STATUS_BYTES = STATUS.itemsize
MARKET_BYTES = MARKET.itemsize
LETTER_TRADING, LETTER_HALTED, LETTER_PAUSED, LETTER_QUOTATION = ord("T"), ord("H"), ord("P"), ord("Q")
NO_RESTRICTION, LETTER_ELIGIBLE = ord("0"), ord("Y")
MESSAGES_START, SYSTEM_START, MARKET_START = ord("O"), ord("S"), ord("Q")
MARKET_END, SYSTEM_END, MESSAGES_END = ord("M"), ord("E"), ord("C")
LIFTED_BY_TRADING = HALTED | PAUSED | QUOTATION | MARKET_WIDE | IPO | COLLAR


@hot
def apply_status(engine, venue_index, message):
    """Apply one whole message that changes no book; its length was checked by its type."""
    core = view(engine, 1, ENGINE)[0]
    kind = load_u8(message)
    if kind == itch.SYSTEM_EVENT:
        apply_hours(engine, venue_index, load_u8(message + itch.SYSTEM_EVENT_EVENT))
        return
    if kind == itch.MWCB_DECLINE_LEVEL or kind == itch.MWCB_STATUS:
        apply_breaker(engine, venue_index, message, kind)
        return
    if kind == itch.BROKEN_TRADE:
        apply_broken(engine, venue_index, load_be64(message + itch.BROKEN_TRADE_MATCH_NUMBER))
        return
    if kind == itch.STOCK_DIRECTORY:
        follow_directory(engine, venue_index, message)
    listing = listing_of(core.book, venue_index, load_be16(message + LOCATE))
    if listing < 0:
        return
    view(core.markets, VENUES, MARKET)[venue_index].heard = 1
    if kind == itch.TRADE:
        apply_trade(engine, venue_index, listing, message)
    elif kind == itch.CROSS_TRADE:
        apply_cross(engine, venue_index, listing, message)
    else:
        apply_listing(engine, listing, message, kind)


@hot
def apply_listing(engine, listing, message, kind):
    """Apply a message about the state of one listing."""
    core = view(engine, 1, ENGINE)[0]
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    if kind == itch.TRADING_ACTION:
        apply_trading_action(engine, listing, message)
    elif kind == itch.OPERATIONAL_HALT:
        resumed = load_u8(message + itch.OPERATIONAL_HALT_HALT_ACTION) == LETTER_TRADING
        status.blocks = status.blocks & ~OPERATIONAL if resumed else status.blocks | OPERATIONAL
        forget_denials(engine, listing)
    elif kind == itch.REG_SHO_RESTRICTION:
        status.short_sale = load_u8(message + itch.REG_SHO_RESTRICTION_REG_SHO_ACTION)
        free = status.short_sale == NO_RESTRICTION
        status.blocks = status.blocks & ~SHORT_SALE if free else status.blocks | SHORT_SALE
    elif kind == itch.LULD_AUCTION_COLLAR:
        status.collar_reference = load_be32(message + itch.LULD_AUCTION_COLLAR_REFERENCE_PRICE)
        status.collar_upper = load_be32(message + itch.LULD_AUCTION_COLLAR_UPPER_PRICE)
        status.collar_lower = load_be32(message + itch.LULD_AUCTION_COLLAR_LOWER_PRICE)
        status.collar_extension = load_be32(message + itch.LULD_AUCTION_COLLAR_EXTENSION)
        status.blocks |= COLLAR
    elif kind == itch.IPO_QUOTING_PERIOD:
        status.release_seconds = load_be32(message + itch.IPO_QUOTING_PERIOD_RELEASE_TIME_SECONDS)
        status.release_qualifier = load_u8(message + itch.IPO_QUOTING_PERIOD_RELEASE_QUALIFIER)
        status.ipo_price = load_be32(message + itch.IPO_QUOTING_PERIOD_PRICE)
        status.blocks |= IPO
    elif kind == itch.NET_ORDER_IMBALANCE:
        apply_imbalance(engine, listing, message)
    elif kind == itch.RETAIL_PRICE_IMPROVEMENT:
        status.retail_interest = load_u8(message + itch.RETAIL_PRICE_IMPROVEMENT_INTEREST)
    elif kind == itch.DIRECT_LISTING_CAPITAL_RAISE:
        apply_direct_listing(engine, listing, load_u8(message + itch.DIRECT_LISTING_CAPITAL_RAISE_OPEN_ELIGIBLE))
    elif kind == itch.MARKET_PARTICIPANT_POSITION:
        status.market_makers += 1


@hot
def apply_direct_listing(engine, listing, eligible):
    """Price discovery of a direct listing (1.8): not released for trading while the volatility test has not passed.
    Once it trades the message says nothing more."""
    core = view(engine, 1, ENGINE)[0]
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    status.open_eligible = eligible
    if eligible != LETTER_ELIGIBLE and status.trading_state != LETTER_TRADING:
        status.blocks |= IPO


@hot
def apply_trading_action(engine, listing, message):
    """H, P, Q or T (1.2.2). A letter that nobody knows never opens: it counts as a halt."""
    core = view(engine, 1, ENGINE)[0]
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    state = load_u8(message + itch.TRADING_ACTION_TRADING_STATE)
    status.trading_state = state
    status.reason = load_be32(message + itch.TRADING_ACTION_REASON)
    if state == LETTER_TRADING:
        status.blocks &= ~LIFTED_BY_TRADING
        forget_denials(engine, listing)
        return
    bit = PAUSED if state == LETTER_PAUSED else QUOTATION if state == LETTER_QUOTATION else HALTED
    status.blocks = (status.blocks & ~(HALTED | PAUSED | QUOTATION)) | bit


@hot
def apply_imbalance(engine, listing, message):
    """The last net order imbalance indicator (1.6)."""
    core = view(engine, 1, ENGINE)[0]
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    status.paired_quantity = load_be64(message + itch.NET_ORDER_IMBALANCE_PAIRED_QUANTITY)
    status.imbalance_quantity = load_be64(message + itch.NET_ORDER_IMBALANCE_IMBALANCE_QUANTITY)
    status.imbalance_direction = load_u8(message + itch.NET_ORDER_IMBALANCE_IMBALANCE_DIRECTION)
    status.far_price = load_be32(message + itch.NET_ORDER_IMBALANCE_FAR_PRICE)
    status.near_price = load_be32(message + itch.NET_ORDER_IMBALANCE_NEAR_PRICE)
    status.reference_price = load_be32(message + itch.NET_ORDER_IMBALANCE_REFERENCE_PRICE)
    status.imbalance_cross = load_u8(message + itch.NET_ORDER_IMBALANCE_CROSS_TYPE)


@hot
def mark_venue(engine, venue_index, cleared, set_bits):
    """Clear and set bits in the word of every listing of a venue."""
    core = view(engine, 1, ENGINE)[0]
    width = core.instrument_count + 1
    statuses = view(core.statuses, core.listing_count, STATUS)
    for listing in range((venue_index - 1) * width, venue_index * width):
        statuses[listing].blocks = (statuses[listing].blocks & ~cleared) | set_bits


@hot
def apply_hours(engine, venue_index, event):
    """System event (1.1): hours of the venue. Outside system hours nothing passes, after market hours no new risk."""
    core = view(engine, 1, ENGINE)[0]
    market = view(core.markets, VENUES, MARKET)[venue_index]
    market.phase = event
    market.heard = 1
    if event == SYSTEM_START or event == MARKET_START:
        mark_venue(engine, venue_index, CLOSED | AFTER_HOURS, 0)
    elif event == MARKET_END:
        mark_venue(engine, venue_index, CLOSED, AFTER_HOURS)
    elif event == MESSAGES_START or event == SYSTEM_END or event == MESSAGES_END:
        mark_venue(engine, venue_index, AFTER_HOURS, CLOSED)


@hot
def apply_breaker(engine, venue_index, message, kind):
    """Market-wide circuit breaker (1.2.5): a breach on one venue holds up every listing of every venue that speaks
    ITCH, until its own venue says that it trades."""
    core = view(engine, 1, ENGINE)[0]
    markets = view(core.markets, VENUES, MARKET)
    market = markets[venue_index]
    market.heard = 1
    if kind == itch.MWCB_DECLINE_LEVEL:
        market.breaker_1 = load_be64(message + itch.MWCB_DECLINE_LEVEL_LEVEL_1)
        market.breaker_2 = load_be64(message + itch.MWCB_DECLINE_LEVEL_LEVEL_2)
        market.breaker_3 = load_be64(message + itch.MWCB_DECLINE_LEVEL_LEVEL_3)
        return
    level = load_u8(message + itch.MWCB_STATUS_BREACHED_LEVEL)
    if level <= market.breached:
        return  # another copy, as in a snapshot or from another venue: it was answered already
    for other in range(1, core.venue_count + 1):
        if markets[other].heard != 0 and markets[other].breached < level:
            markets[other].breached = level
            mark_venue(engine, other, 0, MARKET_WIDE)


@hot
def follow_directory(engine, venue_index, message):
    """A Stock Directory (1.2.1) says which instrument a locate is for the day: ours by its symbol, or none of ours."""
    core = view(engine, 1, ENGINE)[0]
    symbol = load_i64(message + itch.STOCK_DIRECTORY_INSTRUMENT)
    instruments = view(core.instruments, core.instrument_count + 1, INSTRUMENT)
    found = 0
    for instrument in range(1, core.instrument_count + 1):
        if instruments[instrument].symbol == symbol:
            found = instrument
            break
    entry = (venue_index * LOCATES + load_be16(message + LOCATE)) * 4
    listing = (venue_index - 1) * (core.instrument_count + 1) + found
    store_le32(view(core.book, 1, BOOK)[0].locates + entry, listing + 1 if found > 0 else 0)


@hot
def forget_denials(engine, listing):
    """What was refused may pass now: no strategy waits for the end of a long pause."""
    core = view(engine, 1, ENGINE)[0]
    legs = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)
    first = load_i64(core.subscription_starts + listing * 8)
    last = load_i64(core.subscription_starts + listing * 8 + 8)
    for at in range(first, last):
        leg = legs[load_i64(core.subscription_legs + at * 8)]
        leg.denied = 0
        leg.retry_after_ns = 0


@hot
def clear_statuses(engine, venue_index):
    """Nothing is known about a venue's listings: a new session, or a snapshot is about to tell."""
    core = view(engine, 1, ENGINE)[0]
    width = core.instrument_count + 1
    zero_bytes(core.statuses + (venue_index - 1) * width * STATUS_BYTES, width * STATUS_BYTES)
    zero_bytes(core.markets + venue_index * MARKET_BYTES, MARKET_BYTES)
