"""Executions that a FIX venue says again, takes back or corrects, as the loop books them."""

from __future__ import annotations

import pytest

from engine.hotpath.entries import take_fix_report
from engine.messages.codes import RecordKind, ReportKind
from engine.protocols.fix_fields import parse_fields
from tests.engine.loop_builder import ALPHA, BUY, VENUE, Loop
from tests.engine.protocols.test_fix_reports import BASE, answer

K = ReportKind


@pytest.fixture(scope="module")
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, 999_900, 1_000_100)
    return made


def say(loop: Loop, order_id: int, **tags: str) -> None:
    """One ExecutionReport(8) about the order; `E19="55"` is ExecRefID(19)."""
    fields = BASE | {11: str(order_id)} | {int(tag[1:]): value for tag, value in tags.items()}
    raw = answer(fields)
    address = loop.place(raw)
    kind = parse_fields(address, len(raw), loop.core["fix_fields"])
    assert take_fix_report(loop.address, VENUE, kind, 7) == 1


def told(loop: Loop) -> list[tuple[int, int, int, int]]:
    reports = loop.bodies(RecordKind.ORDER_REPORT)
    return [(r["kind"], r["quantity"], r["leaves"], r["duplicate"]) for r in reports]


def test_an_execution_that_is_sent_again_under_another_number_is_booked_once(loop: Loop) -> None:
    order_id = loop.enter(BUY, 100, 1_000_000)
    loop.taken()
    before = int(loop.cell(0)["position"])
    for _ in range(2):
        say(loop, order_id, E150="F", E17="55", E31="100", E32="40")
    assert int(loop.cell(0)["position"]) == before + 40
    assert told(loop) == [(K.EXECUTED, 40, 60, 0), (K.EXECUTED, 40, 60, 1)]


def test_a_correction_sent_twice_counts_once_and_takes_no_share_of_the_order(loop: Loop) -> None:
    order_id = loop.enter(BUY, 100, 1_000_000)
    loop.taken()
    before = int(loop.cell(0)["position"])
    say(loop, order_id, E150="F", E17="55", E31="100", E32="40")
    for _ in range(2):
        say(loop, order_id, E150="G", E17="56", E19="55", E31="99", E32="30")
    assert int(loop.cell(0)["position"]) == before + 30
    assert told(loop) == [
        (K.EXECUTED, 40, 60, 0), (K.BROKEN, 40, 60, 0), (K.EXECUTED, 30, 60, 0),
        (K.BROKEN, 40, 0, 1), (K.EXECUTED, 30, 60, 1),
    ]  # fmt: skip


def test_a_correction_of_an_execution_that_is_not_known_books_nothing(loop: Loop) -> None:
    order_id = loop.enter(BUY, 100, 1_000_000)
    loop.taken()
    before = int(loop.cell(0)["position"])
    say(loop, order_id, E150="G", E17="56", E19="55", E31="99", E32="30")
    assert int(loop.cell(0)["position"]) == before
    assert [(kind, duplicate) for kind, _, _, duplicate in told(loop)] == [(K.BROKEN, 1)]
