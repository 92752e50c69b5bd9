"""Binance JSON: what is read, what is refused, and that units are exact."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocols.binance import DepthUpdate, Quote, Scale, Snapshot, Trade, decode, places
from engine.protocols.layouts import MalformedMessage
from tests.engine.protocols.binance_messages import depth, quote, snapshot, trade

WHOLE = 100_000_000


def test_a_difference_is_read_with_absolute_quantities() -> None:
    raw = depth(7, 9, [("61837.63000000", "3.78826000")], [("61837.64000000", "0.00000000")], time_ms=1723161255208)
    assert decode(raw) == DepthUpdate(
        "BTCUSDT", 1_723_161_255_208_000_000, 7, 9, ((6_183_763_000_000, 378_826_000),), ((6_183_764_000_000, 0),)
    )


def test_a_bare_event_is_read_as_one_in_the_envelope_of_a_combined_stream() -> None:
    raw = depth(7, 9)
    assert decode(json.dumps(json.loads(raw)["data"])) == decode(raw)


def test_snapshot_trade_and_quote_are_read() -> None:
    assert decode(snapshot(5, [("1.5", "2")])) == Snapshot(5, ((150_000_000, 2 * WHOLE),), ())
    assert decode(trade(3, "1.5", "0.00000001", True, time_ms=2)) == Trade(
        "BTCUSDT", 2_000_000, 3, 150_000_000, 1, True
    )
    assert decode(quote(4, "1", "2", "3", "4")) == Quote("BTCUSDT", 4, WHOLE, 2 * WHOLE, 3 * WHOLE, 4 * WHOLE)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b'{"u": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"stream": "x"}', "not a JSON object"),
        (b'{"e": "kline"}', "no event that is read here"),
        (b'{"e": []}', "no event that is read here"),
        (depth(9, 7), "first update 9 is after the last, 7"),
        (depth(1, 2, [("1e5", "1")]), "'1e5' is not a decimal number"),
        (depth(1, 2, [("-1", "1")]), "'-1' is not a decimal number"),
        (depth(1, 2, [("0.123456789", "1")]), "'0.123456789' is not a decimal number"),
        (depth(1, 2, [("0.0", "1")]), "b holds a level without a price"),
        (depth(1, 2, [("1",)]), "b holds something that is no level"),  # type: ignore[list-item]
        (depth(1, 2, name="btc usdt"), "'btc usdt' is not a symbol"),
        (snapshot(-1), "lastUpdateId is not a whole number"),
        (snapshot(True), "lastUpdateId is not a whole number"),
        (quote(1 << 60, "1", "1", "1", "1"), "u is not a whole number"),
        (trade(1, "1", "1", 5), "m is neither true nor false"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(raw: bytes | str, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason.replace("[", r"\[")):
        decode(raw)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["e", "s", "u", "U", "E", "b", "a", "stream", "data", "lastUpdateId", "bids", "asks", "x"]), inner)))  # fmt: skip  # noqa: E501
def test_any_json_is_an_event_or_malformed(value: object) -> None:
    try:
        event = decode(json.dumps(value))
    except MalformedMessage:
        return
    assert isinstance(event, DepthUpdate | Snapshot | Trade | Quote)


def test_prices_are_exact_in_their_units_or_refused() -> None:
    scale = Scale(price_decimals=2, quantity_decimals=5)
    assert scale.price(6_183_763_000_000) == 6_183_763
    with pytest.raises(MalformedMessage, match=r"price 0\.00100000 has more than 2 places"):
        scale.price(100_000)


def test_a_quantity_finer_than_its_units_is_cut_off_but_never_to_nothing() -> None:
    scale = Scale(2, 5)
    assert [scale.quantity(value) for value in (0, 1, 999, 1000, 1999)] == [0, 1, 1, 1, 1]
    assert scale.exact_quantity(378_826_000) == 378_826
    with pytest.raises(MalformedMessage, match="has more than 5 places"):
        scale.exact_quantity(1)


@given(st.integers(0, 10**12))
def test_places_are_the_fewest_in_which_a_number_is_whole(value: int) -> None:
    needed = places(value)
    assert value % 10 ** (8 - needed) == 0
    assert needed == 0 or value % 10 ** (9 - needed) != 0
