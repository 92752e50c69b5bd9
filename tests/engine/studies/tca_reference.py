"""The same report, slowly and from the formulas alone: packets decoded one by one, every market searched from its
beginning, fractions instead of doubled integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from engine.messages.codes import OPEN_STATES, Liquidity, OrderAction, OrderState, RecordKind, ReportKind, Side
from engine.messages.journal import RECORDING_HEADER
from engine.messages.records import BodyRecord, records
from engine.protocols import itch50, moldudp64
from tests.engine.studies.tca_session import DAY_NS

HORIZONS_S = (1, 10, 60, 300)


@dataclass
class Moment:
    """The tops of every venue after one event: venue -> (bid, ask), of one instrument; None where a side is empty."""

    position: int
    time_ns: int  # when it was received
    venue: int
    event_ns: int  # when it happened, as the venue has it
    tops: dict[int, tuple[int | None, int | None]]

    @property
    def best(self) -> tuple[int, int] | None:
        bids = [bid for bid, _ in self.tops.values() if bid is not None]
        asks = [ask for _, ask in self.tops.values() if ask is not None]
        return (max(bids), min(asks)) if bids and asks else None


@dataclass
class SlowMarket:
    """Every moment and print of each instrument."""

    moments: dict[int, list[Moment]] = field(default_factory=dict)
    prints: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)

    def known(self, instrument: int) -> list[Moment]:
        return [moment for moment in self.moments.get(instrument, []) if moment.best is not None]

    def middle(self, moments: list[Moment]) -> Fraction | None:
        return Fraction(sum(moments[-1].best or ()), 2) if moments else None

    def seen(self, instrument: int, position: int) -> Fraction | None:
        return self.middle([m for m in self.known(instrument) if m.position <= position])

    def until(self, instrument: int, time_ns: int) -> Fraction | None:
        return self.middle([m for m in self.known(instrument) if m.time_ns <= time_ns])

    def before(self, instrument: int, fill: Any, reported_ns: int) -> tuple[Fraction | None, Fraction, int]:
        """Middle and half the spread before the fill's own trace in the feed, or its report, and when that was."""
        best, moment_ns = None, reported_ns
        for moment in self.moments.get(instrument, []):
            if moment.time_ns > reported_ns:
                break
            if moment.venue == fill["venue"] and moment.event_ns >= fill["venue_time_ns"]:
                moment_ns = moment.time_ns
                break
            best = moment.best or best
        if best is None:
            return None, Fraction(0), moment_ns
        bid, ask = best
        return Fraction(bid + ask, 2), Fraction(max(0, ask - bid), 2), moment_ns


def read_market(path: Path) -> SlowMarket:
    """From recording.bin, with a dictionary of orders for each venue."""
    raw, market = (path / "recording.bin").read_bytes(), SlowMarket()
    orders: dict[tuple[int, int], list[Any]] = {}
    at = 0
    while at < len(raw):
        header = np.frombuffer(raw[at : at + 32], RECORDING_HEADER)[0]
        packet = moldudp64.decode(raw[at + 32 : at + 32 + int(header["payload_length"])])
        for message in packet.messages:
            decoded = itch50.decode(message)
            _apply(market, orders, int(header["venue"]), header, decoded.layout.name, decoded.values)
        at += int(header["length"])
    return market


def _apply(market: SlowMarket, orders: dict[Any, Any], venue: int, header: Any, name: str, values: Any) -> None:
    time_ns = int(header["time_ns"])
    event_ns = time_ns // DAY_NS * DAY_NS + values["timestamp_ns"]
    instrument = values["stock_locate"]
    key = (venue, values.get("reference", 0))
    if name == "trade":
        market.prints.setdefault(instrument, []).append((time_ns, values["price"], values["quantity"]))
        return
    if name == "add_order":
        orders[key] = [instrument, values["side"], values["price"], values["quantity"]]
    elif name == "order_executed":
        instrument = orders[key][0]
        market.prints.setdefault(instrument, []).append((time_ns, orders[key][2], values["quantity"]))
        orders[key][3] -= values["quantity"]
    elif name == "order_delete":
        instrument = orders.pop(key)[0]
    else:
        return
    tops = {}
    for place in {at for at, _ in orders}:
        own = [o for (at, _), o in orders.items() if at == place and o[0] == instrument and o[3] > 0]
        bids, asks = ([o[2] for o in own if o[1] == side] for side in "BS")
        tops[place] = (max(bids, default=None), min(asks, default=None))
    market.moments.setdefault(instrument, []).append(Moment(int(header["position"]), time_ns, venue, event_ns, tops))


@dataclass
class SlowOrder:
    request: Any
    sent_ns: int
    fills: list[tuple[Any, int]] = field(default_factory=list)
    state: OrderState = OrderState.PENDING_NEW
    ended_ns: int = 0


@dataclass
class SlowParent:
    orders: list[SlowOrder]
    quantity: int


