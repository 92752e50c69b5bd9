"""What the loop writes and reads as OUCH 5.0, against the readable codec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.codes import Liquidity, ReportKind, Side, TimeInForce
from engine.messages.journal import ORDER_REPORT
from engine.native import address_of
from engine.protocols import ouch50, ouch50_encode, ouch50_reports, soupbintcp
from engine.protocols.layouts import MalformedMessage
from engine.protocols.ouch50_layouts import OUTBOUND
from tests.engine.protocols.strategies import values_of

MIDNIGHT_NS = 1_700_000_000_000_000_000
SYMBOL = np.frombuffer(b"AAPL    ", np.uint8).copy()
FIRM = np.frombuffer(b"DESK", np.uint8).copy()


def written(write: Callable[[int], int]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Name, fields and appendage of what a writer put behind its address, its SoupBinTCP packet checked."""
    buffer = np.full(128, 0xEE, np.uint8)
    length = write(address_of(buffer))
    assert length <= ouch50_encode.LONGEST_REQUEST
    assert set(buffer[length:]) == {0xEE}
    packet = soupbintcp.decode(bytes(buffer[:length]))
    assert packet.name == "unsequenced_data"
    message = ouch50.decode_inbound(packet.payload)
    return message.name, message.values, message.appendage


ENTERED = {
    "type": "O",
    "user_reference": 7,
    "side": "B",
    "quantity": 100,
    "instrument": "AAPL",
    "price": 1_234_500,
    "time_in_force": "0",
    "display": "Y",
    "capacity": "P",
    "intermarket_sweep": "N",
    "cross_type": "N",
    "client_order_id": "0000000000BEEF",
}


def enter(side: Side, time_in_force: TimeInForce) -> tuple[str, dict[str, Any], dict[str, Any]]:
    symbol = address_of(SYMBOL)
    return written(
        lambda at: ouch50_encode.write_enter_order(at, 7, int(side), 100, symbol, 1_234_500, int(time_in_force), 0xBEEF)
    )


def test_a_day_order_to_buy():
    assert enter(Side.BUY, TimeInForce.DAY) == ("enter_order", ENTERED, {})


def test_an_order_for_a_cross_is_a_day_order_of_that_cross():
    for kind, letter in ((TimeInForce.AT_OPEN, "O"), (TimeInForce.AT_CLOSE, "C")):
        assert enter(Side.BUY, kind) == ("enter_order", ENTERED | {"cross_type": letter}, {})


def test_an_immediate_order_to_sell():
    assert enter(Side.SELL, TimeInForce.IOC) == ("enter_order", ENTERED | {"side": "S", "time_in_force": "3"}, {})


def test_fill_or_kill_is_immediate_with_the_whole_quantity_as_minimum():
    name, values, appendage = enter(Side.BUY, TimeInForce.FOK)
    assert (name, values["time_in_force"], appendage) == ("enter_order", "3", {"minimum_quantity": 100})


def test_post_only_is_a_day_order_with_an_option():
    assert enter(Side.BUY, TimeInForce.POST_ONLY) == ("enter_order", ENTERED, {"post_only": "P"})
    _, values, appendage = written(lambda at: ouch50_encode.write_replace_order(at, 7, 8, 90, 1_234_600, 4, 0xA0))
    assert (values["time_in_force"], appendage) == ("0", {"post_only": "P"})


def test_a_replacement():
    name, values, appendage = written(lambda at: ouch50_encode.write_replace_order(at, 7, 8, 90, 1_234_600, 1, 0xA0))
    assert (name, appendage) == ("replace_order", {})
    assert values == {
        "type": "U",
        "original_user_reference": 7,
        "user_reference": 8,
        "quantity": 90,
        "price": 1_234_600,
        "time_in_force": "0",
        "display": "Y",
        "intermarket_sweep": "N",
        "client_order_id": "000000000000A0",
    }


def test_a_cancel():
    expected = {"type": "X", "user_reference": 7, "quantity": 40}
    assert written(lambda at: ouch50_encode.write_cancel_order(at, 7, 40)) == ("cancel_order", expected, {})


def test_a_modification_takes_shares_away():
    expected = {"type": "M", "user_reference": 7, "side": "S", "quantity": 40}
    assert written(lambda at: ouch50_encode.write_modify_order(at, 7, 2, 40)) == ("modify_order", expected, {})


@pytest.mark.parametrize("instrument", ["", "AAPL"])
def test_a_mass_cancel_of_one_instrument_or_of_all(instrument: str):
    symbol = address_of(SYMBOL) if instrument else 0
    expected = {"type": "C", "user_reference": 9, "firm": "DESK", "instrument": instrument}
    found = written(lambda at: ouch50_encode.write_mass_cancel(at, 9, address_of(FIRM), symbol))
    assert found == ("mass_cancel", expected, {})


