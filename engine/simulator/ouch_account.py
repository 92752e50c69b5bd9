"""One OUCH account of a venue: which numbers it accepts, what it echoes, and every message it was sent.

Written in the words of OUCH 5.0; `ouch42_account` says the same in those of OUCH 4.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.messages.codes import Liquidity, OrderAction, ReportKind, Side, TimeInForce
from engine.protocols.layouts import MalformedMessage, Message
from engine.protocols.ouch50 import decode_inbound, encode_outbound
from engine.simulator.expiries import Expiries
from engine.simulator.layout import CancelReason, Refusal
from engine.simulator.orders import OrderDesk

SIDES = {"B": Side.BUY, "S": Side.SELL, "T": Side.SELL, "E": Side.SELL}
LIQUIDITY = {Liquidity.ADDED: "A", Liquidity.REMOVED: "R"}
CROSS_LIQUIDITY = {TimeInForce.AT_OPEN: "O", TimeInForce.AT_CLOSE: "C"}
CROSS_TYPES = {"O": TimeInForce.AT_OPEN, "C": TimeInForce.AT_CLOSE}
LETTERS = {Side.BUY: "B", Side.SELL: "S"}


class OuchAccount:
    """`sequenced` holds every message for the client, number 1 first; a login replays from any of them."""

    def __init__(self, desk: OrderDesk, owner: int, user: str, password: str, midnight_ns: int) -> None:
        self.owner, self.user, self.password = owner, user, password
        self.sequenced: list[bytes] = []
        self.malformed = 0
        self.ignored = 0
        self.expiries = Expiries()
        self._desk = desk
        self._midnight_ns = midnight_ns
        self.fills: dict[int, list[tuple[int, int, str]]] = {}  # by match number: reference, quantity, liquidity
        self._pending: list[tuple[int, int, str]] = []  # cancels that wait: reference, quantity, side of a modification
        self._last_reference = 0
        self._echo: dict[str, Any] = {}
        self._modifying = ""
        self._handlers = {
            "enter_order": self._enter,
            "replace_order": self._replace,
            "cancel_order": self._cancel,
            "modify_order": self._modify,
            "mass_cancel": self._mass_cancel,
            "disable_order_entry": self._switch_entry,
            "enable_order_entry": self._switch_entry,
            "account_query": self._query,
        }

    def receive(self, raw: bytes, time_ns: int) -> None:
        """Carry out one message from the client. What it causes is found in the book's results and in `sequenced`."""
        try:
            message = self.decode(raw)
        except MalformedMessage:
            self.malformed += 1
            return
        self._modifying = ""
        self._handlers[message.name](message, time_ns)

    def decode(self, raw: bytes) -> Message:
        """A message of the client in the words of OUCH 5.0. MalformedMessage when it is none."""
        return decode_inbound(raw)

    def encode(self, name: str, appendage: dict[str, Any] | None, values: dict[str, Any]) -> bytes:
        """A message to the client from the words of OUCH 5.0."""
        return encode_outbound(name, appendage, **values)

    def is_new(self, user_reference: int) -> bool:
        """Whether a number may be used."""
        return user_reference > self._last_reference

    def use(self, user_reference: int) -> None:
        """A number is used up."""
        self._last_reference = user_reference

    def _enter(self, message: Message, time_ns: int) -> None:
        values, options = message.values, message.appendage
        if not self._consume(values["user_reference"]):
            return
        self._echo = values
        self._desk.request(
            time_ns=time_ns,
            action=OrderAction.ENTER,
            owner=self.owner,
            user_reference=values["user_reference"],
            instrument=self._desk.instrument_id(values["instrument"]),
            side=SIDES.get(values["side"], 0),
            price=values["price"],
            quantity=values["quantity"],
            displayed=int(values["display"] in "YA"),
            **_time_in_force(values, options),
        )

    def _replace(self, message: Message, time_ns: int) -> None:
        values, options = message.values, message.appendage
        if not self.is_new(values["user_reference"]):
            self.ignored += 1
            return
        self._echo = {"capacity": "P", "cross_type": "N"} | values
        refusal = self._desk.request(
            time_ns=time_ns,
            action=OrderAction.REPLACE,
            owner=self.owner,
            user_reference=values["user_reference"],
            existing_reference=values["original_user_reference"],
            price=values["price"],
            quantity=values["quantity"],
            displayed=int(values["display"] in "YA"),
            **_time_in_force(values, options),
        )
        if refusal == 0:
            self.use(values["user_reference"])
        elif refusal == Refusal.UNKNOWN_ORDER:
            self.ignored += 1

    def _cancel(self, message: Message, time_ns: int) -> None:
        self._reduce(message.values["user_reference"], message.values["quantity"], "", time_ns)

    def _modify(self, message: Message, time_ns: int) -> None:
        self._reduce(message.values["user_reference"], message.values["quantity"], message.values["side"], time_ns)

    def _reduce(self, reference: int, quantity: int, side: str, time_ns: int) -> None:
        """A cancel, or a modification to `side`; it waits while the instrument's cancels are held."""
        order = self._desk.resting(self.owner, reference)
        if order is not None and int(order["instrument"]) in self._desk.held:
            self._pending.append((reference, quantity, side))
            self.send("cancel_pending", time_ns, user_reference=reference)
            return
        self._modifying = side
        refusal = self._desk.request(
            time_ns=time_ns,
            action=OrderAction.CANCEL,
            owner=self.owner,
            user_reference=reference,
            quantity=quantity,
            reason=CancelReason.USER,
        )
        self.ignored += int(refusal != 0)

    def release_cancels(self, time_ns: int, *, reject: bool) -> None:
        """The cancels that waited, where they wait no longer: carried out, or rejected."""
        waiting, self._pending = self._pending, []
        for reference, quantity, side in waiting:
            order = self._desk.resting(self.owner, reference)
            if order is None:
                continue
            if int(order["instrument"]) in self._desk.held:
                self._pending.append((reference, quantity, side))
            elif reject:
                self.send("cancel_rejected", time_ns, user_reference=reference)
            else:
                self._reduce(reference, quantity, side, time_ns)

    def _mass_cancel(self, message: Message, time_ns: int) -> None:
        values = message.values
        if not self._consume(values["user_reference"]):
            return
        self.send(
            "mass_cancel_response",
            time_ns,
            {},
            user_reference=values["user_reference"],
            firm=values["firm"],
            instrument=values["instrument"],
        )
        name = values["instrument"].strip()
        instrument = self._desk.instrument_id(name) if name else 0
        if not name or instrument:
            self._desk.cancel_owned(self.owner, instrument, CancelReason.USER, time_ns)

    def _switch_entry(self, message: Message, time_ns: int) -> None:
        values = message.values
        if not self._consume(values["user_reference"]):
            return
        self._desk.set_entry(self.owner, disabled=message.name == "disable_order_entry")
        self.send(f"{message.name}_response", time_ns, {}, user_reference=values["user_reference"], firm=values["firm"])

    def _query(self, _message: Message, time_ns: int) -> None:
        self.send("account_query_response", time_ns, next_user_reference=self._last_reference + 1)

    def _consume(self, user_reference: int) -> bool:
        if not self.is_new(user_reference):
            self.ignored += 1
            return False
        self.use(user_reference)
        return True

    def report(self, result: np.void) -> None:
        """Queue the message that tells the client about a result of the matching."""
        kind, time_ns, reference = ReportKind(result["kind"]), int(result["time_ns"]), int(result["user_reference"])
        quantity = int(result["quantity"])
        if kind is ReportKind.EXECUTED:
            match_number, liquidity = int(result["match_number"]), liquidity_of(result)
            self.fills.setdefault(match_number, []).append((reference, quantity, liquidity))
            fill: dict[str, Any] = {"user_reference": reference, "quantity": quantity, "price": int(result["price"])}
            self.send("executed", time_ns, {}, **fill, liquidity=liquidity, match_number=match_number)
        elif kind is ReportKind.CANCELED and self._modifying and result["leaves"]:
            left: dict[str, Any] = {"side": self._modifying, "quantity": int(result["leaves"])}
            self.send("modified", time_ns, user_reference=reference, **left)
            self.tell_priority(result, time_ns)
        elif kind is ReportKind.CANCELED and result["reason"] == CancelReason.SELF_MATCH:
            self.send("aiq_canceled", time_ns, **_prevented(result))
        elif kind is ReportKind.CANCELED:
            self.send(
                "canceled", time_ns, user_reference=reference, quantity=quantity, reason=chr(int(result["reason"]))
            )
        elif kind is ReportKind.REJECTED:
            self.send(
                "rejected",
                time_ns,
                user_reference=reference,
                reason=int(result["reason"]),
                client_order_id=self._echo["client_order_id"],
            )
        else:
            self._opened(kind, result)

    def tell_broken(self, match_number: int, reason: str, time_ns: int) -> None:
        """A trade did not happen."""
        for reference, _, _ in self.fills.get(match_number, []):
            told: dict[str, Any] = {"user_reference": reference, "match_number": match_number, "reason": reason}
            self.send("broken_trade", time_ns, **told, client_order_id="")

    def tell_corrected(self, match_number: int, price: int, time_ns: int) -> None:
        """A trade had another price."""
        for reference, quantity, liquidity in self.fills.get(match_number, []):
            told: dict[str, Any] = {"user_reference": reference, "quantity": quantity, "price": price}
            told |= {"liquidity": liquidity, "match_number": match_number, "reason": "N", "client_order_id": ""}
            self.send("trade_correction", time_ns, **told)

    def tell_priority(self, order: np.void, time_ns: int) -> None:
        """Price, display and number in the feed as they are now, of a result or a resting order."""
        told: dict[str, Any] = {"user_reference": int(order["user_reference"]), "price": int(order["price"])}
        display = "Y" if order["displayed"] else "N"
        self.send("priority_update", time_ns, **told, display=display, reference=int(order["reference"]))

    def _opened(self, kind: ReportKind, result: np.void) -> None:
        echo = self._echo
        original = {"original_user_reference": int(result["previous_reference"])} if kind is ReportKind.REPLACED else {}
        side = echo.get("side") or LETTERS[Side(int(result["side"]))]
        self.send(
            "replaced" if original else "accepted",
            int(result["time_ns"]),
            {},
            **original,
            user_reference=int(result["user_reference"]),
            side=side,
            quantity=int(result["quantity"]),
            instrument=self._desk.instrument_name(int(result["instrument"])),
            price=int(result["price"]),
            time_in_force=echo["time_in_force"],
            display=echo["display"],
            reference=int(result["reference"]),
            capacity=echo["capacity"],
            intermarket_sweep=echo["intermarket_sweep"],
            cross_type=CROSS_LIQUIDITY.get(TimeInForce(int(result["time_in_force"]))) or echo["cross_type"],
            order_state="L",
            client_order_id=echo["client_order_id"],
        )

    def send(self, name: str, time_ns: int, appendage: dict[str, Any] | None = None, **values: Any) -> None:
        """Queue a message for the client."""
        stamped = {"timestamp_ns": time_ns - self._midnight_ns} | values
        self.sequenced.append(self.encode(name, appendage, stamped))


