"""Answers of FIX venues as the loop reads them: against simplefix's bytes and the reader of the session process."""

from __future__ import annotations

from random import Random

import pytest
import simplefix
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.codes import Liquidity, ReportKind, Side
from engine.protocols import fix, fix_fields
from engine.protocols.fix_reports import CORRECTION, MALFORMED, NO_REPORT, REPORT, RESTATED, STATUS
from engine.venues.fix44_reports import read_cancel_reject, read_execution_report
from tests.engine.protocols.fix_bench import Reader

BASE = {
    37: "901", 11: "17", 17: "55", 150: "0", 39: "0", 55: "ABC", 54: "1", 38: "100", 44: "12.34", 151: "100", 14: "0",
    6: "0", 60: "20260102-10:20:30.5",
}  # fmt: skip
COMPARED = ("kind", "venue_reference", "venue_time_ns", "match_number", "quantity", "reason", "liquidity")


def answer(fields: dict[int, str], kind: str = "8", begin: str = "FIX.4.4", order: Random | None = None) -> bytes:
    made = simplefix.FixMessage()
    pairs = [(49, "VENUE"), (56, "DESK"), (34, "7"), (52, "20260102-10:20:30.501"), *fields.items()]
    if order is not None:
        order.shuffle(pairs)
    made.append_pair(8, begin)
    made.append_pair(35, kind)
    for tag, value in pairs:
        made.append_pair(tag, value)
    return bytes(made.encode())


@pytest.mark.parametrize(("changed", "expected"), [
    ({}, (REPORT, ReportKind.ACCEPTED, 100, 123_400, 901)),
    ({150: "F", 39: "1", 31: "12.3", 32: "40", 14: "40"}, (REPORT, ReportKind.EXECUTED, 40, 123_000, 55)),
    ({150: "2", 31: "12.3000000", 32: "100.0"}, (REPORT, ReportKind.EXECUTED, 100, 123_000, 55)),
    ({150: "1", 31: "0.0001", 32: "1", 527: "88"}, (REPORT, ReportKind.EXECUTED, 1, 1, 88)),
    ({150: "5", 151: "60"}, (REPORT, ReportKind.REPLACED, 60, 123_400, 901)),
    ({150: "4", 14: "40"}, (REPORT, ReportKind.CANCELED, 60, 0, 0)),
    ({150: "3"}, (REPORT, ReportKind.EXPIRED, 100, 0, 0)),
    ({150: "C"}, (REPORT, ReportKind.EXPIRED, 100, 0, 0)),
    ({150: "8", 103: "3"}, (REPORT, ReportKind.REJECTED, 100, 0, 0)),
    ({150: "6"}, (REPORT, ReportKind.CANCEL_PENDING, 0, 0, 0)),
    ({150: "D", 151: "70"}, (RESTATED, ReportKind.ACCEPTED, 70, 123_400, 901)),
    ({150: "H", 19: "44", 31: "12.3", 32: "40"}, (REPORT, ReportKind.BROKEN, 40, 123_000, 44)),
    ({150: "G", 19: "44", 31: "12.3", 32: "40"}, (CORRECTION, ReportKind.BROKEN, 0, 0, 44)),
    ({150: "F", 20: "1", 19: "44"}, (REPORT, ReportKind.BROKEN, 0, 0, 44)),
    ({150: "2", 20: "2", 19: "44", 31: "12.3", 32: "40"}, (CORRECTION, ReportKind.BROKEN, 0, 0, 44)),
    ({150: "2", 20: "0", 31: "12.3", 32: "40"}, (REPORT, ReportKind.EXECUTED, 40, 123_000, 55)),
])  # fmt: skip
def test_an_execution_report_becomes_the_report_that_ouch_would_make(
    changed: dict[int, str], expected: tuple[int, ...]
) -> None:
    outcome, report = Reader().report(answer(BASE | changed))
    assert (outcome, *(report[name] for name in ("kind", "quantity", "price", "match_number"))) == expected
    assert [report[name] for name in ("venue_reference", "side", "venue_time_ns")] == [
        17, Side.BUY, 1_767_349_230_500_000_000,
    ]  # fmt: skip


@pytest.mark.parametrize(("changed", "outcome"), [
    ({150: "I"}, STATUS),
    ({20: "3"}, STATUS),
    ({150: "A"}, NO_REPORT),
    ({150: "E"}, NO_REPORT),
    ({150: "Z"}, MALFORMED),
    ({150: ""}, MALFORMED),
    ({150: "F", 31: "12.30001", 32: "1"}, MALFORMED),
    ({150: "F", 31: "12.3", 32: "0.5"}, MALFORMED),
    ({150: "F", 31: "12.3"}, MALFORMED),
    ({150: "F", 31: "-1", 32: "1"}, MALFORMED),
    ({150: "F", 31: "1.", 32: "1"}, MALFORMED),
    ({38: "x"}, MALFORMED),
    ({60: "20260102"}, MALFORMED),
    ({60: "20261302-10:20:30"}, MALFORMED),
    ({150: "H"}, MALFORMED),
])  # fmt: skip
def test_what_says_nothing_of_an_order_is_no_report(changed: dict[int, str], outcome: int) -> None:
    fields = {tag: value for tag, value in (BASE | changed).items() if value}
    assert Reader().report(answer(fields))[0] == outcome


