"""What the exchange does not take: the checks of an order request against the listing, the owner and the room left."""

from __future__ import annotations

from engine.messages.codes import Side, TimeInForce
from engine.native import hot, view
from engine.simulator.layout import BOOK, INSTRUMENT, MARKET_PRICE, MAXIMUM_QUANTITY, OWNER, REQUEST, Refusal

BUY, SELL = int(Side.BUY), int(Side.SELL)
DAY, IOC, FOK = int(TimeInForce.DAY), int(TimeInForce.IOC), int(TimeInForce.FOK)
POST_ONLY = int(TimeInForce.POST_ONLY)
INVALID_SIDE, INVALID_QUANTITY = int(Refusal.INVALID_SIDE), int(Refusal.INVALID_QUANTITY)
INVALID_INSTRUMENT, INVALID_PRICE = int(Refusal.INVALID_INSTRUMENT), int(Refusal.INVALID_PRICE)
INVALID_MINIMUM, INVALID_TIME = int(Refusal.INVALID_MINIMUM_QUANTITY), int(Refusal.INVALID_TIME_IN_FORCE)
HALTED, ENTRY_DISABLED, CAPACITY = int(Refusal.HALTED), int(Refusal.ENTRY_DISABLED), int(Refusal.CAPACITY)


@hot
def refusal(book, request):
    """Why the exchange cannot take such an order now; 0 when it can."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    if wanted.instrument < 1 or wanted.instrument > header.instrument_count:
        return INVALID_INSTRUMENT
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[wanted.instrument]
    quantity = wanted.quantity
    if entry.tick_size == 0:
        return INVALID_INSTRUMENT
    if wanted.side != BUY and wanted.side != SELL:
        return INVALID_SIDE
    if quantity < 1 or quantity >= MAXIMUM_QUANTITY or quantity % entry.lot_size != 0:
        return INVALID_QUANTITY
    resting = wanted.time_in_force == DAY or wanted.time_in_force == POST_ONLY
    if not resting and wanted.time_in_force != IOC and wanted.time_in_force != FOK:
        return INVALID_TIME
    if wanted.price == MARKET_PRICE:
        if resting:
            return INVALID_PRICE
    elif wanted.price < 1 or wanted.price > MARKET_PRICE or wanted.price % entry.tick_size != 0:
        return INVALID_PRICE
    if wanted.minimum_quantity < 0 or wanted.minimum_quantity > quantity or (wanted.minimum_quantity > 0 and resting):
        return INVALID_MINIMUM
    if entry.halted != 0:
        return HALTED
    if view(header.owners, header.owner_count + 1, OWNER)[wanted.owner].entry_disabled != 0:
        return ENTRY_DISABLED
    if header.free_order == 0 or header.free_level == 0:
        return CAPACITY
    return 0
