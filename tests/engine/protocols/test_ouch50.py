"""OUCH 5.0 against nasdaq-protocols in both directions, its appendages, and bytes that are not OUCH."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocols import ouch50, ouch50_appendage
from engine.protocols.layouts import Layout, MalformedMessage, Tail
from engine.protocols.ouch50 import Direction
from engine.protocols.ouch50_layouts import INBOUND, OPTIONS, OUTBOUND
from tests.engine.protocols import specification
from tests.engine.protocols.strategies import value_of, values_of

LAYOUTS = {Direction.INBOUND: INBOUND, Direction.OUTBOUND: OUTBOUND}
TABLES = {Direction.INBOUND: specification.OUCH50_INBOUND, Direction.OUTBOUND: specification.OUCH50_OUTBOUND}

directions = st.sampled_from(list(Direction))
layouts = directions.flatmap(lambda way: st.tuples(st.just(way), st.sampled_from(LAYOUTS[way])))
messages = layouts.flatmap(lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), values_of(pair[1])))
appendages = st.fixed_dictionaries({}, optional={name: value_of(kind) for name, kind, _ in OPTIONS.values()})

Case = tuple[Direction, Layout, dict[str, Any]]


def independent(case: Case) -> bytes:
    """The fixed fields as nasdaq-protocols writes them."""
    direction, layout, values = case
    fields = TABLES[direction][layout.code]
    return layout.code.encode() + (specification.independent_bytes(fields, list(values.values())) if fields else b"")


@given(messages)
def test_what_we_encode_is_what_nasdaq_protocols_encodes(case: Case):
    direction, layout, values = case
    expected = independent(case) + (b"\0\0" if layout.tail is Tail.APPENDAGE else b"")
    assert ouch50.encode(direction, layout.name, **values) == expected


@given(messages)
def test_what_we_decode_is_what_nasdaq_protocols_encoded(case: Case):
    direction, layout, values = case
    decoded = ouch50.decode(independent(case) + (b"\0\0" if layout.tail is Tail.APPENDAGE else b""), direction)
    assert (decoded.layout, decoded.values) == (layout, {"type": layout.code, **values})


@given(messages, appendages)
def test_every_option_comes_back_on_every_message_that_may_have_one(case: Case, options: dict[str, Any]):
    direction, layout, values = case
    if layout.tail is Tail.NONE:
        return
    raw = ouch50.encode(direction, layout.name, options, **values)
    decoded = ouch50.decode(raw, direction)
    assert (decoded.values, decoded.appendage) == ({"type": layout.code, **values}, options)


@given(messages, appendages, st.data())
def test_a_cut_message_is_malformed(case: Case, options: dict[str, Any], data: st.DataObject):
    direction, layout, values = case
    raw = ouch50.encode(direction, layout.name, {} if layout.tail is Tail.NONE else options, **values)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    if len(cut) in layout.lengths and (layout.tail is not Tail.APPENDAGE or direction is Direction.OUTBOUND):
        return
    with pytest.raises(MalformedMessage):
        ouch50.decode(cut, direction)


@given(directions, st.binary(max_size=120))
def test_any_bytes_are_a_message_or_malformed_and_nothing_else(direction: Direction, raw: bytes):
    try:
        decoded = ouch50.decode(raw, direction)
    except MalformedMessage:
        return
    assert decoded.type == chr(raw[0])


@given(st.binary(max_size=60))
def test_any_bytes_are_an_appendage_or_malformed_and_nothing_else(elements: bytes):
    try:
        options = ouch50_appendage.decode(len(elements).to_bytes(2, "big") + elements)
    except MalformedMessage:
        options = {}
    assert 2 * len(options) <= len(elements)


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ("00", "does not fit"),
        ("0502", "does not fit"),
        ("03024142", "firm has 4 bytes"),
        ("021c01021c02", "twice"),
    ],
)
def test_a_wrong_element_is_malformed(elements: str, reason: str):
    raw = bytes.fromhex(elements)
    with pytest.raises(MalformedMessage, match=reason):
        ouch50_appendage.decode(len(raw).to_bytes(2, "big") + raw)


def test_an_unknown_tag_is_kept():
    assert ouch50_appendage.decode(bytes.fromhex("0003 02 63 41")) == {"tag_99": "41"}


def test_the_elements_of_the_specification_have_these_bytes():
    written = ouch50_appendage.encode(
        {"firm": "FIRM", "minimum_quantity": 200, "peg_offset": -100, "route": "RTE1", "user_reference_index": 5}
    )
    elements = ["05024649524d", "0503000000c8", "0507ffffff9c", "050e52544531", "021c05"]
    assert written.hex() == "001b" + "".join(elements)


def test_a_letter_means_another_message_in_the_other_direction():
    enable = ouch50.encode_inbound("enable_order_entry", user_reference=12, firm="FRMA")
    assert ouch50.decode_inbound(enable).name == "enable_order_entry"
    with pytest.raises(MalformedMessage, match="executed"):
        ouch50.decode_outbound(enable)
    with pytest.raises(MalformedMessage, match="no inbound message type 'A'"):
        ouch50.decode_inbound(b"A")


def test_an_aiq_cancel_of_an_older_revision_lacks_its_strategy():
    values = {"timestamp_ns": 1, "user_reference": 2, "quantity": 3, "reason": "Q", "prevented_quantity": 4, "price": 5}
    raw = ouch50.encode_outbound("aiq_canceled", **values, liquidity="R", strategy="D")
    assert ouch50.decode_outbound(raw)["strategy"] == "D"
    assert ouch50.decode_outbound(raw[:31]).values == {"type": "D", **values, "liquidity": "R"}


def test_an_answer_may_lack_its_appendage_length():
    raw = ouch50.encode_outbound(
        "executed", timestamp_ns=1, user_reference=2, quantity=3, price=4, liquidity="A", match_number=5
    )
    assert ouch50.decode_outbound(raw[:-2]).values == ouch50.decode_outbound(raw).values


def test_a_system_event_carries_nothing_else():
    raw = ouch50.encode_outbound("system_event", timestamp_ns=1, event="S")
    with pytest.raises(MalformedMessage):
        ouch50.decode_outbound(raw + b"\0\0")
    with pytest.raises(ValueError, match="no appendage"):
        ouch50.encode_outbound("system_event", {"firm": "DESK"}, timestamp_ns=1, event="S")


def test_an_option_that_does_not_exist_or_does_not_fit_is_refused():
    for options in ({"colour": 1}, {"group": 70_000}, {"firm": "TOO LONG"}):
        with pytest.raises(ValueError, match=r"colour|group|TOO LONG"):
            ouch50_appendage.encode(options)
