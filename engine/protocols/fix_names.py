"""A FIX message with its fields named, for people: ClOrdID(11) is `cl_ord_id`, a tag that no dictionary has `tag_9999`.

Names are those of the version's dictionary. A field that repeats (in a group) is a list, in wire order.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from engine.protocols.fix import FixMessage
from engine.protocols.fix_dictionary import Dictionary, read_dictionary
from engine.protocols.layouts import Kind, Layout, Message

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TEXT = Kind("text", 0, "", "")
VERSIONS = {"FIX.4.2": "4.2", "FIXT.1.1": "5.0SP2"}


def words(name: str) -> str:
    """The name as a word in lower case: ClOrdID is cl_ord_id."""
    return _WORD.sub("_", name).lower()


@cache
def _dictionary(begin_string: str) -> Dictionary:
    return read_dictionary(VERSIONS.get(begin_string, "4.4"))


def named(message: FixMessage) -> Message:
    """Values are the text of the fields."""
    dictionary = _dictionary(message.begin_string)
    section = dictionary.messages.get(message.type)
    values: dict[str, Any] = {"begin_string": message.begin_string}
    for tag, value in message.fields[1:]:
        name = words(dictionary.names.get(tag, f"tag_{tag}"))
        if name not in values:
            values[name] = value
        elif isinstance(values[name], list):
            values[name].append(value)
        else:
            values[name] = [values[name], value]
    title = section.name if section else "unknown"
    rows = tuple((name, _TEXT, "") for name in values)
    return Message(Layout(words(title), message.type, title, rows), values)