def test_a_correction_breaks_a_fill_and_makes_another() -> None:
    reader = Reader()
    reader.report(answer(BASE | {150: "G", 19: "44", 31: "12.3", 32: "40", 851: "2"}))
    second = reader.corrected()
    assert [second[name] for name in ("kind", "price", "quantity", "match_number", "liquidity")] == [
        ReportKind.EXECUTED, 123_000, 40, 55, Liquidity.REMOVED,
    ]  # fmt: skip


@given(
    changed=st.fixed_dictionaries(
        {
            150: st.sampled_from("012345689CF"),
            39: st.sampled_from("0124568"),
            11: st.sampled_from(["17", "17C5", "OTHER", "1" * 18, "0"]),
            41: st.sampled_from(["17", "16"]),
            38: st.integers(0, 10**9).map(str),
            14: st.integers(0, 10**9).map(str),
            32: st.integers(1, 10**9).map(str),
            151: st.integers(0, 10**9).map(str),
            31: st.decimals("0.0001", "99999", places=4).map(str),
            17: st.integers(1, 10**17).map(str),
            54: st.sampled_from("12"),
            851: st.sampled_from("123"),
            103: st.integers(0, 300).map(str),
        }
    ),
    seed=st.integers(0, 1 << 30),
)
def test_the_loop_and_the_session_process_read_the_same_from_fields_in_any_order(
    changed: dict[int, str], seed: int
) -> None:
    fields = BASE | changed
    theirs = read_execution_report({35: "8", **fields})
    outcome, ours = Reader().report(answer(fields, order=Random(seed)))
    if not theirs:
        assert outcome == NO_REPORT
        return
    assert outcome == REPORT
    expected = theirs[0].values
    assert {name: ours[name] for name in COMPARED} == {name: int(expected.get(name, 0)) for name in COMPARED}
    if ours["kind"] in (ReportKind.ACCEPTED, ReportKind.REPLACED, ReportKind.EXECUTED):
        assert ours["price"] == expected["price"]


@pytest.mark.parametrize("response", "12")
def test_a_cancel_reject_is_read_as_the_session_process_reads_it(response: str) -> None:
    fields = {37: "V1", 11: "17C5", 41: "17", 39: "0", 434: response, 102: "1", 60: "20260102-10:20:30.5"}
    theirs = read_cancel_reject({35: "9", **fields}).values
    outcome, ours = Reader().report(answer(fields, "9"))
    names = ("kind", "venue_reference", "venue_time_ns", "reason")
    assert outcome == REPORT
    assert [ours[name] for name in names] == [int(theirs[name]) for name in names]


def test_a_frame_is_taken_whole_or_not_at_all() -> None:
    raw, reader = answer(BASE), Reader()
    assert [reader.frame(raw[:length]) for length in range(len(raw))] == [fix_fields.PARTIAL] * len(raw)
    assert reader.frame(raw + raw) == len(raw)


@pytest.mark.parametrize(("old", "new"), [
    (b"8=", b"7="), (b"9=", b"0="), (b"\x0135=8", b"\x0135=9"), (b"\x0110=", b"\x0111="), (b"9=1", b"9=x"),
    (b"9=1", b"9=99999991"), (b"ABC", b"ABD"),
])  # fmt: skip
def test_a_frame_with_a_wrong_length_or_sum_is_garbled(old: bytes, new: bytes) -> None:
    assert Reader().frame(answer(BASE).replace(old, new, 1).ljust(300, b"x")) == fix_fields.GARBLED


def test_bytes_in_a_data_field_are_stepped_over_and_of_a_repeated_tag_the_first_counts() -> None:
    raw = fix.encode(
        "FIX.4.4", [(35, "8"), (34, "7"), (95, "6"), (96, "\x0111=9\x01"), (11, "17"), (11, "18"), (9999, "x")]
    )
    assert Reader().fields(raw) == (ord("8"), {35: "8", 34: "7", 11: "17"})
    assert fix.decode(raw).fields[3] == (96, "\x0111=9\x01")


@pytest.mark.parametrize("body", [
    "34=1|35=8|", "35=8|x=1|", "35=8|=1|", "35=8|11|", "35=ABC|", "35=|", "35=8|95=9|96=a|", "35=8|95=x|96=a|",
])  # fmt: skip
def test_what_is_not_tag_and_value_is_garbled(body: str) -> None:
    text = body.replace("|", "\x01")
    raw = f"8=FIX.4.4\x019={len(text)}\x01{text}10=000\x01".encode()
    assert Reader().fields(raw)[0] == fix_fields.GARBLED


def test_names_are_the_dictionary_s_in_lower_case() -> None:
    from engine.protocols.fix_names import named

    shown = named(fix.decode(answer({11: "17", 448: "P", 9999: "x", 554: "secret"}, "D")))
    assert (shown.type, shown.name) == ("D", "new_order_single")
    assert shown.values == {
        "begin_string": "FIX.4.4", "sender_comp_id": "VENUE", "target_comp_id": "DESK", "msg_seq_num": "7",
        "sending_time": "20260102-10:20:30.501", "cl_ord_id": "17", "party_id": "P", "tag_9999": "x",
        "password": "secret",
    }  # fmt: skip
