"""The messages of the sessions that the loop speaks itself, for people, out of the journal's records.

A request of the journal is a message that we sent and an answer of a venue one that we received; they are named, and
their fields too, as the venue's protocol has them. Fields that no record keeps (heartbeats' numbers, constants of our
orders, checksums) are left out rather than made up. The loop itself does nothing for this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.messages.codes import Liquidity, OrderAction, RecordKind, ReportKind, SessionState, Side, TimeInForce
from engine.messages.prices import fixed_text
from engine.messages.records import BodyRecord
from engine.protocols import ouch42_layouts, ouch50_layouts
from engine.protocols.fix44 import LIMIT, LIMIT_ON_CLOSE, POSTS_ONLY, SIDES, TIMES_IN_FORCE, time_text
from engine.protocols.fix_dictionary import read_dictionary
from engine.protocols.layouts import Layout

SECOND_NS = 1_000_000_000
OF_NO_ORDER = 0
STRATEGY_MASK = 0xFFFFFF
SIDE_LETTERS = {int(Side.BUY): "B", int(Side.SELL): "S"}
OUCH_TIMES = {
    protocol: {
        int(TimeInForce.DAY): day,
        int(TimeInForce.POST_ONLY): day,
        int(TimeInForce.AT_OPEN): day,
        int(TimeInForce.AT_CLOSE): day,
        int(TimeInForce.IOC): immediate,
        int(TimeInForce.FOK): immediate,
    }
    for protocol, day, immediate in (("ouch50", "0", "3"), ("ouch42", "99998", "0"))
}
CROSS_TYPES = {int(TimeInForce.AT_OPEN): "O", int(TimeInForce.AT_CLOSE): "C"}
Fields = list[list[Any]]

OUCH_REQUESTS = {
    OrderAction.ENTER: "enter_order",
    OrderAction.REPLACE: "replace_order",
    OrderAction.CANCEL: "cancel_order",
    OrderAction.MODIFY: "modify_order",
    OrderAction.MASS_CANCEL: "mass_cancel",
    OrderAction.DISABLE_ENTRY: "disable_order_entry",
    OrderAction.ENABLE_ENTRY: "enable_order_entry",
}
OUCH_ANSWERS = {
    ReportKind.ACCEPTED: "accepted",
    ReportKind.REPLACED: "replaced",
    ReportKind.CANCELED: "canceled",
    ReportKind.EXPIRED: "canceled",
    ReportKind.EXECUTED: "executed",
    ReportKind.REJECTED: "rejected",
    ReportKind.CANCEL_REJECTED: "cancel_rejected",
    ReportKind.CANCEL_PENDING: "cancel_pending",
    ReportKind.BROKEN: "broken_trade",
    ReportKind.MODIFIED: "modified",
    ReportKind.RESTATED: "restated",
    ReportKind.PRIORITY_UPDATED: "priority_update",
}
FIX_REQUESTS = {OrderAction.ENTER: "D", OrderAction.CANCEL: "F", OrderAction.REPLACE: "G"}
FIX_EXEC_TYPES = {
    ReportKind.ACCEPTED: "0",
    ReportKind.REPLACED: "5",
    ReportKind.CANCELED: "4",
    ReportKind.REJECTED: "8",
    ReportKind.CANCEL_PENDING: "6",
}
OUCH_OPTIONS = ("post_only",)  # of OUCH 5.0, behind the fields of a message
OF_THE_VENUE = frozenset({OrderAction.MASS_CANCEL, OrderAction.DISABLE_ENTRY, OrderAction.ENABLE_ENTRY})
REFUSALS = frozenset({ReportKind.REJECTED, ReportKind.CANCEL_REJECTED})


def is_message(record: BodyRecord) -> bool:
    """Whether something went over the wire: reports that the engine itself concluded have no number of the venue's."""
    return record.kind != RecordKind.ORDER_REPORT or int(record.body["venue_sequence"]) > 0 or is_resent(record)


def is_resent(record: BodyRecord) -> bool:
    """Whether an order left again after an outage: the only message of ours that is no request."""
    return record.kind == RecordKind.ORDER_REPORT and int(record.body["kind"]) == ReportKind.RESENT


@dataclass(frozen=True)
class Spoken:
    """How a venue is spoken to: `version` of a FIX venue, `post_only` whether it knows the instruction."""

    protocol: str
    version: str = ""
    post_only: bool = True

    def time_in_force(self, body: Any) -> TimeInForce:
        """What was sent: a post-only order goes as a day order to a venue that does not know the instruction."""
        asked = TimeInForce(int(body["time_in_force"]))
        return TimeInForce.DAY if asked == TimeInForce.POST_ONLY and not self.post_only else asked


