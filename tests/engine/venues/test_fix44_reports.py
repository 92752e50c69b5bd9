"""Every answer of a FIX 4.4 venue as an order report; messages are built and cut by an independent codec."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import simplefix
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.codes import CORRECTED, Liquidity, OrderState, ReportKind
from engine.messages.journal import ORDER_REPORT
from engine.protocols.fix44 import read_fields, read_time
from engine.protocols.layouts import MalformedMessage
from engine.venues.fix44_reports import (
    STATES,
    Report,
    number_of,
    order_id_of,
    read_cancel_reject,
    read_execution_report,
    read_status,
)

USUAL = {
    35: "8", 37: "77", 11: "12", 17: "E1", 150: "0", 39: "0", 55: "ABC", 54: "1", 38: "100", 44: "12.3400", 14: "0",
    151: "100", 6: "0", 60: "20260102-10:20:30.123456789",
}  # fmt: skip
TIME_NS = 1_767_349_230_123_456_789


def encoded(fields: dict[int, str]) -> dict[int, str]:
    """The fields after a passage through the independent codec's bytes."""
    message = simplefix.FixMessage()
    message.append_pair(8, "FIX.4.4")
    for tag, value in fields.items():
        message.append_pair(tag, value)
    return read_fields(message.encode().decode())


def fields_of(changes: dict[int, str]) -> dict[int, str]:
    return encoded(USUAL | changes)


def told(changes: dict[int, str]) -> list[tuple[str, dict[str, Any]]]:
    reports = read_execution_report(fields_of(changes))
    return [(r.cause, {name: value for name, value in r.values.items() if value}) for r in reports]


BASE = {"order_id": 12, "venue_reference": 12, "venue_time_ns": TIME_NS, "price": 123_400}
WORKING = BASE | {"leaves": 100, "state": OrderState.ACCEPTED}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, WORKING | {"kind": ReportKind.ACCEPTED, "quantity": 100, "match_number": 77}),
        (
            {150: "5", 39: "5", 14: "30", 151: "70", 41: "11"},
            WORKING | {"kind": ReportKind.REPLACED, "quantity": 70, "leaves": 70, "match_number": 77},
        ),
        (
            {150: "D", 14: "30", 151: "20"},
            WORKING | {"kind": ReportKind.ACCEPTED, "quantity": 20, "leaves": 20, "match_number": 77, "duplicate": 1},
        ),
        (
            {150: "4", 39: "4", 11: "12C3", 41: "12", 14: "30", 151: "0"},
            BASE | {"state": OrderState.CANCELED, "kind": ReportKind.CANCELED, "quantity": 70},
        ),
        (
            {150: "C", 39: "C", 151: "0"},
            BASE | {"state": OrderState.EXPIRED, "kind": ReportKind.EXPIRED, "quantity": 100},
        ),
        (
            {150: "3", 39: "3", 151: "0"},
            BASE | {"state": OrderState.EXPIRED, "kind": ReportKind.EXPIRED, "quantity": 100},
        ),
        (
            {150: "8", 39: "8", 151: "0", 103: "3"},
            BASE | {"state": OrderState.REJECTED, "kind": ReportKind.REJECTED, "quantity": 100, "reason": 3},
        ),
        ({150: "6", 39: "6"}, WORKING | {"state": OrderState.PENDING_CANCEL, "kind": ReportKind.CANCEL_PENDING}),
    ],
)
def test_what_is_not_a_trade_is_one_report(changes: dict[int, str], expected: dict[str, Any]) -> None:
    assert told(changes) == [("E1", expected)]


@pytest.mark.parametrize("exec_type", ["1", "2", "F"])
@pytest.mark.parametrize(
    ("indicator", "liquidity"),
    [("1", Liquidity.ADDED), ("2", Liquidity.REMOVED), ("3", Liquidity.REMOVED), ("4", Liquidity.NONE)],
)
def test_every_kind_of_trade_is_a_fill(exec_type: str, indicator: str, liquidity: Liquidity) -> None:
    changes = {150: exec_type, 39: "1", 14: "40", 151: "60", 31: "12.3301", 32: "40", 851: indicator}
    fill = {
        "kind": ReportKind.EXECUTED, "price": 123_301, "quantity": 40, "leaves": 60,
        "state": OrderState.PARTIALLY_FILLED, "match_number": number_of("E1"), "liquidity": liquidity,
    }  # fmt: skip
    assert told(changes) == [("E1", {name: value for name, value in (BASE | fill).items() if value})]


def test_a_canceled_trade_breaks_the_fill_it_names() -> None:
    (report,) = read_execution_report(fields_of({150: "H", 17: "E9", 19: "E1"}))
    assert (report.cause, report.breaks) == ("E9 breaks", "E1")
    assert (report.values["kind"], report.values["match_number"]) == (ReportKind.BROKEN, number_of("E1"))
    repeated = read_execution_report(fields_of({150: "H", 17: "E9", 19: "E1", 31: "12.34", 32: "40"}))[0].values
    assert (repeated["price"], repeated["quantity"]) == (123_400, 40)


