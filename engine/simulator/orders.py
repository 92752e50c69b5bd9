"""The cold door to a book: requests as keyword arguments, names of instruments, mass cancels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.messages.instruments import Instrument
from engine.native import address_of
from engine.simulator.layout import OWNER_SHIFT, REQUEST, BookMemory
from engine.simulator.matching import cancel_owned, set_entry
from engine.simulator.order_table import find_order, order_key
from engine.simulator.refusals import refusal
from engine.simulator.requests import apply

LARGEST_NUMBER = (1 << OWNER_SHIFT) - 1
LARGEST = 1 << 62  # wire fields are unsigned 64 bit; anything this large is refused anyway


class OrderDesk:
    """Requests to one book."""

    def __init__(self, memory: BookMemory, instruments: Sequence[Instrument]) -> None:
        self.memory = memory
        self.held: set[int] = set()  # instruments whose cancels wait, as during a cross
        self._names = {i.id: i.name for i in instruments}
        self._ids = {i.name: i.id for i in instruments}
        self._request = memory.request[0]
        self._request_address = address_of(memory.request)

    def instrument_id(self, name: str) -> int:
        """Number of an instrument, 0 when it is not listed."""
        return self._ids.get(name.strip(), 0)

    def instrument_name(self, instrument: int) -> str:
        """Name of a listed instrument; a number nobody listed has an empty one."""
        return self._names.get(instrument, "")

    def resting(self, owner: int, user_reference: int) -> np.void | None:
        """The row of an order that rests (a copy), or None."""
        index = int(find_order(self.memory.address, order_key(owner, min(user_reference, LARGEST_NUMBER))))
        return self.memory.orders[index].copy() if index else None

    def request(self, **fields: int) -> int:
        """Carry out one request; fields as in REQUEST, absent ones 0. Returns 0 or a `Refusal`."""
        for name in REQUEST.names or ():
            self._request[name] = min(fields.get(name, 0), LARGEST)
        return int(apply(self.memory.address, self._request_address))

    def refusal(self, **fields: int) -> int:
        """Why the book would not take such an order now, 0 when it would. Nothing happens."""
        for name in REQUEST.names or ():
            self._request[name] = min(fields.get(name, 0), LARGEST)
        return int(refusal(self.memory.address, self._request_address))

    def cancel_owned(self, owner: int, instrument: int, reason: int, time_ns: int) -> int:
        """Cancel every open order of an owner, of one instrument when not 0. Returns how many."""
        return int(cancel_owned(self.memory.address, owner, instrument, int(reason), self._clock(time_ns)))

    def set_entry(self, owner: int, *, disabled: bool) -> None:
        """Disable or enable order entry."""
        set_entry(self.memory.address, owner, int(disabled))

    def _clock(self, time_ns: int) -> int:
        row = self.memory.book[0]
        row["clock_ns"] = max(int(row["clock_ns"]), time_ns)
        return int(row["clock_ns"])
