"""Prints beside the book: crosses and trades of orders that were not displayed, and the breaking of them.

Executions of displayed orders are book messages and are not counted here: they would cost the hot path.
"""

from __future__ import annotations

from engine.hotpath.status_tables import CLOSING_HELD, COLLAR, MARKET, OPENING_HELD, PRINT, PRINTS, STATUS
from engine.hotpath.tables import ENGINE, VENUES
from engine.native import hot, load_be32, load_be64, load_u8, view
from engine.protocols import itch50_offsets as itch

LETTER_REOPENING, LETTER_OPENING, LETTER_CLOSING = ord("H"), ord("O"), ord("C")
LONGEST_CHAIN = 64
LARGEST_PRINT = 1 << 40  # beyond any day of any instrument: garbage


@hot
def print_row(engine, venue_index, match):
    """The row where a print of this match number is remembered, or would be."""
    core = view(engine, 1, ENGINE)[0]
    return view(core.prints, VENUES * PRINTS, PRINT)[venue_index * PRINTS + (match & (PRINTS - 1))]


@hot
def add_print(engine, venue_index, listing, price, quantity, match):
    """Count a print and make it the listing's last one."""
    core = view(engine, 1, ENGINE)[0]
    if quantity <= 0 or quantity > LARGEST_PRINT:
        return
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    row = print_row(engine, venue_index, match)
    row.match = match
    row.listing = listing
    row.price = price
    row.quantity = quantity
    row.earlier_match = status.last_match
    row.broken = 0
    status.last_price = price
    status.last_quantity = quantity
    status.last_match = match
    status.volume += quantity
    status.prints += 1


@hot
def apply_trade(engine, venue_index, listing, message):
    """Trade, non-cross (1.5.1)."""
    add_print(
        engine,
        venue_index,
        listing,
        load_be32(message + itch.TRADE_PRICE),
        load_be32(message + itch.TRADE_QUANTITY),
        load_be64(message + itch.TRADE_MATCH_NUMBER),
    )


@hot
def apply_cross(engine, venue_index, listing, message):
    """Cross Trade (1.5.2). One without shares only says that the cross is over. A reopening ends the auction collar."""
    core = view(engine, 1, ENGINE)[0]
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    price = load_be32(message + itch.CROSS_TRADE_PRICE)
    quantity = load_be64(message + itch.CROSS_TRADE_QUANTITY)
    status.cross_price = price
    status.cross_quantity = quantity
    status.cross_type = load_u8(message + itch.CROSS_TRADE_CROSS_TYPE)
    if status.cross_type == LETTER_REOPENING:
        status.blocks &= ~COLLAR
    elif status.cross_type == LETTER_OPENING:
        status.crossed |= OPENING_HELD
    elif status.cross_type == LETTER_CLOSING:
        status.crossed |= CLOSING_HELD
    add_print(engine, venue_index, listing, price, quantity, load_be64(message + itch.CROSS_TRADE_MATCH_NUMBER))


@hot
def apply_broken(engine, venue_index, match):
    """Broken Trade (1.5.3): taken out of the volume; when it was the last print, the one before is the last again.

    One that is not remembered, as of an execution in the book, is counted.
    """
    core = view(engine, 1, ENGINE)[0]
    row = print_row(engine, venue_index, match)
    if row.match != match or row.quantity == 0 or row.broken != 0:
        view(core.markets, VENUES, MARKET)[venue_index].unknown_broken += 1
        return
    row.broken = 1
    status = view(core.statuses, core.listing_count, STATUS)[row.listing]
    status.broken += 1
    status.volume -= row.quantity
    status.prints -= 1
    if status.last_match == match:
        step_back(engine, venue_index, row.listing)


@hot
def step_back(engine, venue_index, listing):
    """The last print that still stands becomes the listing's last; nothing when none is remembered."""
    core = view(engine, 1, ENGINE)[0]
    status = view(core.statuses, core.listing_count, STATUS)[listing]
    match = status.last_match
    for _ in range(LONGEST_CHAIN):
        row = print_row(engine, venue_index, match)
        if match == 0 or row.match != match or row.listing != listing:
            break
        if row.broken == 0:
            status.last_price = row.price
            status.last_quantity = row.quantity
            status.last_match = match
            return
        match = row.earlier_match
    status.last_price = 0
    status.last_quantity = 0
    status.last_match = 0