def test_a_corrected_trade_breaks_the_old_fill_and_makes_a_new_one() -> None:
    changes = {150: "G", 17: "E9", 19: "E1", 31: "12.35", 32: "30", 14: "30", 151: "70"}
    broken, fill = read_execution_report(fields_of(changes))
    assert (broken.cause, broken.breaks, broken.values["kind"]) == ("E9 breaks", "E1", ReportKind.BROKEN)
    assert (fill.cause, fill.breaks, fill.values["kind"], fill.values["price"]) == (
        "E9",
        "",
        ReportKind.EXECUTED,
        123_500,
    )
    assert (broken.values.get("reason", 0), fill.values["reason"]) == (0, CORRECTED)


@pytest.mark.parametrize("exec_type", "AE79BJKL")
def test_what_changes_nothing_makes_no_report(exec_type: str) -> None:
    assert told({150: exec_type}) == []


MALFORMED: list[dict[int, str]] = [
    {150: "Z"}, {150: ""}, {17: ""}, {39: "Z"}, {37: ""}, {60: "yesterday"}, {60: "20261399-10:20:30"}, {44: "1.23456"},
    {44: "nan"}, {44: "-1"}, {14: "0.5"}, {14: "x"}, {38: "9" * 19}, {150: "F", 31: "1"}, {150: "F", 32: "1"},
    {150: "F", 31: "1", 32: "1", 151: ""}, {150: "H"},
]  # fmt: skip


@pytest.mark.parametrize("changes", MALFORMED)
def test_what_fix44_does_not_allow_is_malformed(changes: dict[int, str]) -> None:
    with pytest.raises(MalformedMessage):
        read_execution_report({tag: value for tag, value in (USUAL | changes).items() if value})


def test_a_refused_cancel_and_a_refused_replacement() -> None:
    usual = {35: "9", 37: "77", 11: "12C1", 41: "12", 39: "0", 434: "1", 102: "1", 60: USUAL[60]}
    values = {"order_id": 12, "venue_reference": 12, "venue_time_ns": TIME_NS, "reason": 1}
    cancel = read_cancel_reject(encoded(usual))
    assert cancel == Report("cancel reject 12C1", values | {"kind": ReportKind.CANCEL_REJECTED})
    replacement = read_cancel_reject(encoded(usual | {11: "13", 434: "2", 102: "99"}))
    changed = {"order_id": 13, "venue_reference": 13, "kind": ReportKind.REJECTED, "reason": 99}
    assert replacement == Report("cancel reject 13", values | changed)
    with pytest.raises(MalformedMessage):
        read_cancel_reject(encoded(usual | {434: "3"}))


@pytest.mark.parametrize("status", STATES)
def test_a_status_says_what_the_venue_holds(status: str) -> None:
    said = read_status(fields_of({150: "I", 39: status, 14: "30", 151: "70"}))
    assert (said.order_id, said.state, said.unknown_to_venue, said.executed, said.leaves) == (
        12, STATES[status], False, 30, 70,
    )  # fmt: skip


def test_an_order_that_the_venue_does_not_know_is_told_apart_from_a_rejected_one() -> None:
    assert read_status(fields_of({150: "I", 39: "8", 103: "5"})).unknown_to_venue
    assert not read_status(fields_of({150: "I", 39: "8", 103: "3"})).unknown_to_venue


def test_our_order_is_found_by_either_id_and_nothing_else_is_ours() -> None:
    assert order_id_of({11: "17"}) == 17
    assert order_id_of({11: "17C2"}) == 17
    assert order_id_of({11: "theirs", 41: "17"}) == 17
    for text in ("", "0", "017", "17C", "C1", "17x", "-1", "\u0661", "9" * 20):
        assert order_id_of({11: text}) == 0


def test_times_and_identifiers() -> None:
    assert [read_time(text) for text in ("", "19700101-00:00:01", "19700101-00:00:01.5")] == [
        0, 1_000_000_000, 1_500_000_000,
    ]  # fmt: skip
    assert number_of("123") == 123
    assert 0 < number_of("E1") < 1 << 63
    assert number_of("9" * 19) != number_of("9" * 20)


def test_every_value_fits_the_record() -> None:
    changes = {150: "F", 39: "2", 14: "40", 151: "0", 31: "12.34", 32: "40", 851: "1"}
    (report,) = read_execution_report(fields_of(changes))
    body = np.frombuffer(report.body(), ORDER_REPORT)[0]
    assert {name: int(body[name]) for name in report.values} == {name: int(v) for name, v in report.values.items()}


@given(st.dictionaries(st.sampled_from([*USUAL, 19, 31, 32, 41, 103, 851]), st.text(max_size=12)))
def test_nothing_that_a_venue_sends_raises_anything_but_malformed_message(changes: dict[int, str]) -> None:
    fields = USUAL | changes
    for read in (read_execution_report, read_status, read_cancel_reject):
        try:
            made: Any = read(fields)
        except MalformedMessage:
            continue
        for report in made if isinstance(made, list) else [made] if isinstance(made, Report) else []:
            assert len(report.body()) == 96
