"""The book that LEAN quotes show: the national best bid and offer, one level a side.

The files hold what is best in the country, each line naming the venue that sets one side. A venue that is outbid gets
no line for that, so the lines of one venue do not make its own book: kept apart they cross nearly always.
"""

from __future__ import annotations

from engine.history.lean import Quote
from engine.hotpath.book import BookMemory, add_order, delete_order
from engine.messages.codes import Side

VENUE = 1


class LeanBook:
    """The best bid and offer of one instrument, listing 0 of its memory."""

    def __init__(self, tick_size: int = 100) -> None:
        self.memory = BookMemory([tick_size], 4, venues=VENUE, queues=False)

    def apply(self, quote: Quote) -> None:
        """Apply one quote: a side with a price of 0 did not change, one with a price and no quantity is withdrawn."""
        if quote.bid:
            self._replace(Side.BUY, quote.bid, quote.bid_quantity)
        if quote.ask:
            self._replace(Side.SELL, quote.ask, quote.ask_quantity)

    def _replace(self, side: Side, price: int, quantity: int) -> None:
        delete_order(self.memory.address, VENUE, int(side))
        if quantity:
            add_order(self.memory.address, VENUE, 0, int(side), int(side), price, quantity)