def describe_record(record: BodyRecord, spoken: Spoken, names: Mapping[int, str]) -> dict[str, Any]:
    """One record as a message: `order` is the order it is about, 0 for one of the session. `names`: instruments."""
    body = record.body
    made = {"time": clock_text(record.time_ns), "order": OF_NO_ORDER}
    if record.kind == RecordKind.SESSION_EVENT:
        state = SessionState(int(body["state"])).name
        numbers: Fields = [["", "next number expected", str(int(body["venue_sequence"]))]]
        return made | {"direction": "session", "type": "", "name": f"Session {state}", "fields": numbers}
    again = is_resent(record)
    asked = record.kind == RecordKind.ORDER_REQUEST or again
    if again or not (asked and OrderAction(int(body["action"])) in OF_THE_VENUE):
        made["order"] = int(body["order_id"])
    instrument = names.get(int(body["instrument"]), "")
    if spoken.protocol == "fix":
        kind, tags = _fix_request(body, spoken, instrument, record.time_ns) if asked else _fix_answer(body, instrument)
        title, fields = _fix_names(spoken.version, kind, tags)
    else:
        kind, title, fields = _ouch_again(body, instrument) if again else _ouch(body, spoken, asked, instrument)
    return made | {"direction": "out" if asked else "in", "type": kind, "name": title, "fields": fields}


def _ouch_again(body: Any, instrument: str) -> tuple[str, str, Fields]:
    """An order of OUCH 5.0 that left again; its record keeps what an answer has."""
    layout = LAYOUTS["ouch50", True]["enter_order"]
    values = {
        "user_reference": str(int(body["order_id"])),
        "side": SIDE_LETTERS.get(int(body["side"]), ""),
        "quantity": str(int(body["quantity"])),
        "instrument": instrument,
        "price": fixed_text(int(body["price"]), 4),
    }
    return (
        layout.code,
        f"{layout.title}, sent again",
        [["", "type", layout.code], *(["", *row] for row in values.items())],
    )


def clock_text(time_ns: int) -> str:
    """The time of day, UTC, in milliseconds."""
    return datetime.fromtimestamp(time_ns / SECOND_NS, UTC).strftime("%H:%M:%S.%f")[:-3]


def _ouch(body: Any, spoken: Spoken, asked: bool, instrument: str) -> tuple[str, str, Fields]:
    protocol = spoken.protocol
    name = OUCH_REQUESTS[OrderAction(int(body["action"]))] if asked else OUCH_ANSWERS[ReportKind(int(body["kind"]))]
    layout = LAYOUTS[protocol, asked][name]
    values = _ouch_request(body, spoken) if asked else _ouch_answer(body, protocol)
    values |= {"instrument": instrument, "side": SIDE_LETTERS.get(int(body["side"]), "")}
    values |= _ouch_orders(body, protocol, asked)
    shown: Fields = [["", "type", layout.code]]
    names = (*(row[0] for row in layout.rows), *OUCH_OPTIONS)
    shown += [["", name, values[name]] for name in names if values.get(name, "") != ""]
    if not asked:
        shown.append(["", "sequence", str(int(body["venue_sequence"]))])
    return layout.code, layout.title, shown


def _ouch_orders(body: Any, protocol: str, asked: bool) -> dict[str, str]:
    number = int(body["order_id"])
    target = int(body["target_order_id"]) if asked else 0
    if protocol == "ouch50":
        return {"user_reference": str(number), "original_user_reference": str(target or "")}
    strategy = int(body["strategy"]) & STRATEGY_MASK
    return {
        "token": f"{strategy:06X}{number:08X}",
        "original_token": f"{strategy:06X}{target:08X}" if target else "",
    }


def _ouch_request(body: Any, spoken: Spoken) -> dict[str, str]:
    action = OrderAction(int(body["action"]))
    if action == OrderAction.CANCEL:
        return {"quantity": "0"}
    if action in OF_THE_VENUE or action == OrderAction.MODIFY:
        return {}
    in_force = spoken.time_in_force(body)
    made = {"price": fixed_text(int(body["price"]), 4), "time_in_force": OUCH_TIMES[spoken.protocol][in_force]}
    if action == OrderAction.ENTER:
        made["quantity"] = str(int(body["quantity"]))  # a replacement's is the whole chain's, which no record has
        made["cross_type"] = CROSS_TYPES.get(in_force, "")
    if in_force == TimeInForce.POST_ONLY:
        made["post_only" if spoken.protocol == "ouch50" else "display"] = "P"
    return made


