"""How the simulated market answers to owners' orders that take: it moves by the fitted square-root law, and comes back.

After owners took Q shares of an instrument (bought less sold), whatever the market enters next is priced
scale x sqrt(Q) further; Q halves every HALF_LIFE_NS, in steps. Without fitted costs nothing moves.
"""

from __future__ import annotations

from engine.hotpath.fitted_costs import part_of_price, square_root_impact
from engine.messages.codes import OrderAction, Side
from engine.native import hot, view
from engine.simulator.layout import BOOK, INSTRUMENT, MARKET_PRICE, REQUEST

BUY, CANCEL = int(Side.BUY), int(OrderAction.CANCEL)
HALF_LIFE_NS = 60_000_000_000  # assumed: no report fits it
STEPS = 12  # in a half-life
STEP_NS = HALF_LIFE_NS // STEPS
KEPT, OF = 943_874, 1_000_000  # 2^(-1 / STEPS)
SHARE_UNITS = 1000
PRICE_UNITS = 1000  # of what part_of_price counts


@hot
def fade(book, instrument, time_ns):
    """Let what owners took fade up to a time."""
    header = view(book, 1, BOOK)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    while entry.taken != 0 and time_ns - entry.faded_ns >= STEP_NS:
        entry.taken = entry.taken * KEPT // OF if entry.taken > 0 else -(-entry.taken * KEPT // OF)
        entry.faded_ns += STEP_NS
    if entry.taken == 0:
        entry.faded_ns = time_ns


@hot
def note_taken(book, instrument, side, quantity, time_ns):
    """An owner's incoming order traded."""
    fade(book, instrument, time_ns)
    header = view(book, 1, BOOK)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    entry.taken += quantity * SHARE_UNITS if side == BUY else -quantity * SHARE_UNITS


@hot
def pressure(book, instrument, time_ns):
    """How far the market stands from where it would stand without owners, in price units, whole ticks: up after they
    bought."""
    header = view(book, 1, BOOK)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    if entry.impact_scale == 0 or entry.taken == 0:
        return 0
    fade(book, instrument, time_ns)
    shares = entry.taken // SHARE_UNITS if entry.taken > 0 else -entry.taken // SHARE_UNITS
    moved = part_of_price(square_root_impact(entry.impact_scale, shares), entry.last_price) // PRICE_UNITS
    ticks = (moved + entry.tick_size // 2) // entry.tick_size
    return ticks * entry.tick_size if entry.taken > 0 else -ticks * entry.tick_size


@hot
def shift(book, request):
    """Move the price of a recorded request of the market with the pressure; never below a tick."""
    wanted = view(request, 1, REQUEST)[0]
    if wanted.action == CANCEL or wanted.price == MARKET_PRICE or wanted.price <= 0:
        return
    moved = pressure(book, wanted.instrument, wanted.time_ns)
    if moved != 0:
        header = view(book, 1, BOOK)[0]
        tick = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[wanted.instrument].tick_size
        wanted.price = wanted.price + moved if wanted.price + moved > tick else tick
