"""ITCH 5.0 against nasdaq-protocols in both directions, and against bytes that are not ITCH."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.native import address_of
from engine.protocols import itch50, itch50_encode
from engine.protocols.itch50_layouts import BY_CODE, MESSAGES
from engine.protocols.layouts import Layout, MalformedMessage
from tests.engine.protocols import specification
from tests.engine.protocols.strategies import values_of

any_layout = st.sampled_from(MESSAGES)
layout_and_values = any_layout.flatmap(lambda layout: st.tuples(st.just(layout), values_of(layout)))


def fields_of(layout: Layout) -> str:
    return f"{specification.ITCH_HEADER} {specification.ITCH50[layout.code]}"


@given(layout_and_values)
def test_what_we_encode_is_what_nasdaq_protocols_encodes(case: tuple[Layout, dict[str, Any]]):
    layout, values = case
    independent = specification.independent_bytes(fields_of(layout), list(values.values()))
    assert itch50.encode(layout.name, **values) == layout.code.encode() + independent


@given(layout_and_values)
def test_what_we_decode_is_what_nasdaq_protocols_decodes(case: tuple[Layout, dict[str, Any]]):
    layout, values = case
    raw = layout.code.encode() + specification.independent_bytes(fields_of(layout), list(values.values()))
    decoded = itch50.decode(raw)
    assert decoded.layout is layout
    assert decoded.values == {"type": layout.code, **values}
    assert list(decoded.values.values())[1:] == specification.independent_values(fields_of(layout), raw[1:])


def test_an_add_order_of_the_specification_reads_field_by_field():
    raw = bytes.fromhex(
        "4115980000 1f1aced85306 000000000166b53e 42 00000640 49564f4f20202020 000d55ac".replace(" ", "")
    )
    assert itch50.decode(raw).values == {
        "type": "A",
        "stock_locate": 5528,
        "tracking_number": 0,
        "timestamp_ns": 34199999894278,
        "reference": 23508286,
        "side": "B",
        "quantity": 1600,
        "instrument": "IVOO",
        "price": 873900,
    }


@given(layout_and_values, st.data())
def test_a_cut_message_is_malformed(case: tuple[Layout, dict[str, Any]], data: st.DataObject):
    layout, values = case
    raw = itch50.encode(layout.name, **values)
    with pytest.raises(MalformedMessage):
        itch50.decode(raw[: data.draw(st.integers(0, len(raw) - 1))])


@given(layout_and_values, st.binary(min_size=1, max_size=40))
def test_a_message_with_bytes_after_it_is_malformed(case: tuple[Layout, dict[str, Any]], rest: bytes):
    layout, values = case
    with pytest.raises(MalformedMessage, match=layout.name):
        itch50.decode(itch50.encode(layout.name, **values) + rest)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_message_or_malformed_and_nothing_else(raw: bytes):
    try:
        decoded = itch50.decode(raw)
    except MalformedMessage:
        known = raw and chr(raw[0]) in BY_CODE
        assert not known or len(raw) != BY_CODE[chr(raw[0])].length
    else:
        assert len(raw) == decoded.layout.length


def test_an_unknown_type_is_named():
    with pytest.raises(MalformedMessage, match="no message type 'z'"):
        itch50.decode(b"z" * 36)


def test_a_snapshot_ends_with_the_number_of_the_next_feed_message():
    raw = itch50.encode_end_of_snapshot(42)
    assert raw == b"G" + b"42".rjust(20)
    assert itch50.decode_snapshot(raw).values == {"type": "G", "sequence": 42}
    deleted = itch50.encode("order_delete", reference=9)
    assert itch50.decode_snapshot(deleted) == itch50.decode(deleted)
    for malformed in (raw[:-1], raw + b" ", b"G" + b"x" * 20):
        with pytest.raises(MalformedMessage):
            itch50.decode_snapshot(malformed)
    with pytest.raises(MalformedMessage):
        itch50.decode(raw)


HOT = {
    "add_order": (
        lambda at, instrument: itch50_encode.write_add_order(at, 7, 34_200_000_000_001, 9, 2, 300, instrument, 1234500),
        {"reference": 9, "side": "S", "quantity": 300, "instrument": "AAPL", "price": 1234500},
    ),
    "order_executed": (
        lambda at, _: itch50_encode.write_order_executed(at, 7, 34_200_000_000_001, 9, 100, 55),
        {"reference": 9, "quantity": 100, "match_number": 55},
    ),
    "order_cancel": (
        lambda at, _: itch50_encode.write_order_cancel(at, 7, 34_200_000_000_001, 9, 100),
        {"reference": 9, "quantity": 100},
    ),
    "order_delete": (lambda at, _: itch50_encode.write_order_delete(at, 7, 34_200_000_000_001, 9), {"reference": 9}),
    "order_replace": (
        lambda at, _: itch50_encode.write_order_replace(at, 7, 34_200_000_000_001, 9, 10, 200, 1234600),
        {"original_reference": 9, "new_reference": 10, "quantity": 200, "price": 1234600},
    ),
}


@pytest.mark.parametrize("name", sorted(HOT))
def test_the_loop_writes_the_same_bytes_as_the_readable_encoder(name: str):
    write, values = HOT[name]
    buffer, instrument = np.full(64, 0xEE, np.uint8), np.frombuffer(b"AAPL    ", np.uint8).copy()
    length = write(address_of(buffer), address_of(instrument))
    assert bytes(buffer[:length]) == itch50.encode(name, stock_locate=7, timestamp_ns=34_200_000_000_001, **values)
    assert set(buffer[length:]) == {0xEE}
