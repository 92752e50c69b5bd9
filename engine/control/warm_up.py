"""Everything hot that the cold path calls now and then, compiled before the engine says that it is up: a kill or a
recovery is the wrong moment for a compiler."""

from __future__ import annotations

import numpy as np

from engine.hotpath.changes import changeable, modify, replace
from engine.hotpath.fix_sessions import take_fix_message
from engine.hotpath.mark import middle_of
from engine.hotpath.memory import EngineMemory
from engine.hotpath.numbers import begin_numbers
from engine.hotpath.orders import find_order
from engine.hotpath.pipeline import run_loop
from engine.hotpath.replay import PROGRESS, apply_event, follow_records, replay_input
from engine.hotpath.reports import own_report
from engine.hotpath.requests import cancel, cancel_matching, enter
from engine.hotpath.sending import send_account_query
from engine.hotpath.sessions import session_event
from engine.hotpath.snapshot_feed import consume_snapshot
from engine.hotpath.snapshot_join import begin_again, begin_snapshot, join_snapshot
from engine.hotpath.venue_requests import assert_venue_kills
from engine.journal.append import commit_journal, reserve_journal
from engine.journal.scratch import ScratchJournal
from engine.messages.codes import RecordKind, ReportKind, SessionState, Side
from engine.messages.instruments import Instrument
from engine.native import address_of, touched
from engine.strategies import STRATEGIES, compiled_kind

ROOM = 1 << 16


def warm_up() -> None:
    """Seconds the first time a build runs, a fraction of one afterwards."""
    small = EngineMemory([Instrument(1, "A")], venue_count=1, strategy_count=2, order_capacity=64, book_orders=64)
    journal = ScratchJournal(ROOM)
    small.core["journal"] = small.core["recording"] = journal.writer
    engine, state = small.address, int(RecordKind.ENGINE_STATE)
    begin_numbers(engine)
    session_event(engine, 1, int(SessionState.UP), 1, 1, 0, 0)
    assert_venue_kills(engine)
    send_account_query(engine, 1)
    enter(engine, 0, 0, -1, 1, 1, int(Side.BUY), 100, 1, 1, 0.0)
    cancel(engine, 1)
    modify(engine, 1, 1, 0.0)
    replace(engine, 1, 100, 1, 0.0)
    find_order(engine, 1)
    changeable(engine, address_of(small.orders))
    cancel_matching(engine, 0, -1, -1)
    own_report(engine, 1, 0, int(ReportKind.EXPIRED))
    take_fix_message(engine, 1, address_of(small.report), 0)
    body = int(reserve_journal(journal.writer))
    apply_event(engine, state, body)
    commit_journal(journal.writer, state, 0)
    replay_input(engine, int(RecordKind.ENGINE_STARTED), 0, address_of(small.report))
    follow_records(engine, journal.cursor, address_of(touched(1, PROGRESS)), 0, 0)
    top = small.book.tops[0]
    middle_of(top["bid"], top["bid_quantity"], top["ask"], top["ask_quantity"])
    begin_snapshot(engine, 1, 2)
    packet = touched(20, np.dtype("u1"))
    consume_snapshot(engine, 1, address_of(packet), 20)
    join_snapshot(engine, 1, 2)
    begin_again(engine, 1)
    small.core["wake"] = 1
    run_loop(engine)
    for name in STRATEGIES:
        compiled_kind(name)
