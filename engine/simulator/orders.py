"""The cold door to a book: requests as keyword arguments, names of instruments, mass cancels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.messages.codes import OrderAction, TimeInForce
from engine.messages.instruments import Instrument
from engine.native import address_of
from engine.simulator.cross_orders import CROSSES, CrossOrders
from engine.simulator.layout import OWNER_SHIFT, REQUEST, BookMemory, Refusal
from engine.simulator.matching import cancel_owned, set_entry
from engine.simulator.order_table import find_order, order_key
from engine.simulator.refusals import refusal
from engine.simulator.requests import apply

LARGEST_NUMBER = (1 << OWNER_SHIFT) - 1
LARGEST = 1 << 62  # wire fields are unsigned 64 bit; anything this large is refused anyway


class OrderDesk:
    """Requests to one book, and to the orders that wait for its crosses."""

    has_crosses = True

    def __init__(self, memory: BookMemory, instruments: Sequence[Instrument]) -> None:
        self.memory = memory
        self.crosses = CrossOrders(memory)
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
        return self.memory.orders[index].copy() if index else self.crosses.row(owner, user_reference)

    def request(self, **fields: int) -> int:
        """Carry out one request; fields as in REQUEST, absent ones 0. Returns 0 or a `Refusal`."""
        if self.crosses.takes(fields):
            return self._request_cross(fields)
        for name in REQUEST.names or ():
            self._request[name] = min(fields.get(name, 0), LARGEST)
        return int(apply(self.memory.address, self._request_address))

    def _request_cross(self, fields: dict[str, int]) -> int:
        """A request about an order that is for a cross."""
        time_ns = self._clock(fields.get("time_ns", 0))
        action = fields["action"]
        if action == OrderAction.CANCEL:
            return self.crosses.reduce(fields, time_ns)
        if action == OrderAction.REPLACE:
            terms = self.crosses.terms_of_replacement(fields)
            return self.crosses.replace(terms, self.refusal(**terms), time_ns)
        return self.crosses.enter(fields, self.refusal(**fields), time_ns)

    def refusal(self, **fields: int) -> int:
        """Why the venue would not take such an order now, 0 when it would. Nothing happens."""
        cross = fields.get("time_in_force", 0)
        if cross in CROSSES and self.has_crosses:
            if late := self.crosses.late(fields.get("instrument", 0), cross):
                return late
            if fields.get("minimum_quantity"):
                return int(Refusal.INVALID_MINIMUM_QUANTITY)
            fields["time_in_force"] = int(TimeInForce.IOC)  # like those it may be a market order and does not rest
        for name in REQUEST.names or ():
            self._request[name] = min(fields.get(name, 0), LARGEST)
        return int(refusal(self.memory.address, self._request_address))

    def cancel_owned(self, owner: int, instrument: int, reason: int, time_ns: int) -> int:
        """Cancel every open order of an owner, of one instrument when not 0. Returns how many."""
        time_ns = self._clock(time_ns)
        waiting = self.crosses.withdraw_owned(owner, instrument, reason, time_ns)
        return waiting + int(cancel_owned(self.memory.address, owner, instrument, int(reason), time_ns))

    def set_entry(self, owner: int, *, disabled: bool) -> None:
        """Disable or enable order entry."""
        set_entry(self.memory.address, owner, int(disabled))

    def _clock(self, time_ns: int) -> int:
        row = self.memory.book[0]
        row["clock_ns"] = max(int(row["clock_ns"]), time_ns)
        return int(row["clock_ns"])