def read_parents(path: Path) -> tuple[list[SlowParent], int]:
    """Orders with their replacements, and the time of the last record."""
    orders: dict[int, SlowOrder] = {}
    parents: dict[int, SlowParent] = {}
    last_ns = 0
    for record in records((path / "journal.bin").read_bytes()):
        last_ns = max(last_ns, record.time_ns)
        if not isinstance(record, BodyRecord):
            continue
        body = record.body
        if record.kind == RecordKind.ORDER_REQUEST and body["action"] in (OrderAction.ENTER, OrderAction.REPLACE):
            number = int(body["order_id"])
            orders[number] = SlowOrder(body, record.time_ns)
            if body["action"] == OrderAction.ENTER:
                parents[number] = SlowParent([orders[number]], int(body["quantity"]))
            else:
                parents[number] = parents[int(body["target_order_id"])]
                parents[number].orders.append(orders[number])
        elif record.kind == RecordKind.ORDER_REPORT and not body["duplicate"]:
            _answer(orders, parents, body, record.time_ns)
    unique = {id(parent): parent for parent in parents.values()}
    return list(unique.values()), last_ns


def _answer(orders: dict[int, SlowOrder], parents: dict[int, SlowParent], body: Any, time_ns: int) -> None:
    order, parent = orders[int(body["order_id"])], parents[int(body["order_id"])]
    if body["kind"] == ReportKind.EXECUTED:
        order.fills.append((body, time_ns))
    elif body["kind"] == ReportKind.BROKEN:
        order.fills = [fill for fill in order.fills if fill[0]["match_number"] != body["match_number"]]
    elif body["kind"] == ReportKind.REPLACED:
        parent.quantity = _filled(parent) + int(body["quantity"])
        target = orders[int(order.request["target_order_id"])]
        target.state, target.ended_ns = OrderState.CANCELED, time_ns
    was_open, order.state = order.state in OPEN_STATES, OrderState(int(body["state"]))
    if was_open and order.state not in OPEN_STATES:
        order.ended_ns = time_ns


def _filled(parent: SlowParent) -> int:
    return sum(int(fill["quantity"]) for order in parent.orders for fill, _ in order.fills)


def slow_costs(path: Path) -> list[dict[str, Any]]:
    """One dictionary for each parent, money in 1/10,000 as fractions."""
    market = read_market(path)
    parents, last_ns = read_parents(path)
    return [_cost(parent, market, last_ns) for parent in parents]


def _cost(parent: SlowParent, market: SlowMarket, last_ns: int) -> dict[str, Any]:
    root = parent.orders[0].request
    instrument, sign = int(root["instrument"]), 1 if root["side"] == Side.BUY else -1
    is_open = any(order.state in OPEN_STATES for order in parent.orders)
    fill_times = [time_ns for order in parent.orders for _, time_ns in order.fills]
    end_ns = last_ns if is_open else max([order.ended_ns for order in parent.orders] + fill_times)
    arrival = market.seen(instrument, int(root["position"]))
    end = market.until(instrument, end_ns)
    costs: dict[str, Any] = dict.fromkeys(("spread", "impact", "timing", "fees", "against_middle"), Fraction(0))
    marks = [Fraction(0)] * len(HORIZONS_S)
    reach = market.moments[instrument][-1].time_ns if instrument in market.moments else 0
    traded = Fraction(0)
    for order in parent.orders:
        sent = market.seen(instrument, int(order.request["position"]))
        for fill, reported_ns in order.fills:
            price, quantity = int(fill["price"]), int(fill["quantity"])
            middle, half, moment_ns = market.before(instrument, fill, reported_ns)
            middle = Fraction(price) if middle is None else middle
            was_sent = middle if sent is None else sent
            began = was_sent if arrival is None else arrival
            paid = sign * (price - middle)
            inside = max(-half, min(half, paid))
            costs["spread"] += inside * quantity
            moved = "impact" if fill["liquidity"] == Liquidity.REMOVED else "timing"
            costs["impact"] += (paid - inside) * quantity
            costs[moved] += sign * (middle - was_sent) * quantity
            costs["timing"] += sign * (was_sent - began) * quantity
            costs["fees"] += int(fill["fee"])
            costs["against_middle"] += paid * quantity
            traded += price * quantity
            for at, seconds in enumerate(HORIZONS_S):
                later_ns = moment_ns + seconds * 1_000_000_000
                later = market.until(instrument, later_ns)
                if later is not None and later_ns <= reach:
                    marks[at] += sign * (later - price) * quantity
    rest = max(0, parent.quantity - _filled(parent))
    costs["opportunity"] = sign * rest * (end - arrival) if arrival is not None and end is not None else Fraction(0)
    costs["shortfall"] = sum(costs[name] for name in ("spread", "impact", "timing", "opportunity", "fees"))
    prints = market.prints.get(instrument, [])
    between = [(p, q) for t, p, q in prints if parent.orders[0].sent_ns <= t <= end_ns]
    return costs | {
        "order_id": int(root["order_id"]), "quantity": parent.quantity, "filled": _filled(parent), "arrival": arrival,
        "end": end, "is_open": int(is_open), "notional": traded, "markouts": marks,
        "interval_volume": sum(q for _, q in between), "interval_value": sum(p * q for p, q in between),
        "session_volume": sum(q for _, _, q in prints), "close": market.until(instrument, 1 << 62),
    }  # fmt: skip
