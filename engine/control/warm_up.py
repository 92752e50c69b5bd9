"""Everything hot, compiled before the engine says that it is up: a kill or a recovery is the wrong moment for a
compiler."""

from __future__ import annotations

from engine.algorithms import ALGORITHMS, compiled_algorithm
from engine.hotpath.entries import begin_numbers, run_loop
from engine.hotpath.memory import EngineMemory
from engine.journal.append import commit_journal, reserve_journal
from engine.journal.scratch import ScratchJournal
from engine.messages.codes import RecordKind
from engine.messages.instruments import Instrument
from engine.strategies import STRATEGIES, compiled_kind

ROOM = 1 << 16


def warm_up() -> None:
    """Seconds the first time a build runs, a fraction of one afterwards."""
    small = EngineMemory([Instrument(1, "A")], venue_count=1, strategy_count=2, order_capacity=64, book_orders=64)
    journal = ScratchJournal(ROOM)
    small.core["journal"] = small.core["recording"] = journal.writer
    begin_numbers(small.address)
    reserve_journal(journal.writer)
    commit_journal(journal.writer, int(RecordKind.ENGINE_STATE), 0)
    small.core["wake"] = 1
    run_loop(small.address)
    for name in STRATEGIES:
        compiled_kind(name)
    for name in ALGORITHMS:
        compiled_algorithm(name)
