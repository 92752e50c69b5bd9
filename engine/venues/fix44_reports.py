"""Messages of a FIX venue, in the words of FIX 4.4 (`fix44_dialect`) -> order reports.

Fields come as text by tag; nothing here sends or remembers.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

import numpy as np

from engine.messages.codes import CORRECTED, Liquidity, OrderState, ReportKind
from engine.messages.journal import ORDER_REPORT
from engine.protocols.fix44 import (
    CL_ORD_ID,
    CUM_QTY,
    CXL_REJ_REASON,
    CXL_REJ_RESPONSE_TO,
    EXEC_ID,
    EXEC_REF_ID,
    EXEC_TYPE,
    LAST_LIQUIDITY_IND,
    LAST_PX,
    LAST_QTY,
    LEAVES_QTY,
    LIQUIDITIES,
    ORD_REJ_REASON,
    ORD_STATUS,
    ORDER_ID,
    ORDER_QTY,
    ORIG_CL_ORD_ID,
    PRICE,
    SECONDARY_EXEC_ID,
    TRANSACT_TIME,
    UNKNOWN_ORDER,
    Fields,
    needed,
    read_price,
    read_quantity,
    read_time,
)
from engine.protocols.layouts import MalformedMessage

TRADES = frozenset("12F")  # Partial fill and Fill were replaced by Trade in 4.3; some venues still send them
SILENT = frozenset("AE79B")  # Pending New, Pending Replace, Stopped, Suspended, Calculated: nothing changed
CLEARING = frozenset("JKL")  # a trade on its way through clearing

STATES = {
    "0": OrderState.ACCEPTED,
    "1": OrderState.PARTIALLY_FILLED,
    "2": OrderState.FILLED,
    "3": OrderState.EXPIRED,
    "4": OrderState.CANCELED,
    "5": OrderState.ACCEPTED,
    "6": OrderState.PENDING_CANCEL,
    "7": OrderState.ACCEPTED,
    "8": OrderState.REJECTED,
    "9": OrderState.ACCEPTED,
    "A": OrderState.PENDING_NEW,
    "B": OrderState.ACCEPTED,
    "C": OrderState.EXPIRED,
    "D": OrderState.ACCEPTED,
    "E": OrderState.PENDING_REPLACE,
}
_OUR_CL_ORD_ID = re.compile(r"([1-9][0-9]{0,18})(?:C[0-9]+)?")


class Report(NamedTuple):
    """One order report and the name of its cause: the same cause again is the same report, not a second one.

    No cause: it may be said again. `breaks` is the execution that a BROKEN report takes back.
    """

    cause: str
    values: dict[str, int]
    breaks: str = ""

    def body(self) -> bytes:
        """The 96 bytes of an ORDER_REPORT."""
        made = np.zeros((), ORDER_REPORT)
        for name, value in self.values.items():
            made[name] = value
        return made.tobytes()


def order_id_of(fields: Fields) -> int:
    """Our order that ClOrdID(11), or else OrigClOrdID(41), names; "17C2" is our second cancel of 17. 0: not ours."""
    for tag in (CL_ORD_ID, ORIG_CL_ORD_ID):
        match = _OUR_CL_ORD_ID.fullmatch(fields.get(tag, ""))
        if match:
            return int(match[1])
    return 0


def number_of(text: str) -> int:
    """A venue's identifier as a positive 63-bit integer: itself when it is one, else a digest of it."""
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def read_execution_report(fields: Fields) -> list[Report]:
    """ExecutionReport(8) with any ExecType but Order Status -> the reports it makes: none, one, or two for a
    correction.

    A broken fill has the price and quantity that the message repeats, 0 when it repeats none: the caller remembers
    them. MalformedMessage when a field that is needed is absent or wrong, or the ExecType is not of FIX 4.4.
    """
    exec_type, exec_id = needed(fields, EXEC_TYPE), needed(fields, EXEC_ID)
    if exec_type in SILENT or exec_type in CLEARING:
        return []
    common = _common(fields)
    if exec_type in TRADES:
        return [Report(exec_id, common | _fill(fields, exec_id))]
    if exec_type in "GH":
        broken = Report(f"{exec_id} breaks", common | _broken(fields), needed(fields, EXEC_REF_ID))
        if exec_type == "H":
            return [broken]
        return [broken, Report(exec_id, common | _fill(fields, exec_id) | {"reason": CORRECTED})]
    return [Report(exec_id, common | _change(exec_type, fields))]


