"""OUCH 4.2: the readable codec against nasdaq-protocols, and the loop's functions against the readable codec."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.codes import Liquidity, ReportKind, Side
from engine.messages.journal import ORDER_REPORT
from engine.native import address_of
from engine.protocols import ouch42, ouch42_encode, ouch42_reports, soupbintcp
from engine.protocols.layouts import Layout, MalformedMessage
from engine.protocols.ouch42_layouts import INBOUND, OUTBOUND
from engine.protocols.ouch50 import Direction
from tests.engine.protocols import specification
from tests.engine.protocols.strategies import values_of

MIDNIGHT_NS = 1_700_000_000_000_000_000
SYMBOL = np.frombuffer(b"AAPL    ", np.uint8).copy()
STRATEGY = 0x2A
TOKEN = "00002A0000BEEF"
LAYOUTS = {Direction.INBOUND: INBOUND, Direction.OUTBOUND: OUTBOUND}
TABLES = {Direction.INBOUND: specification.OUCH42_INBOUND, Direction.OUTBOUND: specification.OUCH42_OUTBOUND}

layouts = st.sampled_from(list(Direction)).flatmap(lambda way: st.tuples(st.just(way), st.sampled_from(LAYOUTS[way])))
messages = layouts.flatmap(lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), values_of(pair[1])))
Case = tuple[Direction, Layout, dict[str, Any]]


@given(messages)
def test_both_implementations_write_and_read_the_same_message(case: Case):
    direction, layout, values = case
    fields = TABLES[direction][layout.code]
    independent = layout.code.encode() + specification.independent_bytes(fields, list(values.values()))
    assert ouch42.encode(direction, layout.name, **values) == independent
    assert ouch42.decode(independent, direction).values == {"type": layout.code, **values}


@given(messages, st.data())
def test_a_cut_or_lengthened_message_is_malformed(case: Case, data: st.DataObject):
    direction, layout, values = case
    raw = ouch42.encode(direction, layout.name, **values)
    wrong = data.draw(st.integers(0, len(raw) + 20).filter(lambda length: length not in layout.lengths))
    with pytest.raises(MalformedMessage):
        ouch42.decode((raw + bytes(20))[:wrong], direction)


def written(write: Any) -> dict[str, Any]:
    buffer = np.full(128, 0xEE, np.uint8)
    length = write(address_of(buffer))
    assert set(buffer[length:]) == {0xEE}
    return ouch42.decode(soupbintcp.decode(bytes(buffer[:length])).payload, Direction.INBOUND).values


ENTERED = {
    "type": "O",
    "token": TOKEN,
    "side": "B",
    "quantity": 100,
    "instrument": "AAPL",
    "price": 1_234_500,
    "time_in_force": 99_998,
    "firm": "",
    "display": "Y",
    "capacity": "P",
    "intermarket_sweep": "N",
    "minimum_quantity": 0,
    "cross_type": "N",
    "customer_type": "",
}


@pytest.mark.parametrize(
    ("side", "time_in_force", "changes"),
    [
        (1, 1, {}),
        (2, 2, {"side": "S", "time_in_force": 0}),
        (1, 3, {"time_in_force": 0, "minimum_quantity": 100}),
        (1, 4, {"display": "P"}),
        (1, 5, {"cross_type": "O"}),
        (1, 6, {"cross_type": "C"}),
    ],
)
def test_an_order_of_each_kind(side: int, time_in_force: int, changes: dict[str, Any]):
    symbol = address_of(SYMBOL)
    found = written(
        lambda at: ouch42_encode.write_enter_order(at, 0xBEEF, side, 100, symbol, 1_234_500, time_in_force, STRATEGY)
    )
    assert found == ENTERED | changes


def test_a_replacement_and_a_cancel():
    assert written(lambda at: ouch42_encode.write_replace_order(at, 7, 0xBEEF, 90, 1_234_600, 1, STRATEGY)) == {
        "type": "U",
        "original_token": "00002A00000007",
        "token": TOKEN,
        "quantity": 90,
        "price": 1_234_600,
        "time_in_force": 99_998,
        "display": "Y",
        "intermarket_sweep": "N",
        "minimum_quantity": 0,
    }
    cancel = {"type": "X", "token": TOKEN, "quantity": 0}
    assert written(lambda at: ouch42_encode.write_cancel_order(at, 0xBEEF, 0, STRATEGY)) == cancel


def test_a_modification_takes_shares_away():
    modify = {"type": "M", "token": TOKEN, "side": "S", "quantity": 40}
    assert written(lambda at: ouch42_encode.write_modify_order(at, 0xBEEF, 2, 40, STRATEGY)) == modify


def test_a_void_order_has_the_token_it_is_told_and_no_shares():
    token, symbol = np.frombuffer(b"Q1700000000000", np.uint8).copy(), address_of(SYMBOL)
    found = written(lambda at: ouch42_encode.write_void_order(at, address_of(token), 2, symbol))
    void = {"token": "Q1700000000000", "side": "S", "quantity": 0, "price": 0, "time_in_force": 0}
    assert found == ENTERED | void


@given(st.integers(0, 2**31 - 1), st.integers(1, 2**32 - 1))
def test_a_token_carries_strategy_and_number_and_the_number_comes_back(strategy: int, number: int):
    buffer = np.zeros(15, np.uint8)
    ouch42_encode.write_token(address_of(buffer), strategy, number)
    assert bytes(buffer[:14]).decode() == f"{strategy & 0xFFFFFF:06X}{number:08X}"
    assert ouch42_reports.read_token(address_of(buffer)) == number


def parsed(raw: bytes) -> tuple[int, dict[str, int]]:
    buffer, report = np.frombuffer(raw + b"\xee", np.uint8).copy(), np.zeros(1, ORDER_REPORT)
    outcome = ouch42_reports.parse_report(address_of(buffer), len(raw), MIDNIGHT_NS, address_of(report))
    return outcome, {name: int(report[0][name]) for name in ORDER_REPORT.names if report[0][name]}


def answer(name: str, **values: Any) -> bytes:
    return ouch42.encode(Direction.OUTBOUND, name, timestamp_ns=1_000, **values)


ECHO = {name: value for name, value in ENTERED.items() if name not in ("type", "customer_type")}
ECHO |= {"reference": 55, "order_state": "L", "bbo_weight": ""}
EXECUTION = {"token": TOKEN, "quantity": 10, "price": 99, "liquidity": "R", "match_number": 77}
EXECUTED = {
    "kind": ReportKind.EXECUTED,
    "quantity": 10,
    "price": 99,
    "liquidity": Liquidity.REMOVED,
    "match_number": 77,
}
LIVE = {"side": Side.BUY, "quantity": 100, "price": 1_234_500, "match_number": 55}
REPORTS = [
    (answer("accepted", **ECHO), {"kind": ReportKind.ACCEPTED, **LIVE}),
    (
        answer("accepted", **(ECHO | {"order_state": "D"})),
        {"kind": ReportKind.CANCELED, **LIVE, "reason": ord("D")},
    ),
    (answer("replaced", **ECHO, original_token="00000000000007"), {"kind": ReportKind.REPLACED, **LIVE}),
    (answer("executed", **EXECUTION), EXECUTED),
    (answer("executed_with_reference_price", **EXECUTION, reference_price=98, reference_price_type="I"), EXECUTED),
    (
        answer("canceled", token=TOKEN, quantity=10, reason="U"),
        {"kind": ReportKind.CANCELED, "quantity": 10, "reason": ord("U")},
    ),
    (
        answer("canceled", token=TOKEN, quantity=10, reason="T"),
        {"kind": ReportKind.EXPIRED, "quantity": 10, "reason": ord("T")},
    ),
    (answer("rejected", token=TOKEN, reason="H"), {"kind": ReportKind.REJECTED, "reason": ord("H")}),
    (answer("cancel_pending", token=TOKEN), {"kind": ReportKind.CANCEL_PENDING}),
    (answer("cancel_rejected", token=TOKEN), {"kind": ReportKind.CANCEL_REJECTED}),
    (
        answer("modified", token=TOKEN, side="S", quantity=5),
        {"kind": ReportKind.MODIFIED, "side": Side.SELL, "quantity": 5},
    ),
    (
        answer("priority_update", token=TOKEN, price=5, display="Y", reference=9),
        {"kind": ReportKind.PRIORITY_UPDATED, "price": 5, "match_number": 9},
    ),
    (
        answer("broken_trade", token=TOKEN, match_number=77, reason="E"),
        {"kind": ReportKind.BROKEN, "match_number": 77, "reason": ord("E")},
    ),
]


@pytest.mark.parametrize(
    ("raw", "expected"), REPORTS, ids=lambda value: chr(value[0]) if isinstance(value, bytes) else ""
)
def test_an_answer_becomes_a_report(raw: bytes, expected: dict[str, int]):
    outcome, report = parsed(raw)
    assert outcome == ouch42_reports.REPORT
    assert report == {"venue_reference": 0xBEEF, "venue_time_ns": MIDNIGHT_NS + 1_000, **expected}


def test_an_older_self_match_prevention_is_a_cancel_too():
    raw = answer(
        "aiq_canceled",
        token=TOKEN,
        quantity=10,
        reason="Q",
        prevented_quantity=10,
        price=99,
        liquidity="R",
        strategy="D",
    )
    for length in (38, 37):
        outcome, report = parsed(raw[:length])
        assert (outcome, report["kind"], report["quantity"]) == (ouch42_reports.REPORT, ReportKind.CANCELED, 10)


@pytest.mark.parametrize("token", ["", "somebody else", "0000000000beef"])
def test_an_order_that_is_not_ours_is_malformed(token: str):
    assert parsed(answer("cancel_pending", token=token))[0] == ouch42_reports.MALFORMED


def test_a_trade_correction_is_a_fill_in_the_place_of_an_earlier_one():
    outcome, report = parsed(answer("trade_correction", **EXECUTION, reason="N"))
    corrected = {"venue_reference": 0xBEEF, "venue_time_ns": MIDNIGHT_NS + 1_000, "reason": ord("N")}
    assert (outcome, report) == (ouch42_reports.CORRECTION, EXECUTED | corrected)


def test_answers_that_are_not_about_the_life_of_an_order_are_no_report():
    for raw in (answer("system_event", event="S"), answer("rejected", token="Q1700000000000", reason="O")):
        assert parsed(raw)[0] == ouch42_reports.NO_REPORT


def test_only_the_rejection_of_a_probe_answers_it():
    def answers(raw: bytes) -> bool:
        buffer = np.frombuffer(raw, np.uint8).copy()
        return bool(ouch42_reports.answers_probe(address_of(buffer), len(raw)))

    assert answers(answer("rejected", token="Q1700000000000", reason="O"))
    assert not answers(answer("rejected", token=TOKEN, reason="O"))
    assert not answers(answer("cancel_pending", token="Q1700000000000"))


@given(st.binary(max_size=100))
def test_whatever_the_loop_accepts_the_readable_decoder_accepts(raw: bytes):
    outcome, _ = parsed(raw)
    if outcome != ouch42_reports.MALFORMED:
        assert ouch42.decode(raw, Direction.OUTBOUND).type == chr(raw[0])


@given(st.sampled_from(REPORTS), st.integers(0, 90))
def test_a_wrong_length_is_malformed_in_both_readers(case: tuple[bytes, Any], length: int):
    raw = (case[0] + bytes(90))[:length]
    try:
        ouch42.decode(raw, Direction.OUTBOUND)
    except MalformedMessage:
        assert parsed(raw)[0] == ouch42_reports.MALFORMED
