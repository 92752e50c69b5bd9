"""The CSV of the book door: one row after every event, `sequence,time_ns` and then the best levels of both sides."""

from __future__ import annotations

from typing import Any, TextIO

import numpy as np

from engine.hotpath.book_depth import DEPTH, read_levels
from engine.hotpath.book_layout import BookMemory
from engine.messages.prices import fixed_text
from engine.native import address_of


def header(levels: int) -> str:
    """Names of the columns."""
    names = ["sequence", "time_ns"]
    for k in range(1, levels + 1):
        names += [f"bid_price_{k}", f"bid_quantity_{k}", f"ask_price_{k}", f"ask_quantity_{k}"]
    return ",".join(names)


class BookRows:
    """Writes rows of one listing; without a `target` it only counts them."""

    def __init__(
        self,
        memory: BookMemory,
        listing: int,
        levels: int,
        target: TextIO | None,
        price_decimals: int = 4,
        quantity_decimals: int = 0,
    ) -> None:
        self.book, self.listing, self.levels, self.target = memory.address, listing, levels, target
        self._price_decimals, self._quantity_decimals = price_decimals, quantity_decimals
        self.count = self.crossed = self.locked = 0
        self._top = memory.tops[listing : listing + 1]
        self._sides: list[np.ndarray[Any, Any]] = [np.zeros(levels, DEPTH), np.zeros(levels, DEPTH)]
        self._addresses = [address_of(rows) for rows in self._sides]
        if target:
            target.write(header(levels) + "\n")

    def add(self, sequence: int, time_ns: int) -> None:
        """The book as it stands after event `sequence`."""
        self.count += 1
        bid, bid_quantity, ask, ask_quantity = self._top[0].tolist()
        if bid_quantity and ask_quantity:
            self.crossed += bid > ask
            self.locked += bid == ask
        if self.target:
            cells = [""] * (4 * self.levels)
            for side in (0, 1):
                found = read_levels(self.book, self.listing * 2 + side, self.levels, self._addresses[side])
                for k, (price, quantity, _) in enumerate(self._sides[side][:found].tolist()):
                    cells[4 * k + 2 * side] = fixed_text(price, self._price_decimals)
                    cells[4 * k + 2 * side + 1] = fixed_text(quantity, self._quantity_decimals)
            self.target.write(f"{sequence},{time_ns},{','.join(cells)}\n")