def liquidity_of(result: np.void) -> str:
    """Letter of an execution: added, removed, or which cross it was."""
    letter = LIQUIDITY.get(Liquidity(int(result["liquidity"])))
    return letter or CROSS_LIQUIDITY[TimeInForce(int(result["time_in_force"]))]


def _prevented(result: np.void) -> dict[str, Any]:
    """The fields of AIQ Canceled: strategy O cancels the older order, N the newer one."""
    resting = bool(result["resting"])
    return {
        "user_reference": int(result["user_reference"]),
        "quantity": int(result["quantity"]),
        "reason": "Q",
        "prevented_quantity": int(result["prevented_quantity"]),
        "price": int(result["prevented_price"]),
        "liquidity": "A" if resting else "R",
        "strategy": "O" if resting else "N",
    }


def _time_in_force(values: dict[str, Any], options: dict[str, Any]) -> dict[str, int]:
    """Time in force and minimum quantity; 0 for what this venue does not offer, which the matching refuses."""
    time_in_force = {"0": TimeInForce.DAY, "3": TimeInForce.IOC}.get(values["time_in_force"], 0)
    minimum = int(options.get("minimum_quantity", 0))
    if time_in_force == TimeInForce.IOC and minimum == values["quantity"]:
        time_in_force, minimum = TimeInForce.FOK, 0
    if time_in_force == TimeInForce.DAY and options.get("post_only") == "P":
        time_in_force = TimeInForce.POST_ONLY
    cross_type = values.get("cross_type", "N")
    if cross_type != "N":
        time_in_force = CROSS_TYPES.get(cross_type, 0) if time_in_force else 0
    if values["display"] not in "YAN":
        time_in_force = 0
    return {"time_in_force": int(time_in_force), "minimum_quantity": minimum}
