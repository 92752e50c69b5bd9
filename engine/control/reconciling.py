"""Three-way reconciliation: what we asked for, what the venue answered, and what its drop copy says, order by order.

Journalled requests and answers come through `asked` and `answered`, the drop copy through `copied`; `breaks` names what
has not agreed for the time of grace. Executions agree by order, price and quantity: match numbers are not the same in
every protocol. Times are nanoseconds of one clock, prices 1/10,000, quantities shares.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from engine.messages.prices import to_decimal

MISSING_HERE = "missing here"  # in the drop copy, and no answer of the venue told us
MISSING_THERE = "missing there"  # the venue told us, and the drop copy does not
UNKNOWN_ORDER = "unknown order"  # an execution of an order that we never asked for
OVERFILLED = "overfilled"  # more was executed than we asked for
REFERENCE = 0xFFFFFFFF  # a drop copy names orders by 32 bits of their number
Execution = tuple[int, int]
Key = tuple[int, int]


@dataclass(frozen=True)
class Break:
    """One difference. `instrument` is 0 when nobody knows it."""

    kind: str
    venue: int
    instrument: int
    order_id: int
    sentence: str


@dataclass(slots=True)
class _Order:
    """Kept of every order that was ever asked for, and few of them differ: it is small."""

    order_id: int
    instrument: int = 0
    quantity: int = 0
    here: Counter[Execution] = field(default_factory=Counter)
    there: Counter[Execution] = field(default_factory=Counter)
    heard: Counter[Execution] = field(default_factory=Counter)  # of `here`, while the drop copy was there
    changed_ns: int = 0
    told: tuple[str, ...] = ()


class Reconciliation:
    """A venue is judged while its drop copy and its order session are both there, and have been for the grace: what
    one side missed comes when it is back. Answers from before the drop copy was heard need no copy."""

    def __init__(self, grace_ns: int) -> None:
        self._grace_ns = grace_ns
        self._orders: dict[Key, _Order] = {}
        self._open: set[Key] = set()
        self._since: dict[int, int] = {}  # of the drop copy, by venue
        self._up: dict[int, int] = {}  # since when the order session is up
        self._copies: dict[tuple[int, int, int], Execution] = {}

    def heard_from(self, venue: int, now_ns: int) -> None:
        """The drop copy of a venue is there from now on; kept until it is `silent`."""
        self._since.setdefault(venue, now_ns)

    def silent(self, venue: int) -> None:
        """It is gone: what is answered now is not expected in it."""
        self._since.pop(venue, None)

    def session(self, venue: int, now_ns: int, *, up: bool) -> None:
        """The venue's order session came up or went down."""
        if up:
            self._up.setdefault(venue, now_ns)
        else:
            self._up.pop(venue, None)

    def asked(self, venue: int, order_id: int, instrument: int, quantity: int) -> None:
        """A journalled request to enter, replace or modify an order."""
        order = self._order(venue, order_id)
        order.order_id, order.instrument = order_id, instrument
        order.quantity = max(order.quantity, quantity)  # a modification asks for less of what may be filled already

    def answered(self, venue: int, order_id: int, price: int, quantity: int, time_ns: int, *, broken: bool) -> None:
        """A journalled execution, or one that was taken back."""
        order = self._order(venue, order_id)
        change = -1 if broken else 1
        order.here[price, quantity] += change
        if venue in self._since and time_ns >= self._since[venue]:
            order.heard[price, quantity] += change
        self._touch(venue, order, time_ns)

    def copied(self, venue: int, reference: int, price: int, quantity: int, match_number: int, now_ns: int) -> None:
        """An execution in the drop copy. A session that is heard again from its start repeats itself."""
        name = (venue, reference, match_number)
        if name in self._copies:
            return
        self._copies[name] = (price, quantity)
        order = self._order(venue, reference)
        order.there[price, quantity] += 1
        self._touch(venue, order, now_ns)

    def copied_correction(
        self, venue: int, reference: int, price: int, quantity: int, match_number: int, now_ns: int
    ) -> None:
        """A trade of the drop copy had other terms. One of which nothing was heard counts as it is now."""
        self.copied_break(venue, reference, match_number, now_ns)
        self.copied(venue, reference, price, quantity, match_number, now_ns)

    def copied_break(self, venue: int, reference: int, match_number: int, now_ns: int) -> None:
        """A trade that the drop copy takes back."""
        execution = self._copies.pop((venue, reference, match_number), None)
        if execution is not None:
            order = self._order(venue, reference)
            order.there[execution] -= 1
            self._touch(venue, order, now_ns)

    def breaks(self, now_ns: int, since_ns: int = 0) -> list[Break]:
        """What has differed for longer than the grace, each once; `since_ns` is when the journal was caught up with."""
        found = []
        for key in sorted(self._open):
            order = self._orders[key]
            began = [order.changed_ns, since_ns, *(known.get(key[0], now_ns) for known in (self._since, self._up))]
            if now_ns - max(began) < self._grace_ns:
                continue
            differences = self._differences(key[0], order)
            if not differences:
                self._open.discard(key)
            for kind, sentence in differences:
                if sentence not in order.told:
                    order.told += (sentence,)
                    found.append(Break(kind, key[0], order.instrument, order.order_id, sentence))
        return found

    def not_told(self, found: Break) -> None:
        """It did not get through: say it again."""
        order = self._order(found.venue, found.order_id)
        order.told = tuple(sentence for sentence in order.told if sentence != found.sentence)

    @staticmethod
    def _differences(venue: int, order: _Order) -> list[tuple[str, str]]:
        missing_here, missing_there = order.there - order.here, order.heard - order.there
        found = []
        if order.quantity == 0 and (order.there or order.here):
            found.append((UNKNOWN_ORDER, f"venue {venue} executed order {order.order_id}, which we never asked for"))
        if missing_here:
            what = _words(missing_here)
            found.append((MISSING_HERE, f"order {order.order_id}: the drop copy has {what}, and no answer told us"))
        if missing_there:
            what = _words(missing_there)
            found.append((MISSING_THERE, f"order {order.order_id}: we were told of {what}, and the drop copy is not"))
        executed = sum(quantity * count for (_, quantity), count in order.there.items())
        if order.quantity and executed > order.quantity:
            found.append(
                (OVERFILLED, f"order {order.order_id}: {executed} were executed and we asked for {order.quantity}")
            )
        return found

    def _order(self, venue: int, reference: int) -> _Order:
        return self._orders.setdefault((venue, reference & REFERENCE), _Order(reference))

    def _touch(self, venue: int, order: _Order, time_ns: int) -> None:
        order.changed_ns = max(order.changed_ns, time_ns)
        self._open.add((venue, order.order_id & REFERENCE))


def _words(executions: Counter[Execution]) -> str:
    return ", ".join(
        f"{quantity} at {to_decimal(price)}" for (price, quantity), count in executions.items() for _ in range(count)
    )
