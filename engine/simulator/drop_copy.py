"""A venue's drop copy: every execution of every client once more, on a SoupBinTCP port of its own that takes no orders.

The messages are OUCH 5.0's Order Executed, Broken Trade and Trade Correction, whatever the orders came in; the user
reference is the number of the order as its client gave it (of a ClOrdID that is a number, that number).
"""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from engine.messages.codes import ReportKind
from engine.protocols.ouch50 import encode_outbound
from engine.simulator.order_server import OrderServer
from engine.simulator.ouch_account import liquidity_of

LARGEST_REFERENCE = (1 << 32) - 1
FIRST_INVENTED = 1 << 62  # match numbers of what the operator makes up


class DropCopy:
    """`sequenced` holds every message, number 1 first. `users` are names and passwords of who may listen."""

    def __init__(self, users: dict[str, str], midnight_ns: int) -> None:
        self.users, self._midnight_ns = users, midnight_ns
        self.sequenced: list[bytes] = []
        self._fills: dict[int, list[tuple[int, int, str]]] = {}  # by match number: reference, quantity, liquidity
        self._invented = count(FIRST_INVENTED)

    def report(self, result: np.void) -> None:
        """A result of the matching; only executions are told."""
        reference = int(result["user_reference"])
        if result["kind"] != ReportKind.EXECUTED or reference > LARGEST_REFERENCE:
            return
        fill = (reference, int(result["quantity"]), liquidity_of(result))
        self._executed(int(result["match_number"]), fill, int(result["price"]), int(result["time_ns"]))

    def invent(self, reference: int, quantity: int, price: int, time_ns: int) -> None:
        """An execution that never was, under a match number that no trade has."""
        self._executed(next(self._invented), (reference, quantity, "R"), price, time_ns)

    def _executed(self, match_number: int, fill: tuple[int, int, str], price: int, time_ns: int) -> None:
        self._fills.setdefault(match_number, []).append(fill)
        reference, quantity, liquidity = fill
        told: dict[str, Any] = {"user_reference": reference, "quantity": quantity, "price": price}
        self._say("executed", time_ns, told | {"liquidity": liquidity, "match_number": match_number})

    def tell_broken(self, match_number: int, reason: str, time_ns: int) -> None:
        """A trade did not happen."""
        for reference, _, _ in self._fills.pop(match_number, []):
            told = {"user_reference": reference, "match_number": match_number, "reason": reason, "client_order_id": ""}
            self._say("broken_trade", time_ns, told)

    def tell_corrected(self, match_number: int, price: int, time_ns: int) -> None:
        """A trade had another price."""
        for reference, quantity, liquidity in self._fills.get(match_number, []):
            told: dict[str, Any] = {"user_reference": reference, "quantity": quantity, "price": price}
            told |= {"liquidity": liquidity, "match_number": match_number, "reason": "N", "client_order_id": ""}
            self._say("trade_correction", time_ns, told)

    def _say(self, name: str, time_ns: int, values: dict[str, Any]) -> None:
        self.sequenced.append(encode_outbound(name, None, timestamp_ns=max(0, time_ns - self._midnight_ns), **values))


class DropCopyServer(OrderServer):
    """Sends the drop copy of its venue to whoever logs in; what clients send is not looked at."""

    def _log_in(self, user: str, password: str) -> Any:
        copy = self.venue.drop_copy
        return copy if copy is not None and user in copy.users and copy.users[user] == password else None