@pytest.mark.parametrize(("enable", "name"), [(True, "enable_order_entry"), (False, "disable_order_entry")])
def test_order_entry_is_switched_on_and_off(enable: bool, name: str):
    found = written(lambda at: ouch50_encode.write_order_entry_switch(at, 9, address_of(FIRM), enable))
    assert found == (name, {"type": name[0].upper(), "user_reference": 9, "firm": "DESK"}, {})


def test_an_account_query():
    assert written(ouch50_encode.write_account_query) == ("account_query", {"type": "Q"}, {})


def parsed(raw: bytes) -> tuple[int, dict[str, int]]:
    """What the loop makes of a message, as the outcome and the fields of the report that are not zero."""
    buffer, report = np.frombuffer(raw + b"\xee", np.uint8).copy(), np.zeros(1, ORDER_REPORT)
    outcome = ouch50_reports.parse_report(address_of(buffer), len(raw), MIDNIGHT_NS, address_of(report))
    return outcome, {name: int(report[0][name]) for name in ORDER_REPORT.names if report[0][name]}


def report_of(name: str, appendage: dict[str, Any] | None = None, **values: Any) -> dict[str, int]:
    outcome, report = parsed(ouch50.encode_outbound(name, appendage, timestamp_ns=1_000, **values))
    assert outcome == ouch50_reports.REPORT
    assert report.pop("venue_time_ns") == MIDNIGHT_NS + 1_000
    return report


ECHO = {
    "side": "T",
    "quantity": 40,
    "instrument": "ADBE",
    "price": 4_777_800,
    "time_in_force": "0",
    "display": "Y",
    "reference": 257_340_661,
    "capacity": "P",
    "intermarket_sweep": "N",
    "cross_type": "N",
    "client_order_id": "1",
}


def test_an_accepted_order_reports_the_number_it_has_in_the_feed():
    report = report_of("accepted", {"firm": "MLRO", "bbo_weight": "0"}, user_reference=5, order_state="L", **ECHO)
    assert report == {
        "kind": ReportKind.ACCEPTED,
        "venue_reference": 5,
        "side": Side.SELL,
        "quantity": 40,
        "price": 4_777_800,
        "match_number": 257_340_661,
    }


def test_an_order_accepted_dead_is_a_canceled_order():
    report = report_of("accepted", user_reference=5, order_state="D", **ECHO)
    assert (report["kind"], report["quantity"], report["reason"]) == (ReportKind.CANCELED, 40, ord("D"))


def test_a_replaced_order_reports_its_new_number():
    report = report_of("replaced", original_user_reference=5, user_reference=6, order_state="L", **ECHO)
    assert report == {
        "kind": ReportKind.REPLACED,
        "venue_reference": 6,
        "side": Side.SELL,
        "quantity": 40,
        "price": 4_777_800,
        "match_number": 257_340_661,
    }


@pytest.mark.parametrize(
    ("flag", "liquidity"),
    [("A", Liquidity.ADDED), ("R", Liquidity.REMOVED), ("O", Liquidity.NONE), ("7", Liquidity.ADDED)],
)
def test_an_execution_reports_quantity_price_trade_and_liquidity(flag: str, liquidity: Liquidity):
    report = report_of("executed", user_reference=5, quantity=10, price=99, liquidity=flag, match_number=77)
    assert report.pop("liquidity", 0) == liquidity
    assert report == {
        "kind": ReportKind.EXECUTED,
        "venue_reference": 5,
        "quantity": 10,
        "price": 99,
        "match_number": 77,
    }


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("U", ReportKind.CANCELED), ("I", ReportKind.CANCELED), ("T", ReportKind.EXPIRED), ("E", ReportKind.EXPIRED)],
)
def test_a_cancel_reports_the_shares_it_took_off_and_why(reason: str, kind: ReportKind):
    report = report_of("canceled", user_reference=5, quantity=10, reason=reason)
    assert report == {"kind": kind, "venue_reference": 5, "quantity": 10, "reason": ord(reason)}


def test_self_match_prevention_is_a_cancel():
    report = report_of(
        "aiq_canceled",
        user_reference=5,
        quantity=10,
        reason="Q",
        prevented_quantity=10,
        price=99,
        liquidity="R",
        strategy="D",
    )
    canceled = {"kind": ReportKind.CANCELED, "venue_reference": 5, "quantity": 10, "reason": ord("Q")}
    assert report == canceled | {"price": 99}


def test_a_modified_order_reports_what_is_outstanding():
    report = report_of("modified", user_reference=5, side="T", quantity=40)
    assert report == {"kind": ReportKind.MODIFIED, "venue_reference": 5, "side": Side.SELL, "quantity": 40}


def test_a_priority_update_reports_price_and_number_in_the_feed():
    report = report_of("priority_update", user_reference=5, price=99, display="Y", reference=77)
    updated = {"kind": ReportKind.PRIORITY_UPDATED, "venue_reference": 5, "price": 99, "match_number": 77}
    assert report == updated


