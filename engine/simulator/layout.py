"""Memory of one matching engine: every record it works on, taken once at start.

All fields are signed 64 bit, so that compiled and plain runs compute the same. Row 0 of orders and levels is
never used: 0 means none. Instruments count from 1, owners from 1; owner 0 is the simulated market itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from engine.messages.instruments import Instrument
from engine.native import address_of, touched

MAXIMUM_QUANTITY = 1_000_000  # OUCH 5.0: quantities are below this
MARKET_PRICE = 0x7FFFFFFF  # OUCH's and ITCH's largest price: a market order
OWNER_SHIFT = 40  # an order's key is owner << OWNER_SHIFT | user_reference
LONGEST_MESSAGE = 64  # of one ITCH message block, length prefix included


class SelfMatch(IntEnum):
    """What happens when an owner's incoming order meets its own resting order."""

    ALLOW = 0
    CANCEL_RESTING = 1
    CANCEL_INCOMING = 2


class Refusal(IntEnum):
    """Why an order request was refused; values are OUCH 5.0 reject codes where one exists, from 256 on our own."""

    NONE = 0
    INVALID_SIDE = 0x0009
    INVALID_MINIMUM_QUANTITY = 0x000D
    INVALID_QUANTITY = 0x0013
    INVALID_CROSS_ORDER = 0x0014
    INVALID_INSTRUMENT = 0x0017
    INVALID_PRICE = 0x001D
    HALTED = 0x0007
    ENTRY_DISABLED = 256
    CAPACITY = 257
    DUPLICATE_REFERENCE = 258
    UNKNOWN_ORDER = 259
    INVALID_TIME_IN_FORCE = 260
    INVALID_REQUEST = 261
    UNREAD = 262  # results or messages were not taken: the request was not looked at


class CancelReason(IntEnum):
    """Why open quantity left the book; the values are the letters OUCH sends."""

    USER = ord("U")
    IMMEDIATE_OR_CANCEL = ord("I")
    SUPERVISORY = ord("S")
    SELF_MATCH = ord("Q")
    SYSTEM = ord("Z")
    POST_ONLY = ord("G")
    CROSS = ord("C")
    TIMEOUT = ord("T")


BOOK = np.dtype(
    [
        (name, "<i8")
        for name in (
            "instruments",
            "orders",
            "levels",
            "slots",
            "owners",
            "results",
            "messages",
            "instrument_count",
            "order_capacity",
            "level_capacity",
            "slot_mask",
            "owner_count",
            "result_capacity",
            "message_capacity",
            "free_order",
            "free_level",
            "resting_count",
            "next_reference",
            "next_match",
            "result_count",
            "message_count",
            "message_length",
            "midnight_ns",
            "clock_ns",  # time of the latest request: time never runs backwards
            "self_match",
            "prevented_quantity",  # of the last self match: shares that would have traded, and at which price
            "prevented_price",
            "trade_count",
            "refused_count",
        )
    ]
)

INSTRUMENT = np.dtype(
    [
        ("name", "<i8"),  # the eight bytes of the symbol; must stay first
        ("tick_size", "<i8"),
        ("lot_size", "<i8"),
        ("best_bid", "<i8"),
        ("best_ask", "<i8"),
        ("halted", "<i8"),
        ("last_price", "<i8"),
        ("traded_quantity", "<i8"),
        ("impact_scale", "<i8"),  # of fitted costs (impact.py), 0: the market does not answer to owners' orders
        ("taken", "<i8"),  # what owners' orders took, bought less sold and fading, in 1/1,000 of a share
        ("faded_ns", "<i8"),
    ]
)

LEVEL = np.dtype(
    [
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("better", "<i8"),
        ("worse", "<i8"),
        ("first", "<i8"),
        ("last", "<i8"),
        ("hidden_first", "<i8"),
        ("hidden_last", "<i8"),
    ]
)

