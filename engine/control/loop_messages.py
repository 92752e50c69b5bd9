"""The last messages, rates and refusals of a session that the loop speaks itself: FIX, and OUCH over SoupBinTCP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.control.journalled_messages import REFUSALS, Spoken, clock_text, describe_record, is_message, is_resent
from engine.control.session_words import HIDDEN, describe_fix, order_of
from engine.journal.newest import newest_of_venue
from engine.journal.places import existing_places
from engine.messages.codes import RecordKind
from engine.messages.records import BodyRecord
from engine.messages.secrets import SECRET
from engine.protocols import fix, soupbintcp
from engine.protocols.fix44 import EXECUTION_REPORT, ORDER_CANCEL_REJECT
from engine.protocols.layouts import MalformedMessage
from engine.venues.session_log import SessionLog

RATE_NS = 60 * 1_000_000_000
MOST_RECORDS = 20_000
EXEC_TYPE, EXEC_TRANS_TYPE = 150, 20
NOTE = (
    "Orders and answers as the journal has them, with the fields that it keeps. Logons, resends and questions are kept "
    "since the engine's start; heartbeats are not."
)


def newest_records(state: Path, venue: int) -> list[BodyRecord]:
    """The venue's newest records of the engine's journal, the oldest of them first; none without a journal."""
    try:
        place = existing_places(state).journal
    except FileNotFoundError:
        return []
    return newest_of_venue(place, venue, MOST_RECORDS)


def describe_loop(
    records: list[BodyRecord],
    log: SessionLog,
    spoken: Spoken,
    names: Mapping[int, str],
    count: int,
    now_ns: int,
) -> dict[str, Any]:
    """What `session_view` shows of such a session; `count` messages in full, the newest first."""
    seen = [record for record in records if is_message(record)]
    asked = [record.time_ns for record in seen if record.kind == RecordKind.ORDER_REQUEST]
    answers = [record for record in seen if record.kind == RecordKind.ORDER_REPORT and not is_resent(record)]
    newest = [(r.time_ns, describe_record(r, spoken, names)) for r in seen[-count:]] if count > 0 else []
    for at, direction, frame in list(log.frames)[-count:] if count > 0 else ():
        shown = _fix_frame(frame, spoken.version) if spoken.protocol == "fix" else _soup_packet(frame)
        if shown is not None:
            newest.append((at, {"time": clock_text(at), "direction": direction} | shown))
    newest.sort(key=lambda pair: pair[0])
    since = now_ns - RATE_NS
    return {
        "messages": [shown for _, shown in newest[::-1][:count]],
        "why_no_messages": "" if newest else "No message was exchanged yet.",
        "note": NOTE,
        "rates": {
            "sent_per_second": round(sum(at > since for at in asked) / 60, 2),
            "received_per_second": round(sum(record.time_ns > since for record in answers) / 60, 2),
            "refused": sum(int(record.body["kind"]) in REFUSALS for record in answers),
            "of_messages": len(asked) + len(answers),
        },
    }


def _fix_frame(frame: bytes, version: str) -> dict[str, Any] | None:
    """None for what the journal has too: an answer that is no answer to a question of ours."""
    try:
        message = fix.decode(frame)
    except MalformedMessage:
        return None
    asked = message.get(EXEC_TYPE) == "I" or message.get(EXEC_TRANS_TYPE) == "3"
    if message.type in (EXECUTION_REPORT, ORDER_CANCEL_REJECT) and not asked:
        return None
    fields = list(message.fields)
    return describe_fix(fields, version) | {"order": order_of(fields)}


def _soup_packet(frame: bytes) -> dict[str, Any] | None:
    try:
        packet = soupbintcp.decode(frame)
    except MalformedMessage:
        return None
    fields = [
        ["", name, HIDDEN if SECRET.search(name) and str(value).strip() else str(value)]
        for name, value in packet.values.items()
    ]
    return {"type": packet.type, "name": packet.layout.title, "fields": fields, "order": 0}
