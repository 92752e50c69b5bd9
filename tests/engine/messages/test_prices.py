"""Decimals at the edges: what becomes a whole number of 1/10,000, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.prices import BEYOND, from_decimal, to_decimal


@given(st.integers(-BEYOND + 1, BEYOND - 1))
def test_there_and_back(value: int) -> None:
    assert from_decimal(to_decimal(value)) == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dear", "is not a decimal number"),
        ("0.00001", "is finer than 1/10000"),
        ("NaN", "is finer than 1/10000"),
        ("461168601842738.7904", "is too large"),
        ("-461168601842738.7904", "is too large"),
        ("1e999990", "is too large"),
        ("1e999999", "is too large"),
    ],
)
def test_what_no_record_could_hold_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_decimal(text)
