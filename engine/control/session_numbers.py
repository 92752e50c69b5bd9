"""Sequence numbers of a FIX session that people set: written once for each command, while nobody has the session.

QuickFIX's FileStore keeps both in a text of two numbers, `NEXT_OUT : NEXT_IN`; the loop's own sessions in `FixNumbers`.
"""

from __future__ import annotations

import re
from pathlib import Path

from engine.messages.control import DefineVenue
from engine.protocols.fix_bounds import BEGIN_STRINGS
from engine.venues.fix44 import read_settings
from engine.venues.fix44_config import session_directory

MARK = "numbers-set"
_NUMBERS = re.compile(r"\s*(\d+)\s*:\s*(\d+)\s*", re.ASCII)


def quickfix_name(body: DefineVenue) -> str:
    """How QuickFIX names the files of the session."""
    settings = read_settings(body.settings)
    return f"{BEGIN_STRINGS[settings.version]}-{settings.sender_comp_id}-{settings.target_comp_id}"


def quickfix_numbers(state: Path, body: DefineVenue) -> tuple[int, int] | None:
    """The next number expected and the next one sent; None before the first logon."""
    path = _numbers_path(state, body)
    match = _NUMBERS.fullmatch(path.read_text().replace("\0", " ")) if path.exists() else None
    return (int(match[2]), int(match[1])) if match else None


def set_quickfix_numbers(state: Path, body: DefineVenue, next_inbound: int, next_outbound: int) -> None:
    """As QuickFIX writes them, whole or not at all."""
    path = _numbers_path(state, body)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(f"{next_outbound:010d} : {next_inbound:010d}")
    draft.replace(path)


def _numbers_path(state: Path, body: DefineVenue) -> Path:
    return session_directory(state, body.venue) / "store" / f"{quickfix_name(body)}.seqnums"


def was_set(state: Path, venue: int, identity: str) -> bool:
    """Whether the numbers of this command were written: a start reads the command in the journal again."""
    path = session_directory(state, venue) / MARK
    return path.exists() and path.read_text() == identity


def note_set(state: Path, venue: int, identity: str) -> None:
    """Remember that they were."""
    path = session_directory(state, venue) / MARK
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{MARK}.new")
    draft.write_text(identity)
    draft.replace(path)
