"""A venue's drop copy: every execution of every client once more, on a SoupBinTCP port of its own that takes no orders.

The messages are OUCH 5.0's Order Executed, Broken Trade and Trade Correction, whatever the orders came in; the user
reference is the number of the order as its client gave it (of a ClOrdID that is a number, that number).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.messages.codes import ReportKind
from engine.protocols.ouch50 import encode_outbound
from engine.simulator.order_server import OrderServer
from engine.simulator.ouch_account import liquidity_of

LARGEST_REFERENCE = (1 << 32) - 1


class DropCopy:
    """`sequenced` holds every message, number 1 first. `users` are names and passwords of who may listen."""

    def __init__(self, users: dict[str, str], midnight_ns: int) -> None:
        self.users, self._midnight_ns = users, midnight_ns
        self.sequenced: list[bytes] = []
        self._fills: dict[int, list[int]] = {}

    def report(self, result: np.void) -> None:
        """A result of the matching; only executions are told."""
        reference = int(result["user_reference"])
        if result["kind"] != ReportKind.EXECUTED or reference > LARGEST_REFERENCE:
            return
        match_number = int(result["match_number"])
        self._fills.setdefault(match_number, []).append(reference)
        self._say(
            "executed",
            int(result["time_ns"]),
            {"user_reference": reference, "quantity": int(result["quantity"]), "price": int(result["price"]),
             "liquidity": liquidity_of(result), "match_number": match_number},
        )  # fmt: skip

    def broken(self, match_number: int, reason: str, time_ns: int) -> None:
        """A trade did not happen."""
        for reference in self._fills.pop(match_number, []):
            told = {"user_reference": reference, "match_number": match_number, "reason": reason, "client_order_id": ""}
            self._say("broken_trade", time_ns, told)

    def _say(self, name: str, time_ns: int, values: dict[str, Any]) -> None:
        self.sequenced.append(encode_outbound(name, None, timestamp_ns=max(0, time_ns - self._midnight_ns), **values))


class DropCopyServer(OrderServer):
    """Sends the drop copy of its venue to whoever logs in; what clients send is not looked at."""

    def _log_in(self, user: str, password: str) -> Any:
        copy = self.venue.drop_copy
        return copy if copy is not None and user in copy.users and copy.users[user] == password else None
