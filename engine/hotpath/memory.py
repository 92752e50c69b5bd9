"""Owner of the loop's memory: every table is allocated and touched here, once, and kept alive as long as the loop
runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.hotpath import tables
from engine.hotpath.book import BookMemory
from engine.hotpath.latency import STAMP, STAMP_ROWS
from engine.hotpath.router_delays import DELAYED, DELAYED_ROWS
from engine.hotpath.router_tables import CHILD, LEARNED, ROUTE_ROW, ROUTED, ROUTED_ROWS
from engine.hotpath.status_tables import MARKET, PRINT, PRINTS, STATUS
from engine.messages.codes import EngineState, Scope, SessionState, StampCause, StrategyState
from engine.messages.instruments import Instrument
from engine.native import address_of, touched
from engine.protocols.fix_fields import FIX_FIELDS

ORDER_CAPACITY = 1 << 16
BOOK_ORDERS = 1 << 18
UNSET = -1
TABLES = (
    "instruments", "venues", "lines", "accounts", "cells", "strategies", "legs", "subscription_starts",
    "subscription_legs", "orders", "requests", "context", "timespec", "packet", "pending", "pending_lengths",
    "touched", "touched_marks", "called", "polled", "stamps", "report", "fix_fields", "done_text", "marks",
    "statuses", "markets", "prints", "arrivals", "fills", "parents", "volumes", "asked", "learned", "routed",
    "route_child", "route_rows", "delayed", "delayed_rows",
)  # fmt: skip


class EngineMemory:
    """All tables of one engine. `address` is what hot functions take; attributes are the arrays, for the cold path.

    The cold path writes to them only between batches; other threads only read.
    """

    def __init__(
        self,
        instruments: list[Instrument],
        *,
        venue_count: int = 4,
        strategy_count: int = 512,
        order_capacity: int = ORDER_CAPACITY,
        book_orders: int = BOOK_ORDERS,
        window: int = 1024,
    ) -> None:
        """`instruments` by id; `strategy_count` rows, row 0 for manual orders; `order_capacity` a power of two."""
        if order_capacity & (order_capacity - 1) or not 1 <= venue_count < tables.VENUES:
            raise ValueError("order_capacity must be a power of two and venue_count below 9")
        count = max(row.id for row in instruments)
        width = count + 1
        self.width = width
        self.listing_count = venue_count * width
        tick_sizes = [1] * width
        for row in instruments:
            tick_sizes[row.id] = row.tick_size
        self.book = BookMemory(tick_sizes * venue_count, book_orders, venues=venue_count, window=window)
        self.core = touched(1, tables.ENGINE)
        self.instruments = touched(width, tables.INSTRUMENT)
        self.venues = touched(tables.VENUES, tables.VENUE)
        self.lines = touched(tables.VENUES * tables.LINES, tables.LINE)
        self.accounts = touched(tables.FIRST_STRATEGY_ACCOUNT + strategy_count, tables.ACCOUNT)
        self.cells = touched((tables.FIRST_STRATEGY_ACCOUNT + 1) * width, tables.CELL)
        self.strategies = touched(strategy_count, tables.STRATEGY)
        self.legs = touched(strategy_count * tables.LEGS_PER_STRATEGY, tables.LEG)
        self.subscription_starts = touched(self.listing_count + 1, np.dtype("<i8"))
        most_watched = strategy_count * tables.LEGS_PER_STRATEGY * (tables.VENUES - 1)
        self.subscription_legs = touched(most_watched, np.dtype("<i8"))
        self.orders = touched(order_capacity, tables.ORDER)
        self.fills = touched(order_capacity, tables.FILL)
        self.parents = touched(strategy_count, np.dtype("<i8"))
        self.asked = touched(tables.MOST_ASKED_PARENTS, tables.ASKED)
        self.volumes = touched(self.listing_count, np.dtype("<i8"))
        self.requests = touched(tables.MAX_REQUESTS, tables.REQUEST)
        self.context = touched(1, tables.CONTEXT)
        self.timespec = touched(2, np.dtype("<i8"))
        self.packet = touched(tables.PACKET_BYTES, np.dtype("u1"))
        slots = tables.VENUES * tables.PENDING_PACKETS
        self.pending = touched(slots * tables.PACKET_BYTES, np.dtype("u1"))
        self.pending_lengths = touched(slots, np.dtype("<i8"))
        self.touched = touched(self.listing_count, np.dtype("<i8"))
        self.touched_marks = touched(self.listing_count, np.dtype("<i8"))
        self.called = touched(strategy_count, np.dtype("<i8"))
        self.polled = touched(tables.VENUES * 4 + 1, tables.POLL)
        self.stamps = touched(STAMP_ROWS, STAMP)
        self.report = touched(128, np.dtype("u1"))
        self.fix_fields = touched(1, FIX_FIELDS)
        self.done_text = touched(64, np.dtype("u1"))
        self.marks = touched(width, np.dtype("<i8"))
        self.statuses = touched(self.listing_count, STATUS)
        self.markets = touched(tables.VENUES, MARKET)
        self.prints = touched(tables.VENUES * PRINTS, PRINT)
        self.arrivals = touched(tables.VENUES * tables.ARRIVALS, tables.ARRIVAL)
        self.learned = touched(self.listing_count, LEARNED)
        self.routed = touched(ROUTED_ROWS, ROUTED)
        self.route_child = touched(1, CHILD)
        self.route_rows = touched(tables.VENUES, ROUTE_ROW)
        self.delayed = touched(DELAYED_ROWS, DELAYED)
        self.delayed_rows = touched(DELAYED_ROWS, ROUTE_ROW)
        self.inbound = touched(tables.VENUES * tables.INBOUND_BYTES, np.dtype("u1"))
        self.outbound = touched(tables.VENUES * tables.OUTBOUND_BYTES, np.dtype("u1"))
        self.address = address_of(self.core)
        self.rows: dict[int, np.ndarray[Any, Any]] = {}  # the kinds' own records, by strategy row
        self._connect(venue_count, strategy_count, order_capacity, count)
        self._describe(instruments)

    def _connect(self, venue_count: int, strategy_count: int, order_capacity: int, instrument_count: int) -> None:
        core = self.core[0]
        for name in TABLES:
            core[name] = address_of(getattr(self, name))
        core["book"] = self.book.address
        core["tops"] = address_of(self.book.tops)
        core["instrument_count"] = instrument_count
        core["venue_count"] = venue_count
        core["listing_count"] = self.listing_count
        core["strategy_count"] = strategy_count
        core["order_mask"] = core["fill_mask"] = order_capacity - 1
        core["stamp_mask"] = STAMP_ROWS - 1
        core["state"] = EngineState.STARTING
        core["next_order_id"] = 1
        core["touched_stamp"] = 1
        core["cycles_per_us"] = 1000
        core["cause"] = StampCause.PACKET
        core["warm_fd"] = -1
        self.context["requests"] = address_of(self.requests)
        self.done_text[:5] = np.frombuffer(b"done ", np.uint8)

    def _describe(self, instruments: list[Instrument]) -> None:
        for row in instruments:
            symbol = int.from_bytes(row.name.encode().ljust(8), "little")
            self.instruments[row.id] = (symbol, row.tick_size, row.lot_size, row.multiplier, 0)
            for venue in range(1, int(self.core["venue_count"][0]) + 1):
                self.book.map_locate(venue, row.id, (venue - 1) * self.width + row.id)
        for venue in range(tables.VENUES):
            line = self.venues[venue]
            line["session"] = SessionState.DOWN
            line["fd"] = -1
            line["priced_by"] = venue
            line["feed_fds"] = -1
            line["expected"] = 1
            line["next_inbound"] = 1
            line["inbound"] = address_of(self.inbound) + venue * tables.INBOUND_BYTES
            line["outbound"] = address_of(self.outbound) + venue * tables.OUTBOUND_BYTES
        for name in (
            "order_quantity",
            "order_value",
            "collar_basis_points",
            "position",
            "orders_per_second",
            "daily_loss",
        ):
            self.accounts[name] = UNSET
        self.accounts[tables.FIRM_ACCOUNT]["scope"] = Scope.FIRM
        self.accounts[tables.FIRST_STRATEGY_ACCOUNT]["scope"] = Scope.STRATEGY
        self.strategies[0]["account"] = tables.FIRST_STRATEGY_ACCOUNT
        self.strategies["account"] = np.arange(len(self.strategies)) + tables.FIRST_STRATEGY_ACCOUNT

    def listing(self, venue: int, instrument: int) -> int:
        """Dense index of an instrument on a venue."""
        return (venue - 1) * self.width + instrument

    def _seen_elsewhere(self, running: list[int]) -> list[tuple[int, int]]:
        """Legs that look at the books of all venues of their parent order, and the listings beside their own."""
        found = []
        for row in running:
            if not self.strategies["parent"][row] or not (state := self.rows[row][0])["anywhere"]:
                continue
            for at in range(int(state["leg_count"])):
                index = row * tables.LEGS_PER_STRATEGY + at
                leg = self.legs[index]
                if int(state["anywhere"]) >> at & 1:
                    venues = [v for v in range(1, tables.VENUES) if int(state["venues"]) >> (v - 1) & 1]
                    seen = [self.listing(venue, int(leg["instrument"])) for venue in venues if venue != leg["watched"]]
                    found += [(index, listing) for listing in seen]
        return found

    def subscribe(self) -> None:
        """Rebuild the table of who watches which listing, from the legs of every running strategy, by row."""
        running = np.flatnonzero(self.strategies["state"] == StrategyState.RUNNING)
        leg_of = np.arange(tables.LEGS_PER_STRATEGY)
        used = leg_of < self.strategies["leg_count"][running][:, None]
        legs = (running[:, None] * tables.LEGS_PER_STRATEGY + leg_of)[used]
        listings = self.legs["listing"][legs]
        if wide := self._seen_elsewhere(running.tolist()):
            more = np.array(wide)
            legs, listings = np.concatenate([legs, more[:, 0]]), np.concatenate([listings, more[:, 1]])
        order = np.argsort(listings, kind="stable")
        self.subscription_legs[: len(legs)] = legs[order]
        self.subscription_starts[:] = np.searchsorted(listings[order], np.arange(self.listing_count + 1))