def _change(exec_type: str, fields: Fields) -> dict[str, int]:
    ended = read_quantity(fields, ORDER_QTY, "0") - read_quantity(fields, CUM_QTY, "0")
    opened = {"match_number": number_of(needed(fields, ORDER_ID))}
    match exec_type:
        case "0":
            return opened | {"kind": ReportKind.ACCEPTED, "quantity": read_quantity(fields, ORDER_QTY, "0")}
        case "5":
            return opened | {"kind": ReportKind.REPLACED, "quantity": read_quantity(fields, LEAVES_QTY, "0")}
        case "D":  # the venue changed the order by itself: what counts is what is left of it
            return opened | {
                "kind": ReportKind.ACCEPTED,
                "quantity": read_quantity(fields, LEAVES_QTY, "0"),
                "duplicate": 1,
            }
        case "4":
            return {"kind": ReportKind.CANCELED, "quantity": max(ended, 0), "leaves": 0}
        case "3" | "C":
            return {"kind": ReportKind.EXPIRED, "quantity": max(ended, 0), "leaves": 0}
        case "6":
            return {"kind": ReportKind.CANCEL_PENDING}
        case "8":
            reason = _reason(fields, ORD_REJ_REASON)
            return {"kind": ReportKind.REJECTED, "quantity": max(ended, 0), "leaves": 0, "reason": reason}
    raise MalformedMessage(f"ExecType {exec_type!r} is not of FIX 4.4")


def read_cancel_reject(fields: Fields) -> Report:
    """OrderCancelReject(9): a refused cancel leaves the order working; a refused replacement never came to be."""
    response_to = needed(fields, CXL_REJ_RESPONSE_TO)
    if response_to not in ("1", "2"):
        raise MalformedMessage(f"CxlRejResponseTo {response_to!r} is not of FIX 4.4")
    order_id = order_id_of(fields)
    values = {
        "order_id": order_id,
        "venue_reference": order_id,
        "kind": ReportKind.CANCEL_REJECTED if response_to == "1" else ReportKind.REJECTED,
        "venue_time_ns": read_time(fields.get(TRANSACT_TIME, "")),
        "reason": _reason(fields, CXL_REJ_REASON),
    }
    return Report(f"cancel reject {needed(fields, CL_ORD_ID)}", values)


class Status(NamedTuple):
    """What an ExecutionReport with ExecType Order Status says of an order."""

    order_id: int
    state: OrderState
    unknown_to_venue: bool
    executed: int
    leaves: int
    values: dict[str, int]


def read_status(fields: Fields) -> Status:
    """The answer to an OrderStatusRequest(H)."""
    common = _common(fields)
    state = OrderState(common["state"])
    unknown = state == OrderState.REJECTED and _reason(fields, ORD_REJ_REASON) == UNKNOWN_ORDER
    leaves = 0 if unknown else common["leaves"]
    return Status(common["order_id"], state, unknown, read_quantity(fields, CUM_QTY, "0"), leaves, common)


def _common(fields: Fields) -> dict[str, int]:
    status = needed(fields, ORD_STATUS)
    if status not in STATES:
        raise MalformedMessage(f"OrdStatus {status!r} is not of FIX 4.4")
    order_id = order_id_of(fields)
    return {
        "order_id": order_id,
        "venue_reference": order_id,
        "venue_time_ns": read_time(fields.get(TRANSACT_TIME, "")),
        "price": read_price(fields, PRICE) if fields.get(PRICE) else 0,
        "leaves": read_quantity(fields, LEAVES_QTY, "0"),
        "state": STATES[status],
    }


def _fill(fields: Fields, exec_id: str) -> dict[str, int]:
    return {
        "kind": ReportKind.EXECUTED,
        "match_number": number_of(fields.get(SECONDARY_EXEC_ID) or exec_id),
        "price": read_price(fields, LAST_PX),
        "quantity": read_quantity(fields, LAST_QTY),
        "leaves": read_quantity(fields, LEAVES_QTY),
        "liquidity": LIQUIDITIES.get(fields.get(LAST_LIQUIDITY_IND, ""), Liquidity.NONE),
    }


def _broken(fields: Fields) -> dict[str, int]:
    repeated = fields[EXEC_TYPE] == "H" and fields.get(LAST_PX) and fields.get(LAST_QTY)
    return {
        "kind": ReportKind.BROKEN,
        "match_number": number_of(needed(fields, EXEC_REF_ID)),
        "price": read_price(fields, LAST_PX) if repeated else 0,
        "quantity": read_quantity(fields, LAST_QTY, "0") if repeated else 0,
    }


def _reason(fields: Fields, tag: int) -> int:
    text = fields.get(tag, "0")
    return min(int(text), 255) if text.isascii() and text.isdecimal() and len(text) < 10 else 255
