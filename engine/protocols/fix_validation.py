"""What a message may not contain, by its version's dictionary, with SessionRejectReason(373) (FIX 4.4, volume 2)."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from engine.protocols.fix import FixMessage
from engine.protocols.fix_dictionary import Dictionary, Section


class SessionRejectReason(IntEnum):
    """Codes of SessionRejectReason(373)."""

    INVALID_TAG_NUMBER = 0
    REQUIRED_TAG_MISSING = 1
    TAG_NOT_DEFINED = 2
    TAG_WITHOUT_VALUE = 4
    INCORRECT_VALUE = 5
    INCORRECT_FORMAT = 6
    COMP_ID_PROBLEM = 9
    SENDING_TIME_PROBLEM = 10
    INVALID_MSG_TYPE = 11
    TAG_REPEATED = 13
    TAG_OUT_OF_ORDER = 14
    GROUP_COUNT = 16


SENTENCES = {
    SessionRejectReason.INVALID_TAG_NUMBER: "Invalid tag number",
    SessionRejectReason.REQUIRED_TAG_MISSING: "Required tag missing",
    SessionRejectReason.TAG_NOT_DEFINED: "Tag not defined for this message type",
    SessionRejectReason.TAG_WITHOUT_VALUE: "Tag specified without a value",
    SessionRejectReason.INCORRECT_VALUE: "Value is incorrect (out of range) for this tag",
    SessionRejectReason.INCORRECT_FORMAT: "Incorrect data format for value",
    SessionRejectReason.COMP_ID_PROBLEM: "CompID problem",
    SessionRejectReason.SENDING_TIME_PROBLEM: "SendingTime accuracy problem",
    SessionRejectReason.INVALID_MSG_TYPE: "Invalid MsgType",
    SessionRejectReason.TAG_REPEATED: "Tag appears more than once",
    SessionRejectReason.TAG_OUT_OF_ORDER: "Tag specified out of required order",
    SessionRejectReason.GROUP_COUNT: "Incorrect NumInGroup count for repeating group",
}


class Fault(NamedTuple):
    """Why a message is refused. `tag` is the field's, None when it is none in particular."""

    reason: SessionRejectReason
    tag: int | None = None

    @property
    def sentence(self) -> str:
        return SENTENCES[self.reason]


_DATE = r"\d{8}"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-6]\d(?:\.\d{1,12})?"
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_COUNT = re.compile(r"\d+", re.ASCII)
_DECIMAL = re.compile(r"-?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_LETTER = re.compile(r".")
FORMATS = {
    **dict.fromkeys(("INT", "DAYOFMONTH"), _WHOLE),
    **dict.fromkeys(("SEQNUM", "LENGTH", "NUMINGROUP"), _COUNT),
    **dict.fromkeys(("FLOAT", "PRICE", "QTY", "AMT", "PERCENTAGE", "PRICEOFFSET", "QUANTITY"), _DECIMAL),
    "CHAR": _LETTER,
    "BOOLEAN": re.compile(r"[YN]"),
    "UTCTIMESTAMP": re.compile(f"{_DATE}-{_CLOCK}", re.ASCII),
    "UTCTIMEONLY": re.compile(_CLOCK, re.ASCII),
    **dict.fromkeys(("UTCDATE", "UTCDATEONLY", "LOCALMKTDATE", "DATE"), re.compile(_DATE, re.ASCII)),
}
SEVERAL = frozenset({"MULTIPLEVALUESTRING", "MULTIPLESTRINGVALUE", "MULTIPLECHARVALUE"})


def find_fault(message: FixMessage, dictionary: Dictionary) -> Fault | None:
    """The first thing wrong with a message's type, order, required fields, values or groups; None when it is right."""
    header = dictionary.header.tags | {35}
    body_began = False
    for tag, _ in message.fields:
        if tag in header and body_began:
            return Fault(SessionRejectReason.TAG_OUT_OF_ORDER, tag)
        body_began = body_began or tag not in header
    section = dictionary.messages.get(message.type)
    if section is None:
        return Fault(SessionRejectReason.INVALID_MSG_TYPE)
    present = {tag for tag, _ in message.fields} | {8, 9, 10}
    for required in (dictionary.header.required, dictionary.trailer.required, section.required):
        missing = required - present
        if missing:
            return Fault(SessionRejectReason.REQUIRED_TAG_MISSING, min(missing))
    return _field_fault(message, dictionary, section)


def _field_fault(message: FixMessage, dictionary: Dictionary, section: Section) -> Fault | None:
    known = dictionary.header.tags | dictionary.trailer.tags | section.tags | {35}
    seen: set[int] = set()
    members: set[int] = set()
    for place, (tag, value) in enumerate(message.fields):
        if tag in seen and tag not in members:
            return Fault(SessionRejectReason.TAG_REPEATED, tag)
        seen.add(tag)
        fault = _value_fault(tag, value, dictionary)
        if fault is not None:
            return fault
        if tag not in known:
            return Fault(SessionRejectReason.TAG_NOT_DEFINED, tag)
        if tag in section.groups:
            entries = section.groups[tag]
            members.update(entries)
            if _entries_after(message, place, entries) != int(value):
                return Fault(SessionRejectReason.GROUP_COUNT, tag)
    return None


def _value_fault(tag: int, value: str, dictionary: Dictionary) -> Fault | None:
    if not value:
        return Fault(SessionRejectReason.TAG_WITHOUT_VALUE, tag)
    if tag not in dictionary.types:
        return Fault(SessionRejectReason.INVALID_TAG_NUMBER, tag)
    kind = dictionary.types[tag]
    form = FORMATS.get(kind)
    if form is not None and not form.fullmatch(value):
        return Fault(SessionRejectReason.INCORRECT_FORMAT, tag)
    allowed = dictionary.values.get(tag)
    given = value.split(" ") if kind in SEVERAL else [value]
    if allowed is not None and not allowed.issuperset(given):
        return Fault(SessionRejectReason.INCORRECT_VALUE, tag)
    return None


def _entries_after(message: FixMessage, place: int, entries: list[int]) -> int:
    """How many entries of a group follow its count: each begins with the group's first field."""
    first = message.fields[place + 1][0] if place + 1 < len(message.fields) else 0
    counted = 0
    for tag, _ in message.fields[place + 1 :]:
        if tag not in entries:
            break
        counted += tag == first
    return counted


def ordered(fields: list[tuple[int, str]], section: Section | None) -> list[tuple[int, str]]:
    """Fields of a body by tag; the entries of a group stay behind its count as they are."""
    placed: list[tuple[int, int, tuple[int, str]]] = []
    anchor, members = 0, list[int]()
    for index, pair in enumerate(fields):
        if pair[0] not in members:
            anchor = pair[0]
            members = section.groups.get(anchor, []) if section else []
        placed.append((anchor, index, pair))
    return [pair for _, _, pair in sorted(placed)]
