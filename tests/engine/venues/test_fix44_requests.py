"""Our FIX 4.4 messages, byte for byte as an independent codec reads them, and against the dictionary."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import quickfix
import simplefix

from engine.messages.codes import Side, TimeInForce
from engine.protocols import fix44
from engine.venues import fix44_requests
from engine.venues.fix44_dialect import Dialect
from engine.venues.fix44_orders import Order


def order(**changes: Any) -> Order:
    usual = {
        "order_id": 12, "target_order_id": 0, "instrument": 1, "strategy": 7, "side": Side.BUY, "quantity": 100,
        "time_in_force": TimeInForce.DAY, "price": 123_450,
    }  # fmt: skip
    return Order(**(usual | changes))


def read(message: Any) -> dict[int, str]:
    """The body's fields as simplefix sees them; the message must also satisfy QuickFIX's dictionary."""
    text = message.toString()
    parser = simplefix.FixParser()
    parser.append_buffer(text.encode())
    parsed = parser.get_message()
    assert parsed is not None
    fields = {int(tag): value.decode() for tag, value in parsed.pairs}
    assert fields.pop(8) == "FIX.4.4"
    checksum, length, sending_time = fields.pop(10), fields.pop(9), fields.pop(60, None)
    assert int(checksum) == sum(text.encode()[: text.rindex("10=")]) % 256
    assert int(length) == text.rindex("10=") - text.index("35=")
    assert sending_time is None or len(sending_time) >= 17
    dictionary = quickfix.DataDictionary(f"{sys.prefix}/share/quickfix/FIX44.xml")
    for tag in fields:
        assert tag == 35 or dictionary.isMsgField(fields[35], tag)
    return fields


@pytest.mark.parametrize(("side", "code"), [(Side.BUY, "1"), (Side.SELL, "2")])
@pytest.mark.parametrize(
    ("time_in_force", "said"),
    [
        (TimeInForce.DAY, "0"),
        (TimeInForce.IOC, "3"),
        (TimeInForce.FOK, "4"),
        (TimeInForce.AT_OPEN, "2"),
        (TimeInForce.AT_CLOSE, "7"),
    ],
)
def test_a_new_order(side: Side, code: str, time_in_force: TimeInForce, said: str) -> None:
    message = fix44_requests.new_order_single(order(side=side, time_in_force=time_in_force), "ABC", "A1")
    assert read(message) == {
        35: "D", 1: "A1", 11: "12", 38: "100", 40: "2", 44: "12.3450", 54: code, 55: "ABC", 59: said,
    }  # fmt: skip


def test_an_order_good_till_a_time_has_its_end() -> None:
    kept = order(time_in_force=TimeInForce.GTC)
    assert read(fix44_requests.new_order_single(kept, "ABC", ""))[59] == "1"
    ends = order(time_in_force=TimeInForce.GTD, good_till_s=1_835_481_598)
    for message in (
        fix44_requests.new_order_single(ends, "ABC", ""),
        fix44_requests.order_cancel_replace_request(ends, "ABC", ""),
    ):
        told = read(message)
        assert (told[59], told[126]) == ("6", "20280229-23:59:58.000")


def test_post_only_is_said_to_a_venue_that_knows_it() -> None:
    posts = order(time_in_force=TimeInForce.POST_ONLY)
    told = read(fix44_requests.new_order_single(posts, "ABC", "", Dialect(post_only=True)))
    assert (told[59], told[18]) == ("0", "6")
    assert 18 not in read(fix44_requests.new_order_single(posts, "ABC", ""))


def test_fix_42_says_the_close_as_an_order_type() -> None:
    on_close = order(time_in_force=TimeInForce.AT_CLOSE)
    message = fix44_requests.new_order_single(on_close, "ABC", "A1", Dialect("4.2"))
    fields = fix44.read_fields(message.toString())
    assert (fields[40], fields[59]) == ("B", "0")


def test_no_account_no_field() -> None:
    assert 1 not in read(fix44_requests.new_order_single(order(), "ABC", ""))


def test_a_cancel_has_an_id_of_its_own() -> None:
    assert read(fix44_requests.order_cancel_request(order(cancels=3), "ABC", "")) == {
        35: "F", 11: "12C3", 38: "100", 41: "12", 54: "1", 55: "ABC",
    }  # fmt: skip


def test_a_replacement_names_the_order_it_replaces() -> None:
    assert read(fix44_requests.order_cancel_replace_request(order(target_order_id=11), "ABC", "")) == {
        35: "G", 11: "12", 38: "100", 40: "2", 41: "11", 44: "12.3450", 54: "1", 55: "ABC", 59: "0",
    }  # fmt: skip


def test_questions() -> None:
    assert read(fix44_requests.order_status_request(order(), "ABC")) == {35: "H", 11: "12", 54: "1", 55: "ABC"}
    assert read(fix44_requests.test_request("desk 1", fix44_requests.PLAIN)) == {35: "1", 112: "desk 1"}


@pytest.mark.parametrize("change", [{"side": 3}, {"side": 0}, {"time_in_force": 0}, {"time_in_force": 9}])
def test_an_unknown_side_or_time_in_force_never_becomes_a_default(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        fix44_requests.new_order_single(order(**change), "ABC", "")
