"""`python -m engine journal replay PATH`: does this build make the same journal of the same input, byte for byte?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.build import build_hash
from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.control.recovery import Diverged, Replay
from engine.hotpath.memory import EngineMemory
from engine.journal.places import Places, existing_places
from engine.journal.reader import LogReader, all_records
from engine.messages.codes import RecordKind
from engine.messages.instruments import Instrument
from engine.messages.records import TextRecord, runs


def replay_journal(path: Path) -> dict[str, Any]:
    """Replay the logs under `path` (a state directory) into fresh memory.

    `identical` is true when every record was made again; else `first_difference` says where it was not, or that
    another build wrote the journal. `undecided_bytes`: what the last packets caused and a kill kept from the journal.
    """
    places = existing_places(path)
    first = next(all_records(LogReader(places.journal)), None)
    if first is None:
        return {"records": 0, "packets": 0, "identical": True, "build": build_hash()}
    if not isinstance(first, TextRecord) or first.kind != RecordKind.ENGINE_STARTED:
        raise ValueError(f"the journal of {path} does not begin with the start of an engine")
    # The newest start knows every instrument: a list may grow between two starts and never shrinks.
    started = _last_start(places) or first.document
    instruments = [Instrument(**row) for row in started["instruments"]]
    memory = EngineMemory(instruments, venue_count=started["venue_count"], strategy_count=started["strategy_count"])
    configuration = Configuration(memory, {row.id: row.name for row in instruments})
    replay = Replay(places, memory, Commands(configuration, lambda _document: 0))
    difference = ""
    try:
        replay.run()
    except Diverged as error:
        difference = str(error)
    found = replay.found
    if not found.followed:
        difference = f"build {found.build} wrote it, this is {build_hash()}"
    report: dict[str, Any] = {"records": found.records, "packets": found.position, "identical": not difference}
    report |= {"build": build_hash(), "undecided_bytes": len(found.extra)}
    return report | ({"first_difference": difference} if difference else {})


def _last_start(places: Places) -> dict[str, Any] | None:
    """What the newest start of an engine in the journal says of itself."""
    found = None
    reader = LogReader(places.journal)
    while (span := reader.next_span()) is not None:
        for run in runs(span.data):
            if isinstance(run, TextRecord) and run.kind == RecordKind.ENGINE_STARTED:
                found = run.document
    return found
