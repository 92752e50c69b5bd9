"""Texts of FIX 4.4: what is written is read again, and what is none is one exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocols import fix44
from engine.protocols.layouts import MalformedMessage

TEXT = st.text(st.characters(exclude_characters="\x01"), max_size=20)


@given(st.dictionaries(st.integers(1, 9999), TEXT))
def test_fields_are_read_as_they_were_written(fields: dict[int, str]) -> None:
    assert fix44.read_fields(fix44.write_fields(fields)) == fields


def test_of_a_repeated_tag_the_first_counts_and_what_is_no_field_is_skipped() -> None:
    assert fix44.read_fields("35=D\x0158=a=b\x0158=c\x01x=1\x01=\x01\u0661=2\x0177") == {35: "D", 58: "a=b"}


@given(st.text())
def test_any_text_has_fields(text: str) -> None:
    assert all(isinstance(tag, int) for tag in fix44.read_fields(text))


@given(st.integers(0, 4_000_000_000_000))
def test_times_are_read_as_they_were_written(milliseconds: int) -> None:
    time_ns = milliseconds * 1_000_000
    assert fix44.read_time(fix44.time_text(time_ns)) == time_ns


def test_times_of_every_precision() -> None:
    texts = ("", "20260102-10:20:30", "20260102-10:20:30.5", "20260102-10:20:30.123456789")
    whole = 1_767_349_230_000_000_000
    assert [fix44.read_time(text) for text in texts] == [0, whole, whole + 500_000_000, whole + 123_456_789]


@pytest.mark.parametrize(
    "text", ["x", "20260102", "20261302-10:20:30", "20260102-10:20:30.", "20260102-10:20:30.1234567890"]
)
def test_what_is_no_time_is_malformed(text: str) -> None:
    with pytest.raises(MalformedMessage, match="is not a UTCTimestamp"):
        fix44.read_time(text)


@given(st.integers(0, fix44.LARGEST_PRICE - 1))
def test_prices_are_read_as_they_were_written(price: int) -> None:
    assert fix44.read_price({44: fix44.price_text(price)}, 44) == price


@given(TEXT)
def test_a_price_or_a_quantity_is_a_number_or_malformed(text: str) -> None:
    for read in (fix44.read_price, fix44.read_quantity):
        try:
            assert 0 <= read({44: text}, 44) < 1 << 62
        except MalformedMessage:
            continue


def test_a_quantity_may_be_absent_only_with_a_default() -> None:
    assert fix44.read_quantity({}, 38, "0") == 0
    assert fix44.read_quantity({38: "12.00"}, 38) == 12
    with pytest.raises(MalformedMessage, match="field 38 is missing"):
        fix44.read_quantity({}, 38)
