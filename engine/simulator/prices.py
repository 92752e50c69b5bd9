"""Mid prices of a venue's books once a second: the table from which pairs are estimated."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from engine.simulator.venue import Venue

SECOND_NS = 1_000_000_000
PRICE_SCALE = 10_000


class PriceTable:
    """Call `advance` with the time of every packet; each second begun since gets a row of the books as they stood."""

    def __init__(self, venue: Venue, start_ns: int) -> None:
        self._memory, self._instruments = venue.memory, venue.instruments
        self._ids = np.array([instrument.id for instrument in venue.instruments])
        self._next_ns = start_ns + SECOND_NS
        self._last = np.full(len(self._ids), np.nan)
        self._times: list[int] = []
        self._rows: list[np.ndarray] = []

    def advance(self, time_ns: int) -> None:
        """Rows for the whole seconds that ended by `time_ns`."""
        while self._next_ns <= time_ns:
            self._last = self._mids()
            self._times.append(self._next_ns)
            self._rows.append(self._last)
            self._next_ns += SECOND_NS

    def _mids(self) -> np.ndarray:
        best = self._memory.instruments[self._ids]
        prices = self._memory.levels["price"]
        mids = (prices[best["best_bid"]] + prices[best["best_ask"]]) / (2 * PRICE_SCALE)
        return np.where((best["best_bid"] == 0) | (best["best_ask"] == 0), self._last, mids)

    def write(self, path: Path) -> int:
        """time (UTC) and one column per instrument; prices in currency. Returns the rows."""
        with path.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["time", *(instrument.name for instrument in self._instruments)])
            for time_ns, row in zip(self._times, self._rows, strict=True):
                stamp = datetime.fromtimestamp(time_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                table.writerow([stamp, *("" if np.isnan(mid) else f"{mid:.4f}" for mid in row)])
        return len(self._rows)
