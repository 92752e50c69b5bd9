"""Dialects of FIX venues: what a file may say, what is sent and what is understood because of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.codes import Side, TimeInForce
from engine.venues.fix44_dialect import Dialect, check_dialect_name, parse_dialect, read_dialect, time_text
from engine.venues.fix44_orders import Order
from engine.venues.fix44_requests import new_order_single, order_mass_status_request

NOW_NS = 1_767_349_230_123_456_789
WHOLE = """
[orders]
leave_out = [1, 59]
time_format = "seconds"
[fields.all]
9000 = "x"
[fields.D]
18 = "6"
[answers]
liquidity_tag = 9730
added = "A"
removed = "R"
[questions]
order_status = false
mass_status = true
"""


def dialect(text: str, version: str = "4.4") -> Dialect:
    return parse_dialect(tomllib.loads(text), version)


def test_a_whole_file_says_what_is_sent(tmp_path: Path) -> None:
    (tmp_path / "dialects").mkdir()
    (tmp_path / "dialects" / "pool.toml").write_text(WHOLE)
    made = read_dialect(tmp_path, "pool", "4.4")
    order = Order(12, 0, 1, 7, Side.BUY, TimeInForce.DAY, 100, 123_450)
    message = new_order_single(order, "ABC", "A1", made)
    fields = {tag: message.getField(tag) for tag in (11, 38, 40, 44, 54, 55, 9000, 18)}
    assert fields == {11: "12", 38: "100", 40: "2", 44: "12.3450", 54: "1", 55: "ABC", 9000: "x", 18: "6"}
    assert (message.isSetField(1), message.isSetField(59), len(message.getField(60))) == (False, False, 17)
    assert order_mass_status_request("all 1", made).getField(585) == "7"
    assert (made.order_status, made.mass_status) == (False, True)
    assert read_dialect(tmp_path, "", "4.2") == Dialect("4.2")


def test_times_have_the_places_that_the_venue_wants() -> None:
    assert [time_text(NOW_NS, places) for places in (0, 3, 6)] == [
        "20260102-10:20:30",
        "20260102-10:20:30.123",
        "20260102-10:20:30.123456",
    ]


REFUSED = [
    ("[colour]\na = 1", "there is no section 'colour'; there are fields, orders, answers, questions"),
    ("[orders]\ncolour = 1", "orders.colour is not a setting of this kind"),
    ("[questions]\norder_status = 1", "questions.order_status is not a setting of this kind"),
    ('[orders]\ntime_format = "days"', "orders.time_format is one of seconds, milliseconds, microseconds"),
    ("[orders]\nleave_out = [11]", "tag 11 cannot be left out of an order"),
    ('[orders]\nleave_out = ["x"]', "'x' is not a tag"),
    ('[fields.D]\n44 = "1"', "tag 44 is an order's own"),
    ("[fields.D]\n9001 = 7", "the value of tag 9001 is a text without control characters"),
    ('[fields.D]\nx = "1"', "'x' is not a tag"),
]


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_a_file_that_makes_no_sense_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + sentence.replace(".", r"\.")):
        dialect(text)


def test_what_a_version_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"FIX 4\.2 has no OrderMassStatusRequest"):
        dialect("[questions]\nmass_status = true", "4.2")


@pytest.mark.parametrize("name", ["../secret", "a/b", ".hidden", "x" * 41, "ä"])
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name of letters"):
        check_dialect_name(name)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        read_dialect(tmp_path, "nowhere", "4.4")


@pytest.mark.parametrize(
    ("transaction", "exec_type", "understood"),
    [("0", "1", "1"), ("0", "0", "0"), ("1", "2", "H"), ("2", "1", "G"), ("3", "0", "I")],
)
def test_what_4_2_says_with_its_transaction_type_is_understood(
    transaction: str, exec_type: str, understood: str
) -> None:
    heard = Dialect("4.2").heard({35: "8", 20: transaction, 150: exec_type})
    assert heard == {35: "8", 150: understood}


def test_a_venues_own_word_for_liquidity_is_understood() -> None:
    made = dialect(WHOLE)
    assert [made.heard({35: "8", 9730: letter}).get(851) for letter in ("A", "R", "X")] == ["1", "2", None]
    assert made.heard({35: "8", 851: "1"}) == {35: "8", 851: "1"}
    assert Dialect().heard({35: "8", 851: "3"}) == {35: "8", 851: "3"}


json_like: Any = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["orders", "answers", "questions", "fields", "x"]), json_like, max_size=4))
def test_whatever_a_file_says_is_a_dialect_or_a_sentence(raw: dict[str, Any]) -> None:
    said = ""
    try:
        said = parse_dialect(raw, "4.4").version
    except ValueError as error:
        said = str(error)
    assert said
