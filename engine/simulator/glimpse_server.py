"""GLIMPSE 5.0 at the exchange: the book and everything in force as a snapshot over SoupBinTCP, made at each login."""

from __future__ import annotations

import selectors
from collections.abc import Iterator, Mapping

from engine.messages.codes import Side
from engine.protocols.itch50 import encode, encode_end_of_snapshot
from engine.simulator.order_server import OrderServer
from engine.simulator.ouch_account import OuchAccount
from engine.simulator.venue import Venue

LETTERS = {Side.BUY: "B", Side.SELL: "S"}


def snapshot_messages(venue: Venue) -> list[bytes]:
    """What is in force, each displayed order in the order of its queue, and the number of the feed message after it.

    Between two requests only: what the book has published must have been taken.
    """
    messages = venue.announcements.in_force()
    messages += _resting_orders(venue)
    return [*messages, encode_end_of_snapshot(venue.feed.next_sequence)]


def _resting_orders(venue: Venue) -> Iterator[bytes]:
    memory = venue.memory
    book = memory.book[0]
    day_ns = max(0, int(book["clock_ns"]) - int(book["midnight_ns"]))
    for listed in venue.instruments:
        row = memory.instruments[listed.id]
        for best in (int(row["best_bid"]), int(row["best_ask"])):
            for order in _queue(venue, best):
                yield encode(
                    "add_order",
                    stock_locate=listed.id,
                    timestamp_ns=day_ns,
                    reference=int(order["reference"]),
                    side=LETTERS[Side(int(order["side"]))],
                    quantity=int(order["quantity"]),
                    instrument=listed.name,
                    price=int(order["price"]),
                )


def _queue(venue: Venue, level: int) -> Iterator[dict[str, int]]:
    """Displayed orders from this level on, best first, each queue from its front."""
    memory = venue.memory
    names = ("reference", "side", "quantity", "price")
    while level:
        index = int(memory.levels[level]["first"])
        while index:
            order = memory.orders[index]
            yield {name: int(order[name]) for name in names}
            index = int(order["later"])
        level = int(memory.levels[level]["worse"])


class GlimpseServer(OrderServer):
    """A port where each login is answered with a snapshot of its own."""

    def __init__(
        self,
        venue: Venue,
        session: str,
        selector: selectors.BaseSelector,
        address: tuple[str, int],
        timeout_ns: int,
        users: Mapping[str, str],
    ) -> None:
        super().__init__(venue, session, selector, address, timeout_ns, _ignore, _ignore, lambda _account: None)
        self._users = users

    def _log_in(self, user: str, password: str) -> OuchAccount | None:
        if self._users.get(user) != password:
            return None
        # Nobody's account: its sequenced messages are this one snapshot.
        account = OuchAccount(self.venue.desk, 0, user, password, 0)
        account.sequenced = snapshot_messages(self.venue)
        return account


def _ignore(_account: OuchAccount, _message: bytes) -> None:
    """Clients of a snapshot have nothing to say."""
