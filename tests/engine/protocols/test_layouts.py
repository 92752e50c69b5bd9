"""Layouts against the specifications' tables, and the pages that are written from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.protocols import itch50_offsets, ouch50_offsets
from engine.protocols.itch50_layouts import MESSAGES as ITCH50
from engine.protocols.layouts import PRICE4, Layout, decimal_text, unsigned48
from engine.protocols.moldudp64_layouts import MESSAGES as MOLDUDP64
from engine.protocols.ouch42_layouts import INBOUND as OUCH42_INBOUND
from engine.protocols.ouch42_layouts import OUTBOUND as OUCH42_OUTBOUND
from engine.protocols.ouch50_layouts import INBOUND, OUTBOUND
from engine.protocols.reference import sections, with_tables
from engine.protocols.soupbintcp_layouts import MESSAGES as SOUPBINTCP
from tests.engine.protocols import specification

PAGES = Path(__file__).parents[3] / "docs" / "protocols"
EVERY = (*ITCH50, *INBOUND, *OUTBOUND, *OUCH42_INBOUND, *OUCH42_OUTBOUND, *SOUPBINTCP, *MOLDUDP64)


def lengths(layouts: tuple[Layout, ...]) -> dict[str, int]:
    return {layout.code: layout.length for layout in layouts}


def test_every_itch_message_has_the_length_of_the_specification():
    assert lengths(ITCH50) == specification.ITCH50_LENGTHS


def test_every_ouch_message_has_the_length_of_the_specification_in_both_directions():
    assert lengths(INBOUND) == specification.OUCH50_INBOUND_LENGTHS
    assert lengths(OUTBOUND) == specification.OUCH50_OUTBOUND_LENGTHS


def test_every_message_of_the_older_ouch_has_the_length_of_its_specification():
    assert lengths(OUCH42_INBOUND) == specification.OUCH42_INBOUND_LENGTHS
    assert lengths(OUCH42_OUTBOUND) == specification.OUCH42_OUTBOUND_LENGTHS


@pytest.mark.parametrize("layout", EVERY, ids=lambda layout: layout.name)
def test_the_dtype_is_packed_and_names_the_same_offsets(layout: Layout):
    assert layout.dtype.itemsize == layout.length
    assert {name: spot[1] for name, spot in layout.dtype.fields.items()} == {f.name: f.offset for f in layout.fields}


def test_names_are_unique_in_a_protocol_so_that_offsets_cannot_hide_each_other():
    older = (*OUCH42_INBOUND, *OUCH42_OUTBOUND)
    for layouts in (ITCH50, (*INBOUND, *OUTBOUND), older, SOUPBINTCP, MOLDUDP64):
        names = [layout.name for layout in layouts]
        assert len(set(names)) == len(names)


def test_offsets_are_named_after_message_and_field():
    assert (chr(itch50_offsets.ADD_ORDER), itch50_offsets.ADD_ORDER_LENGTH) == ("A", 36)
    assert (itch50_offsets.ADD_ORDER_REFERENCE, itch50_offsets.ADD_ORDER_PRICE) == (11, 32)
    assert (itch50_offsets.ORDER_REPLACE_NEW_REFERENCE, itch50_offsets.CROSS_TRADE_QUANTITY) == (19, 11)
    assert (ouch50_offsets.ENTER_ORDER_INSTRUMENT, ouch50_offsets.ENTER_ORDER_LENGTH) == (10, 45)
    assert (ouch50_offsets.EXECUTED_MATCH_NUMBER, ouch50_offsets.TAG_MINIMUM_QUANTITY) == (26, 3)


def test_every_itch_message_starts_with_the_same_header():
    for layout in ITCH50:
        place = {f.name: f.offset for f in layout.fields}
        assert place["stock_locate"] == itch50_offsets.STOCK_LOCATE
        assert place["tracking_number"] == itch50_offsets.TRACKING_NUMBER
        assert place["timestamp_ns"] == itch50_offsets.TIMESTAMP_NS


def test_every_answer_about_an_order_names_it_at_the_same_place_but_replaced():
    for layout in OUTBOUND:
        place = {f.name: f.offset for f in layout.fields}
        if "user_reference" in place and layout.name != "replaced":
            assert place["user_reference"] == ouch50_offsets.OUTBOUND_USER_REFERENCE


def test_the_loop_knows_the_length_of_every_type_and_no_other():
    known = {code: itch50_offsets.message_length(ord(code)) for code in specification.ITCH50_LENGTHS}
    assert known == specification.ITCH50_LENGTHS
    assert sum(itch50_offsets.message_length(code) > 0 for code in range(256)) == len(known)


def test_a_column_of_six_byte_numbers_reads_as_integers():
    numbers = [0, 1, 34_200_000_000_123, 2**48 - 1]
    records = np.frombuffer(b"".join(b"xx" + n.to_bytes(6, "big") for n in numbers), [("skip", "V2"), ("time", "V6")])
    assert unsigned48(records["time"]).tolist() == numbers


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [(242_700, 4, "24.2700"), (0, 4, "0.0000"), (5, 4, "0.0005"), (-100, 4, "-0.0100"), (123456789, 8, "1.23456789")],
)
def test_a_price_is_written_as_an_exact_decimal(value: int, scale: int, text: str):
    assert decimal_text(value, scale) == text


def test_a_value_that_does_not_fit_its_field_is_refused():
    layout = Layout("sample", "", "Sample", (("price", PRICE4, ""),))
    for values in ({"price": -1}, {"price": 2**32}, {}, {"price": 1, "other": 2}, {"other": 1}):
        with pytest.raises(ValueError, match="sample"):
            layout.write(values)


@pytest.mark.parametrize("name", sorted(sections()))
def test_the_tables_of_a_page_are_those_of_the_code(name: str):
    page = (PAGES / name).read_text()
    assert page == with_tables(page, sections()[name]), "run: python -m engine.protocols.reference docs/protocols"
