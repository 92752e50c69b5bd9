"""What people see of a venue's order session: numbers, rates and the last messages, both directions, newest first.

QuickFIX writes every message to the session's log; those of the loop's own sessions are in the journal
(`loop_messages`). Each message names its order, 0 for one of the session and -1 for one that may be anybody's.
Passwords are never shown.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.control.configuration import Configuration
from engine.control.journalled_messages import Spoken
from engine.control.loop_messages import describe_loop, newest_records
from engine.control.session_numbers import quickfix_name, quickfix_numbers
from engine.control.session_words import MESSAGE_TYPE, describe_fix, order_of
from engine.messages import control
from engine.messages.codes import SessionState
from engine.messages.control import Command, DefineVenue, Status, ViewSession
from engine.venues import fix as loop_fix
from engine.venues.fix44 import read_settings
from engine.venues.fix44_config import session_directory

TAIL_BYTES = 256 << 10
MOST_MESSAGES = 200
RATE_SECONDS = 60.0
SENDER_COMP_ID, EXEC_TYPE = 49, 150
IN_THE_LOOP = ("fix", "ouch50", "ouch42")
REJECTS = frozenset("3j9")
SEPARATOR, SOH = " : ", "\x01"
NONE_KEPT = "The messages of this session are the orders and fills of the blotter; none is kept beside them."


def view_session(configuration: Configuration, state: Path, command: Command) -> Status:
    """The answer to VIEW_SESSION."""
    try:
        asked = control.decode_body(command)
    except ValueError as error:
        return Status(command.id, control.REFUSED, str(error))
    body = configuration.venues.get(asked.venue)
    if body is None:
        return Status(command.id, control.REFUSED, f"venue {asked.venue} is not defined")
    return Status(command.id, control.APPLIED, "", _seen(configuration, state, body, asked))


def _seen(configuration: Configuration, state: Path, body: DefineVenue, asked: ViewSession) -> dict[str, Any]:
    row = configuration.memory.venues[body.venue]
    made: dict[str, Any] = {
        "venue": body.venue,
        "protocol": body.protocol,
        "session": SessionState(int(row["session"])).name,
        "connected": body.venue not in configuration.disconnected,
        "why": configuration.complaints.get(body.venue, ""),
        "next_inbound": int(row["next_inbound"]),
        "next_outbound": None,
        "numbered": body.protocol in ("fix44", "fix"),
        "orders": int(row["orders"]),
        "fills": int(row["fills"]),
        "rejects": int(row["rejects"]),
        "messages": [],
        "why_no_messages": NONE_KEPT,
        "note": "",
        "rates": {},
    }
    if body.protocol == "fix44":
        made["next_inbound"], made["next_outbound"] = quickfix_numbers(state, body) or (1, 1)
        lines = read_tail(session_directory(state, body.venue) / "log" / f"{quickfix_name(body)}.messages.current.log")
        settings = read_settings(body.settings)
        made |= describe(lines, settings.sender_comp_id, settings.version, asked.messages)
    elif body.protocol in IN_THE_LOOP:
        made |= _seen_in_loop(configuration, state, body, asked.messages)
        if body.protocol == "fix":
            made["next_outbound"] = int(configuration.outbound_numbers.get(body.venue, 0)) or None
    return made


def _seen_in_loop(configuration: Configuration, state: Path, body: DefineVenue, count: int) -> dict[str, Any]:
    version = loop_fix.read_settings(body.settings).session.version if body.protocol == "fix" else ""
    knows = bool(configuration.memory.venues[body.venue]["post_only"])
    return describe_loop(
        newest_records(state, body.venue),
        configuration.session_log(body.venue),
        Spoken(body.protocol, version, knows),
        configuration.names,
        min(count, MOST_MESSAGES),
        time.time_ns(),
    )


def read_tail(path: Path) -> list[str]:
    """The last whole lines of a log that somebody else appends to; none when there is no log."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - TAIL_BYTES))
            raw = file.read(TAIL_BYTES)
    except OSError:
        return []
    lines = raw.decode("latin-1").split("\n")
    return lines[1 if size > TAIL_BYTES else 0 : -1]


def describe(lines: list[str], ours: str, version: str, count: int) -> dict[str, Any]:
    """The messages of a QuickFIX log: rates of the last minute, what was refused, and the newest `count` in full."""
    parsed = [line for line in (_parsed(line, ours) for line in lines) if line is not None]
    newest = parsed[-1][0] if parsed else 0.0
    recent = [(at, sent) for at, sent, _ in parsed if newest - at < RATE_SECONDS]
    covered = max(newest - recent[0][0], 1.0) if recent else 1.0
    sent = Counter(direction for _, direction in recent)
    shown = parsed[: -min(count, MOST_MESSAGES) - 1 : -1] if count > 0 else []
    return {
        "messages": [_message(at, direction, fields, version) for at, direction, fields in shown],
        "why_no_messages": "" if parsed else "No message was exchanged yet.",
        "rates": {
            "sent_per_second": round(sent["out"] / covered, 2),
            "received_per_second": round(sent["in"] / covered, 2),
            "refused": sum(_is_refusal(fields) for _, direction, fields in parsed if direction == "in"),
            "of_messages": len(parsed),
        },
    }


Parsed = tuple[float, str, list[tuple[int, str]]]


def _parsed(line: str, ours: str) -> Parsed | None:
    stamp, separator, text = line.partition(SEPARATOR)
    if not separator or not text.startswith("8="):
        return None
    try:
        at = datetime.strptime(stamp[:17], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp()
        at += float(f"0{stamp[17:] or '.0'}")
    except ValueError:
        return None
    fields = []
    for pair in text.split(SOH):
        tag, equals, value = pair.partition("=")
        if equals and tag.isascii() and tag.isdecimal() and len(tag) < 10:
            fields.append((int(tag), value))
    sender = next((value for tag, value in fields if tag == SENDER_COMP_ID), "")
    return at, "out" if sender == ours else "in", fields


def _message(at: float, direction: str, fields: list[tuple[int, str]], version: str) -> dict[str, Any]:
    said = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
    return {"time": said, "direction": direction, "order": order_of(fields)} | describe_fix(fields, version)


def _is_refusal(fields: list[tuple[int, str]]) -> bool:
    found = dict(fields)
    kind = found.get(MESSAGE_TYPE, "")
    return kind in REJECTS or (kind == "8" and found.get(EXEC_TYPE) == "8")
