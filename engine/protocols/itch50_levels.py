"""Books that come level by level, as ITCH 5.0 messages of one order a level, so that they take the way of every feed.

A level is one order without an owner; one that holds more than an order can is several. Its reference follows from
instrument, side and price, so nothing has to be remembered but what was published. Quantity ahead is not known
at such a venue: a level that grows joins the end of its own queue.
"""

from __future__ import annotations

from engine.messages.codes import Side
from engine.protocols.itch50 import encode

HIGHEST_PRICE = (1 << 31) - 2
LARGEST_PART = (1 << 31) - 1
MOST_PARTS = 256
_LETTERS = {Side.BUY: "B", Side.SELL: "S"}


def reference_of(locate: int, side: Side, price: int, part: int) -> int:
    """The order that stands for a part of a level: 16 bits instrument, 1 side, 31 price, 8 part."""
    return locate << 40 | (side == Side.SELL) << 39 | price << 8 | part


class LevelMessages:
    """What one instrument has published. Prices and quantities in the instrument's units, `time_ns` since midnight."""

    def __init__(self, locate: int, instrument: str) -> None:
        self.locate, self.instrument = locate, instrument[:8]
        self._parts: dict[tuple[Side, int], list[int]] = {}

    def change(self, side: Side, price: int, quantity: int, time_ns: int) -> list[bytes]:
        """The messages after which the level holds `quantity`. ValueError for a price or quantity that does not fit."""
        if not 0 < price <= HIGHEST_PRICE or not 0 <= quantity <= LARGEST_PART * MOST_PARTS:
            raise ValueError(f"a level of {quantity} at {price} does not fit an ITCH order book")
        wanted = _parts(quantity)
        known = self._parts.pop((side, price), [])
        if wanted:
            self._parts[side, price] = wanted
        messages: list[bytes] = []
        for part in range(max(len(known), len(wanted))):
            before = known[part] if part < len(known) else 0
            after = wanted[part] if part < len(wanted) else 0
            messages += self._part(side, price, part, before, after, time_ns)
        return messages

    def everything(self, time_ns: int) -> list[bytes]:
        """Adds for all that was published, for a feed session that begins."""
        messages: list[bytes] = []
        for (side, price), parts in self._parts.items():
            for part, quantity in enumerate(parts):
                messages += self._part(side, price, part, 0, quantity, time_ns)
        return messages

    def directory(self, time_ns: int, lot_size: int) -> list[bytes]:
        """Stock Directory and Stock Trading Action (trading), as a feed begins with them."""
        known = {"stock_locate": self.locate, "timestamp_ns": time_ns, "instrument": self.instrument}
        return [
            encode(
                "stock_directory", **known, market_category=" ", financial_status=" ", round_lot_size=lot_size,
                round_lots_only="N", issue_classification=" ", issue_sub_type="", authenticity="P",
                short_sale_threshold=" ", ipo_flag=" ", luld_tier=" ", etp_flag=" ", etp_leverage=0, inverse="N",
            ),
            encode("trading_action", **known, trading_state="T", reserved="", reason=""),
        ]  # fmt: skip

    def trade(self, resting: Side, price: int, quantity: int, number: int, time_ns: int) -> list[bytes]:
        """Trade (non-cross) messages; `resting` is the side of the order that was there first."""
        return [
            encode(
                "trade", stock_locate=self.locate, timestamp_ns=time_ns, reference=0, side=_LETTERS[resting],
                quantity=part, instrument=self.instrument, price=price, match_number=number,
            )
            for part in _parts(quantity)
        ]  # fmt: skip

    def _part(self, side: Side, price: int, part: int, before: int, after: int, time_ns: int) -> list[bytes]:
        if before == after:
            return []
        known = {
            "stock_locate": self.locate, "timestamp_ns": time_ns,
            "reference": reference_of(self.locate, side, price, part),
        }  # fmt: skip
        if 0 < after < before:
            return [encode("order_cancel", **known, quantity=before - after)]
        messages = [encode("order_delete", **known)] if before else []
        if after:
            messages.append(
                encode(
                    "add_order", **known, side=_LETTERS[side], quantity=after, instrument=self.instrument, price=price
                )
            )
        return messages


def _parts(quantity: int) -> list[int]:
    whole, rest = divmod(quantity, LARGEST_PART)
    return [LARGEST_PART] * whole + [rest] * (rest > 0)
