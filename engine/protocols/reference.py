"""Writes the message tables of docs/protocols/ from the layouts: `python -m engine.protocols.reference docs/protocols`.

The prose of a page is written by hand; what lies between the two marks is written here, and a test compares it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.protocols import itch50_layouts, moldudp64_layouts, ouch42_layouts, ouch50_layouts, soupbintcp_layouts
from engine.protocols.layouts import Layout, table

BEGIN = "<!-- tables: begin -->"
END = "<!-- tables: end -->"


def _tables(layouts: Iterable[Layout]) -> Iterator[str]:
    for layout in layouts:
        yield from table(layout)


def _both_ways(inbound: Iterable[Layout], outbound: Iterable[Layout]) -> Iterator[str]:
    yield from ("## Inbound, to the venue", "")
    yield from _tables(inbound)
    yield from ("## Outbound, from the venue", "")
    yield from _tables(outbound)


def _ouch50() -> Iterator[str]:
    yield from _both_ways(ouch50_layouts.INBOUND, ouch50_layouts.OUTBOUND)
    yield from ("## Options of an appendage", "", "| tag | length | field | type | meaning |", "|---|---|---|---|---|")
    for tag, (name, kind, meaning) in ouch50_layouts.OPTIONS.items():
        yield f"| {tag} | {kind.length} | `{name}` | {kind.name} | {meaning} |"
    yield ""


def sections() -> dict[str, str]:
    """The generated part of every page, by file name."""
    lines = {
        "itch50.md": _tables((*itch50_layouts.MESSAGES, itch50_layouts.END_OF_SNAPSHOT)),
        "moldudp64.md": _tables(moldudp64_layouts.MESSAGES),
        "ouch42.md": _both_ways(ouch42_layouts.INBOUND, ouch42_layouts.OUTBOUND),
        "ouch50.md": _ouch50(),
        "soupbintcp.md": _tables(soupbintcp_layouts.MESSAGES),
    }
    return {name: "\n".join(part).rstrip() for name, part in lines.items()}


def with_tables(page: str, section: str) -> str:
    """The page with its generated part replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Rewrite the tables of every page in a folder."""
    (folder,) = arguments
    for name, section in sections().items():
        path = Path(folder) / name
        path.write_text(with_tables(path.read_text(), section))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
