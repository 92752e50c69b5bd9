"""The market of a recording as series: the best bid and ask of each instrument over all venues, and every print.

What the engine saw when it decided is found by recording position, later markets by the engine's clock; the market just
before a fill by the venue's own clock, among that venue's events. Clocks of different venues are never compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.history.recorded_market import PRINT_ROW, TAPE, TOP_ROW, walk_recording
from engine.hotpath.book import clear_venue
from engine.hotpath.book_layout import BookMemory
from engine.messages.codes import FeedEventKind
from engine.messages.instruments import Instrument
from engine.native import address_of, touched

BOOK_ORDERS = 1 << 18
ROWS = 1 << 16
EVERYTHING = (1 << 62) - 1
JOINING = EVERYTHING
NAME_BYTES = 8
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class FeedChange:
    """A journalled feed event that the books follow: after `position` packets."""

    position: int
    venue: int
    kind: FeedEventKind
    received: int


class Tape:
    """Walks a recording; the arrays `tops` (TOP_ROW) and `prints` (PRINT_ROW) grow with it."""

    def __init__(
        self, instruments: list[Instrument], venue_count: int, wanted: Iterable[int], *, rows: int = ROWS
    ) -> None:
        """`wanted`: ids of the instruments whose tops and prints are kept."""
        count = max(row.id for row in instruments)
        self.width = count + 1
        ticks = [1] * self.width
        self._symbols = touched(self.width, np.dtype("<i8"))
        for row in instruments:
            ticks[row.id] = row.tick_size
            self._symbols[row.id] = int.from_bytes(row.name.encode().ljust(NAME_BYTES), "little")
        self.book = BookMemory(ticks * venue_count, BOOK_ORDERS, venues=venue_count, queues=False)
        listings = self.width * venue_count
        self._wanted = touched(listings, np.dtype("<i8"))
        for venue in range(1, venue_count + 1):
            for row in instruments:
                self.book.map_locate(venue, row.id, (venue - 1) * self.width + row.id)
            self._wanted[[(venue - 1) * self.width + at for at in wanted]] = 1
        self._last_rows = touched(listings, np.dtype("<i8"))
        self.expected = touched(256, np.dtype("<i8"))
        self.expected[:] = 1
        self._tape = touched(1, TAPE)
        self._row = self._tape[0]
        self._row["instrument_count"] = count
        for name, array in (
            ("wanted", self._wanted),
            ("last_rows", self._last_rows),
            ("expected", self.expected),
            ("symbols", self._symbols),
        ):
            self._row[name] = address_of(array)
        self._tops, self._prints = touched(rows, TOP_ROW), touched(rows, PRINT_ROW)
        self._place_tables()

    @property
    def tops(self) -> Array:
        return self._tops[: int(self._row["top_count"])]

    @property
    def prints(self) -> Array:
        """Prints that stand."""
        kept = self._prints[: int(self._row["print_count"])]
        return kept[kept["broken"] == 0]

    def walk(self, spans: Iterable[Array], changes: list[FeedChange]) -> None:
        """The whole recording. `spans`: whole packets back to back; `changes` in order."""
        waiting = list(changes)
        for span in spans:
            at = int(span.ctypes.data)
            end = at + len(span)
            while at < end:
                limit = waiting[0].position if waiting else EVERYTHING
                at = self._advance(at, end, limit)
                if at < end and waiting:
                    self._follow(waiting.pop(0))

    def _advance(self, at: int, end: int, last_position: int) -> int:
        while True:
            at = int(walk_recording(self.book.address, address_of(self._tape), at, end, last_position))
            if not self._row["full"]:
                return at
            self._tops, self._prints = _doubled(self._tops), _doubled(self._prints)
            self._place_tables()

    def _follow(self, change: FeedChange) -> None:
        if change.kind in (FeedEventKind.NEW_SESSION, FeedEventKind.SNAPSHOT_BEGUN):
            clear_venue(self.book.address, change.venue)
            self.expected[change.venue] = 1 if change.kind == FeedEventKind.NEW_SESSION else JOINING
        elif change.kind == FeedEventKind.SNAPSHOT_JOINED:
            self.expected[change.venue] = change.received

    def _place_tables(self) -> None:
        self._row["tops"], self._row["top_capacity"] = address_of(self._tops), len(self._tops)
        self._row["prints"], self._row["print_capacity"] = address_of(self._prints), len(self._prints)


def _doubled(table: Array) -> Array:
    larger = touched(2 * len(table), table.dtype)
    larger[: len(table)] = table
    return larger


@dataclass(frozen=True)
class Series:
    """One instrument over all venues, a row for each event that changed a top, in the order of the recording.

    `middles`: best bid plus best ask after it; `spreads`: their distance, 0 where they cross. While a side is missing
    everywhere the middle before holds. Times are the engine's: when packets were received.
    """

    times: Array
    positions: Array
    middles: Array
    spreads: Array
    events: dict[int, tuple[Array, Array]]  # by venue: its event times, and the rows
    print_times: Array
    volumes: Array  # running sums, from 0
    values: Array

    def seen_at(self, positions: Array) -> Array:
        """The middle after so many packets, 0 before there was one."""
        return _at(self.middles, np.searchsorted(self.positions, positions, "right"))

    def at(self, times: Array) -> Array:
        """The middle that holds at each time; 0 before there was one."""
        return _at(self.middles, np.searchsorted(self.times, times, "right"))

    def after(self, times: Array) -> Array:
        """The same, and 0 where the recording does not reach."""
        return np.where(times <= (self.times[-1] if len(self.times) else 0), self.at(times), 0)

    def before_fills(self, venues: Array, events: Array, reported: Array) -> tuple[Array, Array, Array]:
        """Middle and spread just before each fill, 0 before there were any, and when it was, on the engine's clock.

        `events`: the venue's time of the fill; `reported`: when we heard of it. The fill's own trace in the venue's
        feed, and whatever came later, is after it; so is everything that came after the report.
        """
        rows = np.searchsorted(self.times, reported, "right")
        moments = reported.copy()
        for venue, (times, places) in self.events.items():
            own = np.flatnonzero(venues == venue)
            found = np.searchsorted(times, events[own], "left")
            own, found = own[found < len(times)], found[found < len(times)]
            earlier = places[found] < rows[own]
            own, first = own[earlier], places[found][earlier]
            rows[own], moments[own] = first, self.times[first]
        return _at(self.middles, rows), _at(self.spreads, rows), moments

    def traded(self, start_ns: Array, end_ns: Array) -> tuple[Array, Array]:
        """Volume and price x quantity of the prints from one time to another, both included."""
        first = np.searchsorted(self.print_times, start_ns, "left")
        last = np.maximum(first, np.searchsorted(self.print_times, end_ns, "right"))
        return self.volumes[last] - self.volumes[first], self.values[last] - self.values[first]


def _at(values: Array, rows: Array) -> Array:
    """The value before each row; 0 for row 0."""
    if not len(values):
        return np.zeros(len(rows), np.int64)
    return np.where(rows > 0, values[np.maximum(rows, 1) - 1], 0)


def series_of(tape: Tape, instrument: int) -> Series:
    """The series of one instrument, of every venue of the tape."""
    tops = tape.tops[tape.tops["listing"] % tape.width == instrument]
    middles, spreads = _best(tops)
    events = {}
    for listing in np.unique(tops["listing"]).tolist():
        rows = np.flatnonzero(tops["listing"] == listing)
        events[listing // tape.width + 1] = (np.maximum.accumulate(tops["event_ns"][rows]), rows)
    prints = tape.prints[tape.prints["listing"] % tape.width == instrument]
    volumes = np.concatenate([[0], np.cumsum(prints["quantity"])]).astype(np.int64)
    values = np.concatenate([[0], np.cumsum(prints["quantity"] * prints["price"])]).astype(np.int64)
    times = np.maximum.accumulate(tops["time_ns"]) if len(tops) else np.zeros(0, np.int64)
    return Series(times, tops["position"].copy(), middles, spreads, events, prints["time_ns"].copy(), volumes, values)


def _best(rows: Array) -> tuple[Array, Array]:
    """Middles and spreads of the best bid and ask over venues after each row; those before, while a side is missing."""
    bids = np.zeros(len(rows), np.int64)
    asks = np.full(len(rows), EVERYTHING, np.int64)
    for listing in np.unique(rows["listing"]).tolist():
        last = _last(rows["listing"] == listing)
        known = rows[np.maximum(last, 0)]
        bid = np.where((last >= 0) & (known["bid_quantity"] > 0), known["bid"], 0)
        ask = np.where((last >= 0) & (known["ask_quantity"] > 0), known["ask"], EVERYTHING)
        bids, asks = np.maximum(bids, bid), np.minimum(asks, ask)
    whole = _last((bids > 0) & (asks < EVERYTHING))
    place = np.maximum(whole, 0)
    middles = np.where(whole >= 0, bids[place] + asks[place], 0)
    return middles, np.where(whole >= 0, np.maximum(asks[place] - bids[place], 0), 0)


def _last(chosen: Array) -> Array:
    """The newest chosen row up to each row, -1 before the first."""
    made: Array = np.maximum.accumulate(np.where(chosen, np.arange(len(chosen)), -1))
    return made
