"""A compiled book under test: requests by keyword, results and published messages in comparable form."""

from __future__ import annotations

from engine.messages.codes import ReportKind, Side
from engine.messages.instruments import Instrument
from engine.protocols import itch50
from engine.simulator.layout import BookMemory, CancelReason, Refusal, SelfMatch
from engine.simulator.orders import OrderDesk

ENTER, REPLACE, CANCEL = 1, 2, 3


class TestBook:
    """One small exchange book."""

    __test__ = False

    def __init__(self, self_match: str = "allow", order_capacity: int = 256, level_capacity: int = 128) -> None:
        instruments = [Instrument(1, "ABC"), Instrument(2, "XYZ")]
        self.memory = BookMemory(
            instruments, order_capacity, level_capacity, owner_count=3, self_match=SelfMatch[self_match.upper()]
        )
        self.desk = OrderDesk(self.memory, instruments)
        self.published: dict[int, tuple[int, str, int, int]] = {}
        self.letters = ""

    def enter(self, owner, user_reference, instrument, side, price, quantity, time_in_force=1, minimum=0, displayed=1):
        return self._name(
            self.desk.request(
                action=ENTER, owner=owner, user_reference=user_reference, instrument=instrument, side=side,
                price=price, quantity=quantity, time_in_force=time_in_force, minimum_quantity=minimum,
                displayed=displayed,
            )
        )  # fmt: skip

    def replace(self, owner, existing, user_reference, price, quantity, time_in_force=1, minimum=0, displayed=1):
        return self._name(
            self.desk.request(
                action=REPLACE, owner=owner, existing_reference=existing, user_reference=user_reference, price=price,
                quantity=quantity, time_in_force=time_in_force, minimum_quantity=minimum, displayed=displayed,
            )
        )  # fmt: skip

    def cancel(self, owner, user_reference, intended=0):
        return self._name(
            self.desk.request(
                action=CANCEL,
                owner=owner,
                user_reference=user_reference,
                quantity=intended,
                reason=CancelReason.USER,
            )
        )

    def cancel_owned(self, owner, instrument=0):
        return self.desk.cancel_owned(owner, instrument, CancelReason.USER, 0)

    @staticmethod
    def _name(refusal: int) -> str:
        return Refusal(refusal).name if refusal else ""

    def results(self) -> list[tuple]:
        """New results, as the reference exchange writes them."""
        rows = []
        for result in self.memory.take_results():
            kind, reason = ReportKind(int(result["kind"])), int(result["reason"])
            name = ""
            if reason:
                name = Refusal(reason).name if kind is ReportKind.REJECTED else CancelReason(reason).name
            fields = (
                "owner",
                "user_reference",
                "price",
                "quantity",
                "leaves",
                "reference",
                "match_number",
                "liquidity",
            )
            rows.append((kind.name, *(int(result[field]) for field in fields), name))
        return rows

    def listen(self) -> None:
        """Read everything published and keep the displayed orders it tells of."""
        count, blocks = self.memory.take_messages()
        place = seen = 0
        while place < len(blocks):
            following = place + 2 + int.from_bytes(blocks[place : place + 2], "big")
            self._hear(itch50.decode(blocks[place + 2 : following]))
            place, seen = following, seen + 1
        assert seen == count

    def _hear(self, message) -> None:
        values = message.values
        self.letters += values["type"]
        reference = values.get("reference")
        if message.name == "add_order":
            side = Side.BUY if values["side"] == "B" else Side.SELL
            self.published[reference] = (values["stock_locate"], side, values["price"], values["quantity"])
        elif message.name == "order_delete":
            del self.published[reference]
        elif message.name == "order_replace":
            instrument, side, _, _ = self.published.pop(values["original_reference"])
            self.published[values["new_reference"]] = (instrument, side, values["price"], values["quantity"])
        elif message.name in ("order_executed", "order_cancel"):
            instrument, side, price, quantity = self.published[reference]
            assert quantity >= values["quantity"]
            if quantity == values["quantity"]:
                del self.published[reference]
            else:
                self.published[reference] = (instrument, side, price, quantity - values["quantity"])

    def heard_levels(self, instrument: int, side: int) -> list[tuple[int, int]]:
        """(price, quantity) per level as the feed tells it, best first."""
        totals: dict[int, int] = {}
        for where, on, price, quantity in self.published.values():
            if (where, on) == (instrument, side):
                totals[price] = totals.get(price, 0) + quantity
        return sorted(totals.items(), reverse=side == Side.BUY)

    def queue(self, instrument: int, side: int) -> list[tuple[int, int, int]]:
        """(price, user reference, quantity) of every resting order in the order in which they trade."""
        entry = self.memory.instruments[instrument]
        place = int(entry["best_bid"] if side == Side.BUY else entry["best_ask"])
        rows = []
        while place:
            level = self.memory.levels[place]
            for head in ("first", "hidden_first"):
                index = int(level[head])
                while index:
                    order = self.memory.orders[index]
                    rows.append((int(level["price"]), int(order["user_reference"]), int(order["quantity"])))
                    index = int(order["later"])
            place = int(level["worse"])
        return rows
