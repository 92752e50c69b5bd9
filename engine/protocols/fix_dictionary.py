"""What a FIX version's data dictionary says of messages and fields: names, types, values, what is required, groups.

Read from the dictionaries that QuickFIX installs (`<prefix>/share/quickfix`), the specifications in XML.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FILES = {"4.2": ("FIX42.xml",), "4.4": ("FIX44.xml",), "5.0SP2": ("FIXT11.xml", "FIX50SP2.xml")}


@dataclass
class Section:
    """Fields of a message, header or trailer. `groups`: the count's tag, and the tags that its entries may have."""

    name: str = ""
    tags: set[int] = field(default_factory=set)
    required: set[int] = field(default_factory=set)
    groups: dict[int, list[int]] = field(default_factory=dict)


@dataclass
class Dictionary:
    """One version. Types are the specification's (`PRICE`, `UTCTIMESTAMP`, ...)."""

    names: dict[int, str] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)
    values: dict[int, set[str]] = field(default_factory=dict)
    header: Section = field(default_factory=Section)
    trailer: Section = field(default_factory=Section)
    messages: dict[str, Section] = field(default_factory=dict)


class _Reader:
    def __init__(self, made: Dictionary, root: Any) -> None:
        self._made, self._root = made, root
        self._numbers = {name: tag for tag, name in made.names.items()}
        self._components = {item.get("name"): item for item in root.findall("components/component")}

    def read(self) -> None:
        for item in self._root.findall("fields/field"):
            tag = int(item.get("number"))
            self._made.names[tag] = item.get("name")
            self._made.types[tag] = item.get("type")
            self._numbers[item.get("name")] = tag
            values = {value.get("enum") for value in item.findall("value")}
            if values:
                self._made.values[tag] = values
        for name in ("header", "trailer"):
            self._fill(getattr(self._made, name), self._root.find(name), needed=True)
        for item in self._root.findall("messages/message"):
            section = self._made.messages.setdefault(item.get("msgtype"), Section(item.get("name")))
            self._fill(section, item, needed=True)

    def _fill(self, section: Section, parent: Any, needed: bool) -> None:
        for item in parent:
            required = needed and item.get("required") == "Y"
            if item.tag == "component":
                self._fill(section, self._components[item.get("name")], required)
                continue
            tag = self._numbers[item.get("name")]
            section.tags.add(tag)
            if required:
                section.required.add(tag)
            if item.tag == "group":
                section.groups[tag] = list(self._entries(item))
                self._fill(section, item, needed=False)

    def _entries(self, parent: Any) -> Iterator[int]:
        for item in parent:
            if item.tag == "component":
                yield from self._entries(self._components[item.get("name")])
                continue
            yield self._numbers[item.get("name")]
            if item.tag == "group":
                yield from self._entries(item)


def dictionary_folder() -> Path:
    """Where QuickFIX installed its dictionaries."""
    return Path(sys.prefix) / "share" / "quickfix"


@cache
def read_dictionary(version: str) -> Dictionary:
    """The dictionary of "4.2", "4.4" or "5.0SP2" (with its transport FIXT.1.1). OSError when it is not installed."""
    made = Dictionary()
    for name in FILES[version]:
        # A file of the installed package, not input from anywhere.
        _Reader(made, ElementTree.parse(dictionary_folder() / name).getroot()).read()  # noqa: S314
    return made
