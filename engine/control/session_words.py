"""A FIX message for people: the names of its type and fields, no passwords, and the order that it is about."""

from __future__ import annotations

import re
from typing import Any

from engine.protocols.fix_dictionary import read_dictionary

MESSAGE_TYPE = 35
SECRETS = frozenset({96, 554, 925})  # RawData (the password of FIX 4.2), Password, NewPassword
HIDDEN = "••••••••"
OF_THE_SESSION = frozenset("01245A")
ORDER_TAGS = (11, 41, 379)  # ClOrdID, OrigClOrdID, BusinessRejectRefID
NO_ORDER, UNTOLD = 0, -1
_ORDER_ID = re.compile(r"([0-9]{1,18})(C[0-9]+)?", re.ASCII)


def describe_fix(fields: list[tuple[int, str]], version: str) -> dict[str, Any]:
    """Its type and fields: [tag, name, value] each."""
    names = read_dictionary(version)
    kind = next((value for tag, value in fields if tag == MESSAGE_TYPE), "")
    section = names.messages.get(kind)
    return {
        "type": kind,
        "name": section.name if section else "unknown",
        "fields": [
            [tag, names.names.get(tag, f"Tag{tag}"), HIDDEN if tag in SECRETS else value] for tag, value in fields
        ],
    }


def order_of(fields: list[tuple[int, str]]) -> int:
    """Our order that the message is about; 0 for one of the session, -1 when it does not tell: then it may be
    anybody's."""
    found = dict(reversed(fields))
    if found.get(MESSAGE_TYPE, "") in OF_THE_SESSION:
        return NO_ORDER
    for tag in ORDER_TAGS:
        match = _ORDER_ID.fullmatch(found.get(tag, ""))
        if match:
            return int(match[1])
    return UNTOLD
