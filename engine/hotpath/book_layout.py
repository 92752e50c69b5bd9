"""Memory of the order-by-order books of many listings, all of it taken at start.

A listing is one instrument on one venue, by a dense index from 0. `listing_side` is listing * 2 + (0 buy, 1 sell).
Prices are in 1/10,000 of the currency. Each listing has a ladder: a window of ticks, each with one level a side, and a
bitmap of the levels in use. In bitmaps bids are mirrored, so that on both sides the best level has the lowest rank.
A level off the tick or outside the window lives in the spill, a skip list a side sorted from best to worst.
Index 0 of orders, spilled levels and own orders means none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.native import address_of, fix_fields, touched

# Outcomes of an operation. Counted by the caller, never fatal.
APPLIED = 0
UNKNOWN_ORDER = 1
FULL = 2
BAD_VALUE = 3
DUPLICATE = 4

BUY, SELL = 1, 2  # engine.messages.codes.Side, as plain integers for compiled code
HIGHEST_PRICE = 0x7FFFFFFE
HIGHEST_QUANTITY = 0x7FFFFFFF
HIGHEST_REFERENCE = (1 << 56) - 1
LOCATES = 65536  # ITCH stock locates of one venue

NOWHERE = 1 << 40  # above every price: a window that holds nothing
INVERSE_SHIFT = 48  # slot = (price - base) * inverse >> INVERSE_SHIFT, exact inside the window

BOOK = np.dtype(
    [
        (name, "<i8")
        for name in (
            # addresses
            "listings",
            "tops",
            "bitmaps",
            "levels",
            "heads",
            "orders",
            "spill",
            "path",
            "own",
            "pending",
            "departures",
            "locates",
            "counts",
            "batch",
            # sizes
            "listing_count",
            "order_capacity",
            "head_bits",  # the index has 1 << head_bits buckets
            "fold_2",
            "fold_3",
            "window",
            "words",
            "spill_capacity",
            "own_capacity",
            "queues",  # 1: arrival order is kept, so that quantity ahead is known
            # state
            "live_orders",
            "used_orders",  # rows ever used
            "free_order",
            "live_spill",
            "used_spill",
            "free_spill",
            "live_own",
            "used_own",
            "free_own",
            "pending_own",  # how many own orders wait for their add
            "arrived",  # orders that ever joined: the arrival number of the last one
            "departed",  # departures ever noted
            "recentred",
            # what the last applied operation touched
            "listing",
            "side",
            "price",
            "quantity",
            "top_changed",
            # the blocks that were gathered last
            "gathered_end",  # address after the last of them
            "gathered_shortest",  # bytes of the shortest message
        )
    ]
)
BOOK_NAMES = BOOK.names or ()
fix_fields(BOOK, BOOK_NAMES[: BOOK_NAMES.index("live_orders")])

# One cache line: the ladder's place, then SIDE of the bids and SIDE of the asks.
LISTING = np.dtype(
    [
        ("lowest", "<i8"),  # price of slot 0; NOWHERE until the first order comes
        ("inverse", "<i8"),
        ("tick_size", "<i8"),
        ("tracked", "<i4"),  # first own order
        ("reserved", "<i4"),
        ("sides", "<i8", (4,)),
    ]
)
SIDES_OFFSET = LISTING.itemsize - 32
SIDE = np.dtype([("used_words", "<i8"), ("best", "<i4"), ("spilled", "<i4")])  # best: rank, `window` when none

TOP = np.dtype([("bid", "<i8"), ("bid_quantity", "<i8"), ("ask", "<i8"), ("ask_quantity", "<i8")])
QUOTE = np.dtype([("price", "<i8"), ("quantity", "<i8")])  # one side of TOP; quantity 0: empty

LEVEL = np.dtype([("quantity", "<i8"), ("orders", "<i8")])

SPILL_HEIGHT = 8
SPILL = np.dtype(
    [
        ("quantity", "<i8"),
        ("orders", "<i8"),
        ("price", "<i4"),
        ("height", "<i4"),
        ("reserved", "<i8"),
        ("following", "<i4", (SPILL_HEIGHT,)),
    ]
)
FOLLOWING_OFFSET = SPILL.itemsize - 4 * SPILL_HEIGHT

ORDER = np.dtype(
    [
        ("key", "<i8"),  # venue << 56 | reference
        ("price", "<i4"),
        ("quantity", "<i4"),  # 0: the row is free
        ("listing_side", "<i4"),
        ("chain", "<i4"),  # next in the same bucket of the index, or next free row
        ("arrival", "<u4"),  # with queues: its number among all that joined
        ("ahead", "<u4"),  # with queues: quantity of its level when it joined, at most AHEAD_UNKNOWN
    ]
)

OWN = np.dtype(
    [
        (name, "<i8")
        for name in ("key", "quantity_ahead", "arrival", "price", "listing_side", "order", "following", "reserved")
    ]
)

AHEAD_UNKNOWN = 0xFFFFFFFF  # more than the field can say
LAST_ARRIVAL = 0xFFFFFFFF  # no order joins after it

# What left a level lately: an order that is tracked a moment after it joined learns from it what has gone ahead of it.
DEPARTURE = np.dtype(
    [
        ("listing_side", "<i4"),
        ("price", "<i4"),
        ("quantity", "<u4"),
        ("arrival", "<u4"),  # of the order that left or shrank
        ("arrived", "<u4"),  # orders that had joined by then
        ("reserved", "<u4"),
    ]
)
DEPARTURES = 1024

PENDING_BITS = 12
PENDING_BUCKETS = 1 << PENDING_BITS

# One message of a batch, while the memory that it needs is on its way.
BATCHED = np.dtype([(name, "<i8") for name in ("message", "length", "bucket", "listing", "row")])
MOST_BATCHED = 32

LISTING_SIZE, SIDE_SIZE, LEVEL_SIZE, ORDER_SIZE = (kind.itemsize for kind in (LISTING, SIDE, LEVEL, ORDER))
TOP_SIZE, QUOTE_SIZE, SPILL_SIZE = (kind.itemsize for kind in (TOP, QUOTE, SPILL))

OUTCOMES = 16  # columns of the table of counts: message type x outcome


class BookMemory:
    """Owner of the books' memory. `address` is what every hot function takes; `tops` is one TOP a listing."""

    def __init__(
        self,
        tick_sizes: Sequence[int],
        order_capacity: int,
        *,
        venues: int = 8,
        window: int = 1024,
        spill_capacity: int = 0,
        own_capacity: int = 4096,
        queues: bool = True,
    ) -> None:
        """`tick_sizes` of the listings, in price units; `window` in ticks, a power of two from 64 to 4096."""
        _check(tick_sizes, order_capacity, window)
        count = len(tick_sizes)
        bits = max(16, (2 * order_capacity - 1).bit_length())
        spill_capacity = spill_capacity or max(4096, order_capacity // 2)
        self.book = touched(1, BOOK)
        self.listings = touched(count, LISTING)
        self.tops = touched(count, TOP)
        self.bitmaps = touched(count * 2 * (window // 64), np.dtype("<i8"))
        self.levels = touched(count * window * 2, LEVEL)
        self.heads = touched(1 << bits, np.dtype("<i4"))
        self.orders = touched(order_capacity + 1, ORDER)
        self.spill = touched(2 * count + spill_capacity + 1, SPILL)  # 1 and on: the head of each listing_side
        self.path = touched(SPILL_HEIGHT, np.dtype("<i8"))
        self.own = touched(own_capacity + 1, OWN)
        self.pending = touched(PENDING_BUCKETS, np.dtype("<i8"))
        self.departures = touched(DEPARTURES, DEPARTURE)
        self.locates = touched((venues + 1) * LOCATES, np.dtype("<i4"))
        self.batch = touched(MOST_BATCHED, BATCHED)
        self.counts = touched(256 * OUTCOMES, np.dtype("<i8"))
        row = self.book[0]
        for name in (
            "listings", "tops", "bitmaps", "levels", "heads", "orders", "spill", "path", "own", "pending", "departures",
            "locates", "counts", "batch",
        ):  # fmt: skip
            row[name] = address_of(getattr(self, name))
        row["listing_count"], row["order_capacity"] = count, order_capacity
        row["head_bits"], row["fold_2"], row["fold_3"] = bits, min(2 * bits, 63), min(3 * bits, 63)
        row["window"], row["words"], row["queues"] = window, window // 64, int(queues)
        row["spill_capacity"], row["own_capacity"], row["used_spill"] = spill_capacity, own_capacity, 2 * count
        self.listings["lowest"], self.listings["tick_size"] = NOWHERE, tick_sizes
        self.listings["inverse"] = [(1 << INVERSE_SHIFT) // tick + 1 for tick in tick_sizes]
        sides = np.zeros((count, 2), SIDE)
        sides["best"] = window
        self.listings["sides"] = sides.view("<i8").reshape(count, 4)
        self.address = address_of(self.book)

    def map_locate(self, venue: int, locate: int, listing: int) -> None:
        """Messages of `venue` with this stock locate are about `listing`; other locates are not followed."""
        self.locates[venue * LOCATES + locate] = listing + 1

    def counts_by_type(self) -> dict[str, dict[str, int]]:
        """Messages that `apply_itch` has seen: type letter -> outcome name -> count."""
        from engine.hotpath.itch_book import OUTCOME_NAMES

        table = self.counts.reshape(256, OUTCOMES)
        return {
            chr(kind): {OUTCOME_NAMES[o]: int(n) for o, n in enumerate(table[kind]) if n}
            for kind in np.flatnonzero(table.any(axis=1)).tolist()
        }


def _check(tick_sizes: Sequence[int], order_capacity: int, window: int) -> None:
    if window not in (64, 128, 256, 512, 1024, 2048, 4096):
        raise ValueError(f"window is {window}; it must be a power of two from 64 to 4096")
    if not 1 <= order_capacity < 1 << 30:
        raise ValueError(f"order_capacity is {order_capacity}; it must be from 1 to {(1 << 30) - 1}")
    for tick in tick_sizes:
        if tick < 1 or tick * tick * window >= 1 << INVERSE_SHIFT:
            raise ValueError(f"tick size {tick} with a window of {window} ticks is out of bounds")
