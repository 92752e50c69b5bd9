"""A file of instruments that has grown: the journal of before means what it meant."""

from __future__ import annotations

from typing import Any

import pytest

from engine.hotpath.tables import LEG
from engine.messages.codes import ReportKind, TimeInForce
from engine.messages.instruments import Instrument
from engine.protocols import itch50
from tests.engine.control.test_replay import MIDDLE, Lived, manual, parent, replayed, smart, state_of
from tests.engine.loop_builder import BUY, SELL


def test_an_engine_that_lists_more_instruments_makes_the_same_journal_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of instruments has grown since. What the feed said of the new ones was recorded all along."""
    delta = Instrument(4, "DELTA", tick_size=100)
    lived = Lived()
    quoted: dict[str, Any] = {"reference": 1 << 40, "side": "B", "quantity": 100, "price": MIDDLE}
    message = {"stock_locate": delta.id, "instrument": delta.name, "timestamp_ns": lived.now} | quoted
    lived.packet([itch50.encode("add_order", **message)])
    lived.command(parent(lived, "twap", BUY, 0))
    lived.command(smart(SELL, 700, 0, int(TimeInForce.DAY)))
    for ticks in (20, -20, 0):
        lived.swing(ticks)
        for which, kind in enumerate((ReportKind.EXECUTED, ReportKind.ACCEPTED, ReportKind.CANCELED)):
            lived.answer_some(kind, which, 40)
    lived.command(manual(BUY, 1_000_000))
    expected = state_of(lived.memory, lived.configuration)

    made = replayed(lived, monkeypatch, added=(delta,))

    found = state_of(made.memory, made.commands.configuration)
    wider = {"cells", "marks", "volumes", "learned", "tops", "legs"}  # a row for each instrument, or the number of one
    assert made.found.followed
    assert {name: found[name] for name in found if name not in wider} == {
        name: expected[name] for name in expected if name not in wider
    }
    width, wide = lived.memory.width, made.memory.width
    same = [name for name in LEG.names or () if name != "listing"]
    assert made.memory.legs[same].tolist() == lived.memory.legs[same].tolist()
    cells = made.memory.cells.reshape(-1, wide)[:, :width]
    assert cells.tobytes() == lived.memory.cells.reshape(-1, width).tobytes()
    assert int(made.memory.book.tops[made.memory.listing(1, delta.id)]["bid"]) == MIDDLE