def test_a_restated_order_reports_what_its_options_say_and_others_are_passed_over():
    report = report_of("restated", user_reference=5, reason="R")
    restated = {"kind": ReportKind.RESTATED, "venue_reference": 5, "reason": ord("R")}
    assert report == restated
    options = {"firm": "DESK", "display_price": 99, "secondary_reference": 77, "display_quantity": 40}
    report = report_of("restated", options, user_reference=5, reason="R")
    assert report == restated | {"price": 99, "match_number": 77, "quantity": 40}


def test_a_trade_correction_is_a_fill_in_the_place_of_an_earlier_one():
    execution = {"user_reference": 5, "quantity": 10, "price": 99, "liquidity": "R", "match_number": 77}
    raw = ouch50.encode_outbound("trade_correction", timestamp_ns=1_000, reason="N", client_order_id="", **execution)
    outcome, report = parsed(raw)
    assert outcome == ouch50_reports.CORRECTION
    assert report == {
        "kind": ReportKind.EXECUTED,
        "venue_reference": 5,
        "venue_time_ns": MIDNIGHT_NS + 1_000,
        "quantity": 10,
        "price": 99,
        "match_number": 77,
        "liquidity": Liquidity.REMOVED,
        "reason": ord("N"),
    }


def test_a_rejection_reports_its_number():
    report = report_of("rejected", user_reference=5, reason=0x1D, client_order_id="1")
    assert report == {"kind": ReportKind.REJECTED, "venue_reference": 5, "reason": 0x1D}


def test_a_broken_trade_names_the_trade():
    report = report_of("broken_trade", user_reference=5, match_number=77, reason="E", client_order_id="1")
    assert report == {"kind": ReportKind.BROKEN, "venue_reference": 5, "match_number": 77, "reason": ord("E")}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("cancel_pending", ReportKind.CANCEL_PENDING), ("cancel_rejected", ReportKind.CANCEL_REJECTED)],
)
def test_the_answers_to_a_cancel_that_did_not_happen(name: str, kind: ReportKind):
    assert report_of(name, {"user_reference_index": 2}, user_reference=5) == {"kind": kind, "venue_reference": 5}


OTHERS = {
    "system_event": {"event": "S"},
    "account_query_response": {"next_user_reference": 8},
    "mass_cancel_response": {"user_reference": 1, "firm": "DESK", "instrument": ""},
    "disable_order_entry_response": {"user_reference": 1, "firm": "DESK"},
    "enable_order_entry_response": {"user_reference": 1, "firm": "DESK"},
}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_answers_that_are_not_about_the_life_of_an_order_are_no_report(name: str):
    raw = ouch50.encode_outbound(name, timestamp_ns=1, **OTHERS[name])
    assert parsed(raw)[0] == ouch50_reports.NO_REPORT
    assert parsed(raw[:-1])[0] == ouch50_reports.MALFORMED


def test_the_next_user_reference_is_read_from_the_answer_to_a_query_alone():
    def read(raw: bytes) -> int:
        buffer = np.frombuffer(raw, np.uint8).copy()
        return ouch50_reports.next_user_reference(address_of(buffer), len(raw))

    answer = ouch50.encode_outbound("account_query_response", timestamp_ns=1, next_user_reference=8)
    assert read(answer) == 8
    assert read(answer[:-1]) == 0
    assert read(ouch50.encode_outbound("cancel_pending", timestamp_ns=1, user_reference=8)) == 0


@given(st.binary(max_size=100))
def test_whatever_the_loop_accepts_the_readable_decoder_accepts(raw: bytes):
    outcome, _ = parsed(raw)
    if outcome != ouch50_reports.MALFORMED:
        assert ouch50.decode_outbound(raw).type == chr(raw[0])


@given(st.sampled_from(OUTBOUND).flatmap(lambda layout: st.tuples(st.just(layout.name), values_of(layout))), st.data())
def test_a_cut_answer_is_malformed_wherever_the_readable_decoder_says_so(case: Any, data: st.DataObject):
    name, values = case
    raw = ouch50.encode_outbound(name, **values)
    cut = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        ouch50.decode_outbound(cut)
    except MalformedMessage:
        assert parsed(cut)[0] == ouch50_reports.MALFORMED


@pytest.mark.parametrize("field", ["timestamp_ns", "match_number", "price"])
def test_numbers_above_the_signed_range_are_malformed(field: str):
    values = {"timestamp_ns": 1, "user_reference": 5, "quantity": 10, "price": 99, "liquidity": "A", "match_number": 77}
    raw = ouch50.encode_outbound("executed", **(values | {field: 2**63}))
    assert parsed(raw)[0] == ouch50_reports.MALFORMED
