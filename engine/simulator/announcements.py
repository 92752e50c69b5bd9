"""What a venue announces beside its book: system events, trading states, restrictions. Published, and kept while in
force, so that a snapshot can tell it again."""

from __future__ import annotations

from typing import Any

from engine.protocols.itch50 import encode
from engine.simulator.layout import BookMemory

# Announcements that whoever joins late has to know; executions and broken trades are not among them.
KEPT = frozenset(
    {
        "system_event",
        "stock_directory",
        "trading_action",
        "operational_halt",
        "reg_sho_restriction",
        "luld_auction_collar",
        "ipo_quoting_period",
        "mwcb_decline_level",
        "mwcb_status",
        "net_order_imbalance",
        "cross_trade",
        "retail_price_improvement",
    }
)
ENDED_BY_TRADING = ("luld_auction_collar", "ipo_quoting_period")


class Announcements:
    """Of one venue. Times are UTC nanoseconds."""

    def __init__(self, memory: BookMemory) -> None:
        self._memory = memory
        self._kept: dict[tuple[str, int], bytes] = {}

    def make(self, name: str, time_ns: int, locate: int = 0, **values: Any) -> bytes:
        """One message with its header, kept when it is of a kind that lasts."""
        day_ns = max(0, time_ns - int(self._memory.book[0]["midnight_ns"]))
        message = encode(name, stock_locate=locate, tracking_number=0, timestamp_ns=day_ns, **values)
        if name in KEPT:
            self._kept.pop((name, locate), None)
            self._kept[name, locate] = message
        if name == "trading_action" and values["trading_state"] == "T":
            for ended in ENDED_BY_TRADING:
                self._kept.pop((ended, locate), None)
        return message

    def publish(self, name: str, time_ns: int, locate: int = 0, **values: Any) -> None:
        """Make a message and put it behind what the book has published."""
        self._memory.publish(self.make(name, time_ns, locate, **values))

    def in_force(self) -> list[bytes]:
        """Every kept message, in the order in which they were said last."""
        return list(self._kept.values())
