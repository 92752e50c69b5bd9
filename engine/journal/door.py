"""`python -m engine journal verify|dump|replay PATH`: check the two logs, print them, or run them again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.journal.places import Places, existing_places
from engine.journal.reader import LogReader, Packet, all_packets, all_records, merged
from engine.journal.tails import JournalCorrupt
from engine.journal.verify import verify_logs
from engine.messages.names import named_fields
from engine.messages.records import BodyRecord, TextRecord
from engine.messages.secrets import without_secrets


def main(arguments: list[str]) -> int:
    """Run the door. 0: done and whole; 1: damaged, not identical, or refused."""
    chosen = _parser().parse_args(arguments)
    try:
        places = existing_places(chosen.path)
        return int(chosen.action(places, chosen))
    except (FileNotFoundError, LookupError, ValueError, JournalCorrupt) as refusal:
        print(f"journal: {refusal}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine journal", description=__doc__)
    actions = parser.add_subparsers(required=True)
    for name, action in (("verify", _verify), ("dump", _dump), ("replay", _replay)):
        sub = actions.add_parser(name)
        sub.add_argument("path", type=Path, help="a state directory, or a directory with journal/ and recording/ in it")
        sub.add_argument("--json", action="store_true", help="the last line is one JSON object")
        sub.set_defaults(action=action)
        if name == "dump":
            sub.add_argument("--log", choices=("both", "journal", "recording"), default="journal")
            sub.add_argument("--after", type=int, default=0, help="begin after this sequence (or recording position)")
            sub.add_argument("--count", type=int, default=1 << 62, help="print at most this many")
    return parser


def _verify(places: Places, chosen: argparse.Namespace) -> int:
    report = verify_logs(places)
    if chosen.json:
        print(json.dumps(report))
    else:
        state = "intact" if report["intact"] else "DAMAGED"
        print(f"{report['records']} records, {report['packets']} packets: {state}")
        print(f"torn tail: {report['torn_tail_bytes']} bytes; sealed segments: {report['chain']['sealed']}")
        for fault in (report["first_bad"], report["chain"]["fault"]):
            if fault:
                print(fault if isinstance(fault, str) else f"{fault['file']}: {fault['reason']}")
    return 0 if report["intact"] else 1


def _events(places: Places, log: str, after: int) -> Iterator[Packet | BodyRecord | TextRecord]:
    if log == "journal":
        return all_records(LogReader(places.journal, after))
    if log == "recording":
        return all_packets(LogReader(places.recording, after))
    return merged(places, after)


def _dump(places: Places, chosen: argparse.Namespace) -> int:
    printed = 0
    for event in _events(places, chosen.log, chosen.after):
        if printed >= chosen.count:
            break
        print(json.dumps(readable(event)))
        printed += 1
    if chosen.json:
        print(json.dumps({"records": printed}))
    return 0


def readable(event: Packet | BodyRecord | TextRecord) -> dict[str, Any]:
    """A record as JSON: codes by name, a packet's bytes in hexadecimal, passwords of venues not at all."""
    if isinstance(event, Packet):
        return {"log": "recording", **event._asdict(), "payload": event.payload.hex()}
    head = {"log": "journal", "sequence": event.sequence, "time_ns": event.time_ns, "record": event.kind.name}
    if isinstance(event, TextRecord):
        return {**head, "position": event.position, "document": without_secrets(event.document)}
    return {**head, **named_fields(event.kind, event.body)}


def _replay(_places: Places, chosen: argparse.Namespace) -> int:
    # The replay runs the whole pipeline, which lies above the journal: it is looked up, not imported.
    report = import_module("engine.replay").replay_journal(chosen.path)
    print(json.dumps(report) if chosen.json else "\n".join(f"{name}: {value}" for name, value in report.items()))
    return 0 if report["identical"] else 1
