"""Journal records made by hand, numbered as they come."""

import json
from typing import Any

import numpy as np

from engine.messages.codes import (
    DenialReason,
    LimitName,
    Liquidity,
    OrderAction,
    OrderState,
    ParentState,
    RecordKind,
    ReportKind,
    Scope,
    SessionState,
    Side,
    TimeInForce,
)
from engine.messages.control import Command
from engine.messages.journal import BODIES, JOURNAL_HEADER, RECORD_SIZE

START_NS = 1_700_000_000_000_000_123
PRICE = 1_000_000  # 100.00


class Journal:
    """Records back to back; `order` and `report` fill in what the engine would."""

    def __init__(self, strategy: int = 7, team: int = 3) -> None:
        self.records: list[bytes] = []
        self.strategy, self.team = strategy, team

    @property
    def data(self) -> bytes:
        return b"".join(self.records)

    def append(self, record: RecordKind, /, **fields: Any) -> int:
        body = np.zeros(1, BODIES[record])
        for name, value in fields.items():
            body[name] = value
        return self._write(record, body.tobytes(), 0)

    def text(self, kind: RecordKind, document: dict[str, Any]) -> int:
        text = json.dumps(document).encode()
        return self._write(kind, bytes(8) + text, len(text))

    def command(self, command: Command) -> int:
        return self.text(RecordKind.COMMAND, json.loads(command.encode()))

    def enter(self, order_id: int, side: Side = Side.BUY, quantity: int = 100, **fields: Any) -> int:
        return self.append(
            RecordKind.ORDER_REQUEST,
            order_id=order_id,
            side=side,
            quantity=quantity,
            limits_version=2,
            signal=-1.25,
            kind=1,
            **self._owner() | {"price": PRICE, "action": OrderAction.ENTER, "time_in_force": TimeInForce.DAY} | fields,
        )

    def cancel(self, order_id: int) -> int:
        return self.append(
            RecordKind.ORDER_REQUEST,
            **self._owner(),
            order_id=order_id,
            target_order_id=order_id,
            action=OrderAction.CANCEL,
            side=Side.BUY,
        )

    def change(self, action: OrderAction, target: int, order_id: int, quantity: int, **fields: Any) -> int:
        """A replacement or modification of `target`; of a modification both numbers are the same."""
        return self.enter(order_id, quantity=quantity, action=action, target_order_id=target, **fields)

    def report(self, order_id: int, kind: ReportKind, state: OrderState, leaves: int, /, **fields: Any) -> int:
        owner = {"strategy": self.strategy, "instrument": 1, "venue": 1, "side": Side.BUY}
        return self.append(
            RecordKind.ORDER_REPORT,
            **owner | {"order_id": order_id, "kind": kind, "state": state, "leaves": leaves} | fields,
        )

    def fill(self, order_id: int, state: OrderState, leaves: int, quantity: int, **fields: Any) -> int:
        given = {"price": PRICE, "fee": 30 * quantity, "liquidity": Liquidity.REMOVED, "match_number": order_id * 10}
        return self.report(
            order_id, ReportKind.EXECUTED, state, leaves, quantity=quantity, venue_time_ns=START_NS, **given | fields
        )

    def deny(self, order_id: int, **fields: Any) -> int:
        given = {
            "action": OrderAction.ENTER,
            "side": Side.SELL,
            "price": PRICE,
            "quantity": 5_000,
            "time_in_force": TimeInForce.DAY,
            "reason": DenialReason.ORDER_QUANTITY,
            "limit_name": LimitName.ORDER_QUANTITY,
            "scope": Scope.TEAM,
            "scope_id": self.team,
            "measured": 5_000,
            "bound": 1_000,
        }
        return self.append(RecordKind.DENIAL, **self._owner(), order_id=order_id, **given | fields)

    def parent(self, parent_id: int, state: ParentState = ParentState.WORKING, **fields: Any) -> int:
        """A parent order of the trader with the key 1, of a thousand shares in ten minutes."""
        given = {
            "parent_id": parent_id,
            "state": state,
            "team": self.team,
            "trader": 1,
            "instrument": 1,
            "kind": 101,
            "venues": 0b1,
            "side": Side.BUY,
            "quantity": 1_000,
            "start_ns": START_NS,
            "end_ns": START_NS + 600_000_000_000,
            "limits_version": 2,
        }
        return self.append(RecordKind.PARENT, **given | fields)

    def session(self, state: SessionState) -> int:
        return self.append(RecordKind.SESSION_EVENT, venue=1, state=state)

    def _owner(self) -> dict[str, int]:
        return {"strategy": self.strategy, "team": self.team, "instrument": 1, "venue": 1}

    def _write(self, kind: RecordKind, body: bytes, text_length: int) -> int:
        sequence = len(self.records) + 1
        header = np.zeros(1, JOURNAL_HEADER)
        length = -(-(header.nbytes + len(body)) // RECORD_SIZE) * RECORD_SIZE
        header["length"], header["kind"], header["version"] = length, kind, 1
        header["text_length"], header["sequence"] = text_length, sequence
        header["time_ns"] = START_NS + sequence * 1_000
        self.records.append((header.tobytes() + body).ljust(length, b"\0"))
        return sequence