def _ouch_answer(body: Any, protocol: str) -> dict[str, str]:
    kind, number = ReportKind(int(body["kind"])), int(body["match_number"])
    of_a_trade = kind in (ReportKind.EXECUTED, ReportKind.BROKEN)
    reason = int(body["reason"])
    worded = str(reason) if kind == ReportKind.REJECTED and protocol == "ouch50" else chr(reason) if reason else ""
    return {
        "timestamp_ns": time_text(int(body["venue_time_ns"])) if int(body["venue_time_ns"]) else "",
        "quantity": str(int(body["quantity"])),
        "price": fixed_text(int(body["price"]), 4),
        "liquidity": Liquidity(int(body["liquidity"])).name.lower(),
        "match_number": str(number) if of_a_trade else "",
        "reference": str(number) if number and not of_a_trade else "",
        "reason": worded,
    }


def _fix_request(body: Any, spoken: Spoken, instrument: str, time_ns: int) -> tuple[str, dict[int, str]]:
    action, number = OrderAction(int(body["action"])), str(int(body["order_id"]))
    named = {54: SIDES[Side(int(body["side"]))], 55: instrument}
    if action == OrderAction.CANCEL:
        return "F", {41: number} | named | {60: time_text(time_ns)}
    made = {11: number}
    if action == OrderAction.REPLACE:
        made[41] = str(int(body["target_order_id"]))
    else:
        made[38] = str(int(body["quantity"]))
    terms = {40: LIMIT, 44: fixed_text(int(body["price"]), 4)}
    in_force = spoken.time_in_force(body)
    terms[59] = TIMES_IN_FORCE[in_force]
    if spoken.version == "4.2" and in_force == TimeInForce.AT_CLOSE:
        terms |= {40: LIMIT_ON_CLOSE, 59: TIMES_IN_FORCE[TimeInForce.DAY]}
    if in_force == TimeInForce.POST_ONLY:
        terms[18] = POSTS_ONLY
    return FIX_REQUESTS[action], made | terms | named | {60: time_text(time_ns)}


def _fix_answer(body: Any, instrument: str) -> tuple[str, dict[int, str]]:
    kind, reason = ReportKind(int(body["kind"])), int(body["reason"])
    made = {34: str(int(body["venue_sequence"])), 11: str(int(body["order_id"]))}
    if int(body["venue_time_ns"]):
        made[60] = time_text(int(body["venue_time_ns"]))
    if kind == ReportKind.CANCEL_REJECTED:
        return "9", made | {434: "1"} | ({102: str(reason)} if reason else {})
    if int(body["side"]):
        made |= {54: SIDES[Side(int(body["side"]))], 55: instrument}
    if kind in FIX_EXEC_TYPES:
        made[150] = FIX_EXEC_TYPES[kind]
    if kind in (ReportKind.EXECUTED, ReportKind.BROKEN):
        made |= {31: fixed_text(int(body["price"]), 4), 32: str(int(body["quantity"]))}
    elif kind in (ReportKind.ACCEPTED, ReportKind.REPLACED):
        quantity = 38 if kind == ReportKind.ACCEPTED else 151
        made |= {44: fixed_text(int(body["price"]), 4), quantity: str(int(body["quantity"]))}
    if kind == ReportKind.REJECTED and reason:
        made[103] = str(reason)
    return "8", made


def _fix_names(version: str, kind: str, fields: Mapping[int, str]) -> tuple[str, Fields]:
    names = read_dictionary(version)
    section = names.messages.get(kind)
    shown = [[tag, names.names.get(tag, f"Tag{tag}"), value] for tag, value in {35: kind, **fields}.items()]
    return section.name if section else "unknown", shown


def _by_name(layouts: tuple[Layout, ...]) -> dict[str, Layout]:
    return {layout.name: layout for layout in layouts}


LAYOUTS = {
    ("ouch50", True): _by_name(ouch50_layouts.INBOUND),
    ("ouch50", False): _by_name(ouch50_layouts.OUTBOUND),
    ("ouch42", True): _by_name(ouch42_layouts.INBOUND),
    ("ouch42", False): _by_name(ouch42_layouts.OUTBOUND),
}
