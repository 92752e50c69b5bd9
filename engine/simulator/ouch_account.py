"""One OUCH 5.0 account of a venue: which numbers it accepts, what it echoes, and every message it was sent."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.messages.codes import OrderAction, ReportKind, Side, TimeInForce
from engine.protocols.layouts import MalformedMessage, Message
from engine.protocols.ouch50 import decode_inbound, encode_outbound
from engine.simulator.layout import CancelReason, Refusal
from engine.simulator.orders import OrderDesk

SIDES = {"B": Side.BUY, "S": Side.SELL, "T": Side.SELL, "E": Side.SELL}
LIQUIDITY = {1: "A", 2: "R"}
LETTERS = {Side.BUY: "B", Side.SELL: "S"}


class OuchAccount:
    """`sequenced` holds every message for the client, number 1 first; a login replays from any of them."""

    def __init__(self, desk: OrderDesk, owner: int, user: str, password: str, midnight_ns: int) -> None:
        self.owner, self.user, self.password = owner, user, password
        self.sequenced: list[bytes] = []
        self.malformed = 0
        self.ignored = 0
        self._desk = desk
        self._midnight_ns = midnight_ns
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
            message = decode_inbound(raw)
        except MalformedMessage:
            self.malformed += 1
            return
        self._modifying = ""
        self._handlers[message.name](message, time_ns)

    def _enter(self, message: Message, time_ns: int) -> None:
        values, options = message.values, message.appendage
        if values["user_reference"] <= self._last_reference:
            self.ignored += 1
            return
        self._last_reference = values["user_reference"]
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
            **_validity(values, options),
        )

    def _replace(self, message: Message, time_ns: int) -> None:
        values, options = message.values, message.appendage
        if values["user_reference"] <= self._last_reference:
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
            **_validity(values, options),
        )
        if refusal == 0:
            self._last_reference = values["user_reference"]
        elif refusal == Refusal.UNKNOWN_ORDER:
            self.ignored += 1

    def _cancel(self, message: Message, time_ns: int) -> None:
        refusal = self._desk.request(
            time_ns=time_ns,
            action=OrderAction.CANCEL,
            owner=self.owner,
            user_reference=message.values["user_reference"],
            quantity=message.values["quantity"],
            reason=CancelReason.USER,
        )
        self.ignored += int(refusal != 0)

    def _modify(self, message: Message, time_ns: int) -> None:
        self._modifying = message.values["side"]
        self._cancel(message, time_ns)

    def _mass_cancel(self, message: Message, time_ns: int) -> None:
        values = message.values
        if not self._consume(values["user_reference"]):
            return
        self._send(
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
        self._send(
            f"{message.name}_response", time_ns, {}, user_reference=values["user_reference"], firm=values["firm"]
        )

    def _query(self, _message: Message, time_ns: int) -> None:
        self._send("account_query_response", time_ns, next_user_reference=self._last_reference + 1)

    def _consume(self, user_reference: int) -> bool:
        if user_reference <= self._last_reference:
            self.ignored += 1
            return False
        self._last_reference = user_reference
        return True

    def report(self, result: np.void) -> None:
        """Queue the message that tells the client about a result of the matching."""
        kind, time_ns, reference = ReportKind(result["kind"]), int(result["time_ns"]), int(result["user_reference"])
        quantity = int(result["quantity"])
        if kind is ReportKind.EXECUTED:
            self._send(
                "executed",
                time_ns,
                {},
                user_reference=reference,
                quantity=quantity,
                price=int(result["price"]),
                liquidity=LIQUIDITY[int(result["liquidity"])],
                match_number=int(result["match_number"]),
            )
        elif kind is ReportKind.CANCELED and self._modifying and result["leaves"]:
            self._send(
                "modified", time_ns, user_reference=reference, side=self._modifying, quantity=int(result["leaves"])
            )
        elif kind is ReportKind.CANCELED:
            self._send(
                "canceled", time_ns, user_reference=reference, quantity=quantity, reason=chr(int(result["reason"]))
            )
        elif kind is ReportKind.REJECTED:
            self._send(
                "rejected",
                time_ns,
                user_reference=reference,
                reason=int(result["reason"]),
                client_order_id=self._echo["client_order_id"],
            )
        else:
            self._opened(kind, result)

    def _opened(self, kind: ReportKind, result: np.void) -> None:
        echo = self._echo
        original = {"original_user_reference": int(result["previous_reference"])} if kind is ReportKind.REPLACED else {}
        side = echo.get("side") or LETTERS[Side(int(result["side"]))]
        self._send(
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
            cross_type=echo["cross_type"],
            order_state="L",
            client_order_id=echo["client_order_id"],
        )

    def _send(self, name: str, time_ns: int, appendage: dict[str, Any] | None = None, **values: Any) -> None:
        raw = encode_outbound(name, appendage, timestamp_ns=time_ns - self._midnight_ns, **values)
        self.sequenced.append(raw)


def _validity(values: dict[str, Any], options: dict[str, Any]) -> dict[str, int]:
    """Time in force and minimum quantity; 0 for what this venue does not offer, which the matching refuses."""
    time_in_force = {"0": TimeInForce.DAY, "3": TimeInForce.IOC}.get(values["time_in_force"], 0)
    minimum = int(options.get("minimum_quantity", 0))
    if time_in_force == TimeInForce.IOC and minimum == values["quantity"]:
        time_in_force, minimum = TimeInForce.FOK, 0
    if values.get("cross_type", "N") != "N" or values["display"] not in "YAN":
        time_in_force = 0
    return {"time_in_force": int(time_in_force), "minimum_quantity": minimum}
