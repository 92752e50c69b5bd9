"""Order numbers: in the journal before they are used, never given twice."""

from __future__ import annotations

from engine.hotpath.entries import begin_numbers
from engine.hotpath.numbers import AHEAD, BLOCK
from engine.messages.codes import RecordKind, ReportKind
from engine.messages.records import BodyRecord
from tests.engine.loop_builder import ALPHA, Loop


def begun() -> Loop:
    loop = Loop()
    loop.wide_limits()
    loop.quote(ALPHA, 999_900, 1_000_100)
    loop.taken()
    begin_numbers(loop.address)
    return loop


def blocks(loop: Loop) -> list[tuple[int, int]]:
    return [(row["first"], row["last"]) for row in loop.bodies(RecordKind.ORDER_NUMBERS)]


def test_a_start_journals_a_block_and_the_next_start_begins_after_it() -> None:
    loop = begun()
    assert (loop.enter(), blocks(loop)) == (1, [(1, BLOCK)])
    loop.report(ReportKind.CANCELED, 1)
    begin_numbers(loop.address)
    assert (loop.enter(), blocks(loop)) == (BLOCK + 1, [(BLOCK + 1, 2 * BLOCK)])


def test_the_next_block_is_journalled_half_a_block_before_its_first_number() -> None:
    loop = begun()
    loop.core["next_order_id"] = BLOCK - AHEAD - 1
    assert (loop.enter(), blocks(loop)) == (BLOCK - AHEAD - 1, [(1, BLOCK)])
    assert (loop.enter(), blocks(loop)) == (BLOCK - AHEAD, [(BLOCK + 1, 2 * BLOCK)])
    assert (loop.enter(), blocks(loop)) == (BLOCK - AHEAD + 1, [])


def test_a_number_whose_row_an_old_order_still_has_is_passed_over() -> None:
    loop = begun()
    assert loop.enter() == 1
    begin_numbers(loop.address)
    assert loop.enter() == BLOCK + 2


def test_denials_and_orders_never_use_a_number_that_no_block_before_them_holds() -> None:
    loop = begun()
    last = 0
    for _ in range(40):
        loop.core["next_order_id"] = int(loop.core["next_order_id"]) + 1_111
        loop.enter(quantity=10**6)  # denied, and a number all the same
        for record in loop.taken():
            if not isinstance(record, BodyRecord):
                continue
            if record.kind == RecordKind.ORDER_NUMBERS:
                assert record.body["first"] == last + 1
                last = int(record.body["last"])
            elif record.kind == RecordKind.DENIAL:
                assert record.body["order_id"] <= last
    assert last > 40_000