ORDER = np.dtype(
    [
        ("reference", "<i8"),
        ("owner", "<i8"),
        ("user_reference", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("executed", "<i8"),
        ("displayed", "<i8"),
        ("level", "<i8"),
        ("earlier", "<i8"),
        ("later", "<i8"),
        ("owner_earlier", "<i8"),
        ("owner_later", "<i8"),
    ]
)

SLOT = np.dtype([("key", "<i8"), ("order", "<i8")])

OWNER = np.dtype([("entry_disabled", "<i8"), ("first", "<i8"), ("last", "<i8"), ("open_count", "<i8")])

REQUEST = np.dtype(
    [
        (name, "<i8")
        for name in (
            "time_ns",
            "action",  # engine.messages.codes.OrderAction, or QUOTE
            "owner",
            "user_reference",
            "existing_reference",  # the order a REPLACE is about
            "instrument",
            "side",
            "price",
            "quantity",  # enter: open quantity; replace, cancel: what may execute in total, the past included
            "time_in_force",
            "minimum_quantity",
            "displayed",
            "executed",  # set by replace: what the chain has traded before
            "reason",  # cancel: a CancelReason
        )
    ]
)

# One recorded request of the simulated market, as order flow files hold it.
FLOW = np.dtype(
    [
        ("time_ns", "<i8"),
        ("user_reference", "<u4"),
        ("existing_reference", "<u4"),
        ("price", "<u4"),
        ("quantity", "<u4"),
        ("instrument", "<u2"),
        ("action", "u1"),
        ("side", "u1"),
        ("time_in_force", "u1"),
        ("displayed", "u1"),
        ("reserved", "<u2"),
    ]
)

REPRICE = 10  # action: the exchange gives an order another price by itself
TAKE = 11  # action: some of a resting order was filled in a cross; who asks for it tells everybody
QUOTE = 9  # action: one participant's displayed quote on one side is now this; quantity 0 withdraws it

RESULT = np.dtype(
    [
        (name, "<i8")
        for name in (
            "kind",  # engine.messages.codes.ReportKind
            "owner",
            "user_reference",
            "previous_reference",  # user reference that a REPLACED order had
            "instrument",
            "side",
            "price",
            "quantity",  # accepted or replaced: open quantity; executed: filled; canceled: quantity taken off
            "leaves",
            "reference",
            "match_number",
            "liquidity",
            "reason",
            "time_in_force",
            "displayed",
            "time_ns",
            "prevented_quantity",  # canceled by self match prevention: shares that would have traded, and their price
            "prevented_price",
            "resting",  # 1: about an order in the book, 0: about an incoming one
        )
    ]
)


NO_RESULTS = np.zeros(0, RESULT)


def packed_name(name: str) -> int:
    """Eight ASCII characters, right padded with spaces, as the integer whose little-endian bytes they are."""
    return int.from_bytes(name.encode("ascii").ljust(8)[:8], "little")


class BookMemory:
    """Owner of one matching engine's memory. `address` is what every hot function takes."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        order_capacity: int = 65536,
        level_capacity: int = 16384,
        owner_count: int = 16,
        midnight_ns: int = 0,
        self_match: SelfMatch = SelfMatch.ALLOW,
        first_reference: int = 1,
    ) -> None:
        count = max(i.id for i in instruments)
        slots = 1 << (2 * order_capacity - 1).bit_length()
        self.book = touched(1, BOOK)
        self.instruments = touched(count + 1, INSTRUMENT)
        self.orders = touched(order_capacity + 1, ORDER)
        self.levels = touched(level_capacity + 1, LEVEL)
        self.slots = touched(slots, SLOT)
        self.owners = touched(owner_count + 1, OWNER)
        # One request can touch every resting order; a drained buffer always has room for that. So it has for a cross of
        # every instrument: two for each pair of orders, of which a quarter wait beside the book and are canceled.
        self.request = touched(1, REQUEST)
        self.results = touched(3 * order_capacity + 64, RESULT)
        self.messages = touched((2 * order_capacity + 4096) * LONGEST_MESSAGE, np.dtype("u1"))
        self._link(order_capacity, level_capacity)
        row = self.book[0]
        for name in ("instruments", "orders", "levels", "slots", "owners", "results", "messages"):
            row[name] = address_of(getattr(self, name))
        row["instrument_count"], row["order_capacity"], row["level_capacity"] = count, order_capacity, level_capacity
        row["slot_mask"], row["owner_count"] = slots - 1, owner_count
        row["result_capacity"], row["message_capacity"] = len(self.results), len(self.messages)
        row["free_order"], row["free_level"] = 1, 1
        row["next_reference"], row["next_match"] = first_reference, 1
        row["midnight_ns"], row["self_match"] = midnight_ns, int(self_match)
        for instrument in instruments:
            entry = self.instruments[instrument.id]
            entry["name"] = packed_name(instrument.name)
            entry["tick_size"], entry["lot_size"] = instrument.tick_size, instrument.lot_size
        self.address = address_of(self.book)
        self._result_count, self._message_count = self.book["result_count"], self.book["message_count"]
        self._message_length = self.book["message_length"]  # columns: a look at one is a third of one at the row

    def _link(self, order_capacity: int, level_capacity: int) -> None:
        self.orders["later"][1:order_capacity] = np.arange(2, order_capacity + 1)
        self.levels["worse"][1:level_capacity] = np.arange(2, level_capacity + 1)

    def take_results(self) -> np.ndarray[Any, Any]:
        """Copy of the results since the last call, and room for new ones."""
        count = self._result_count.item(0)
        if not count:
            return NO_RESULTS
        self.book[0]["result_count"] = 0
        return self.results[:count].copy()

    def add_result(self) -> np.void:
        """An empty row behind the results that no matching caused. OSError when results are not taken."""
        number = self._result_count.item(0)
        if number >= len(self.results):
            raise OSError("no room for another result: nobody takes what the venue has to tell")
        self.book[0]["result_count"] = number + 1
        self.results[number] = np.zeros((), RESULT)
        return self.results[number]

    def publish(self, message: bytes) -> None:
        """Append a message that no matching caused. OSError when what was published is not taken."""
        row = self.book[0]
        at, block = int(row["message_length"]), len(message).to_bytes(2, "big") + message
        if at + len(block) > len(self.messages):
            raise OSError("no room for another message: nobody takes what the venue publishes")
        self.messages[at : at + len(block)] = np.frombuffer(block, np.uint8)
        row["message_count"], row["message_length"] = int(row["message_count"]) + 1, at + len(block)

    def take_messages(self) -> tuple[int, bytes]:
        """(count, message blocks) published since the last call, and room for new ones."""
        taken = int(self._message_count.item(0)), self.messages[: self._message_length.item(0)].tobytes()
        self._message_count[0] = self._message_length[0] = 0
        return taken
