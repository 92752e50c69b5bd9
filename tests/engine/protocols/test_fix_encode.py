"""FIX messages that the loop writes, read by three other implementations: QuickFIX, simplefix, and our text codec."""

from __future__ import annotations

import calendar
import time
from decimal import Decimal
from functools import cache

import pytest
import quickfix
import simplefix
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.codes import Side, TimeInForce
from engine.messages.prices import to_decimal
from engine.protocols import fix, fix44
from engine.protocols.fix_dictionary import dictionary_folder
from engine.protocols.fix_wire import make_wire
from tests.engine.protocols.fix_bench import Reader, Writer

TIME_NS = 1_767_349_230_123_456_789
TIME_TEXT = "20260102-10:20:30.123"
BEGIN = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0SP2": "FIXT.1.1"}


def with_simplefix(raw: bytes) -> list[tuple[int, str]]:
    parser = simplefix.FixParser()
    parser.append_buffer(raw)
    message = parser.get_message()
    assert message is not None
    assert message.encode(raw=True) == raw
    return [(int(tag), value.decode()) for tag, value in message.pairs]


@cache
def dictionary_of(name: str) -> quickfix.DataDictionary:
    """QuickFIX reads one of these for seconds."""
    return quickfix.DataDictionary(str(dictionary_folder() / name))


def accepted_by_quickfix(raw: bytes, version: str) -> None:
    """Raises when QuickFIX finds fault with a message, checked against its dictionary."""
    text = raw.decode()
    if version == "5.0SP2":
        session, application = dictionary_of("FIXT11.xml"), dictionary_of("FIX50SP2.xml")
        message = quickfix.Message(text, session, application, True)
        quickfix.DataDictionary.validate(message, session, session if message.isAdmin() else application)
    else:
        dictionary = dictionary_of(f"FIX{version.replace('.', '')}.xml")
        message = quickfix.Message(text, dictionary, True)
        dictionary.validate(message)
    assert len(message.toString()) == len(raw)


@pytest.mark.parametrize("version", BEGIN)
def test_every_order_message_is_whole_and_taken_by_quickfix_and_simplefix(version: str) -> None:
    writer = Writer(version, account="A1", number=41)
    header = [(49, "DESK"), (56, "VENUE")]
    handling = [(21, "1")] if version == "4.2" else []
    terms = [
        (38, "250"), (40, "2"), (44, "12.3400"), (54, "2"), (55, "ABC"), (59, "3"), (60, TIME_TEXT),
    ]  # fmt: skip
    sent = [
        (
            writer.write("write_new_order", 17, Side.SELL, 250, "ABC", 123_400, TimeInForce.IOC, 0, TIME_NS),
            [(35, "D"), *header, (34, "41"), (52, TIME_TEXT), (1, "A1"), (11, "17"), *handling, *terms],
        ),
        (
            writer.write("write_replace", 18, 17, Side.SELL, 250, "ABC", 123_400, TimeInForce.IOC, 0, TIME_NS),
            [(35, "G"), *header, (34, "42"), (52, TIME_TEXT), (1, "A1"), (11, "18"), *handling, (41, "17"), *terms],
        ),
        (
            writer.write("write_cancel", 17, Side.SELL, 250, "ABC", TIME_NS),
            [(35, "F"), *header, (34, "43"), (52, TIME_TEXT), (1, "A1"), (11, "17C43"), (41, "17"), (38, "250"),
             (54, "2"), (55, "ABC"), (60, TIME_TEXT)],
        ),
        (writer.write("write_heartbeat", TIME_NS, 0, 0), [(35, "0"), *header, (34, "44"), (52, TIME_TEXT)]),
        (
            writer.write("write_new_order", 19, Side.SELL, 250, "ABC", 123_400, TimeInForce.POST_ONLY, 0, TIME_NS),
            [(35, "D"), *header, (34, "45"), (52, TIME_TEXT), (1, "A1"), (11, "19"), *handling, *terms[:5], (59, "0"),
             (18, "6"), terms[-1]],
        ),
        (
            writer.write("write_test_request", TIME_NS),
            [(35, "1"), *header, (34, "46"), (52, TIME_TEXT), (112, str(TIME_NS // 1_000_000))],
        ),
    ]  # fmt: skip
    for raw, expected in sent:
        pairs = with_simplefix(raw)
        assert pairs[2:-1] == expected
        assert (pairs[0], pairs[-1][0]) == ((8, BEGIN[version]), 10)
        assert fix.decode(raw) == fix.FixMessage(BEGIN[version], tuple(expected))
        assert fix.encode(BEGIN[version], expected) == raw
        accepted_by_quickfix(raw, version)
    assert writer.number == 47


@pytest.mark.parametrize(("version", "terms"), [("4.2", ("B", "0")), ("4.4", ("2", "7")), ("5.0SP2", ("2", "7"))])
def test_the_close_is_an_order_type_where_the_version_has_no_time_in_force_for_it(
    version: str, terms: tuple[str, str]
) -> None:
    writer = Writer(version)
    for kind, wanted in ((TimeInForce.AT_CLOSE, terms), (TimeInForce.AT_OPEN, ("2", "2"))):
        raw = writer.write("write_new_order", 17, Side.SELL, 250, "ABC", 123_400, kind, 0, TIME_NS)
        fields = dict(with_simplefix(raw))
        assert (fields[40], fields[59]) == wanted
        accepted_by_quickfix(raw, version)


@pytest.mark.parametrize("version", BEGIN)
def test_an_order_good_till_a_time_has_its_end_in_seconds(version: str) -> None:
    writer = Writer(version)
    ends = {TimeInForce.GTC: None, TimeInForce.GTD: "20280229-23:59:58"}
    for kind, end in ends.items():
        for raw in (
            writer.write("write_new_order", 17, Side.SELL, 250, "ABC", 123_400, kind, 1_835_481_598, TIME_NS),
            writer.write("write_replace", 18, 17, Side.SELL, 250, "ABC", 123_400, kind, 1_835_481_598, TIME_NS),
        ):
            fields = dict(with_simplefix(raw))
            assert (fields[59], fields.get(126)) == (str(fix44.TIMES_IN_FORCE[kind]), end)
            accepted_by_quickfix(raw, version)


def test_names_may_be_so_short_that_the_body_length_has_two_digits() -> None:
    raw = Writer("4.4").write("write_heartbeat", TIME_NS, 0, 0)
    assert raw.startswith(b"8=FIX.4.4\x019=52\x0135=0\x01")
    assert fix.decode(raw).type == "0"


@given(
    order_id=st.integers(1, 10**18 - 1),
    quantity=st.integers(1, 10**12),
    price=st.integers(0, 10**17),
    side=st.sampled_from(list(Side)),
    time_in_force=st.sampled_from(list(TimeInForce)),
    symbol=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ.", min_size=1, max_size=8),
    number=st.integers(1, 10**12),
    time_ns=st.integers(0, 4_102_444_799_999_999_999),
    good_till_s=st.integers(1, (1 << 32) - 1),
)
def test_any_order_reads_back_as_it_was(
    order_id: int, quantity: int, price: int, side: Side, time_in_force: TimeInForce, symbol: str, number: int,
    time_ns: int, good_till_s: int,
) -> None:  # fmt: skip
    raw = Writer("4.4", number=number).write(
        "write_new_order", order_id, side, quantity, symbol, price, time_in_force, good_till_s, time_ns
    )
    fields = dict(with_simplefix(raw))
    codes = {1: "1", 2: "2"}[side], {1: "0", 2: "3", 3: "4", 4: "0", 5: "2", 6: "7", 7: "1", 8: "6"}[time_in_force]
    assert [fields[tag] for tag in (11, 34, 38, 55)] == [str(order_id), str(number), str(quantity), symbol]
    assert (fields[54], fields[59]) == codes
    assert fields.get(18) == ("6" if time_in_force == TimeInForce.POST_ONLY else None)
    end = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(good_till_s)) if time_in_force == TimeInForce.GTD else None
    assert fields.get(126) == end
    assert Decimal(fields[44]) == to_decimal(price)
    assert fields[52] == fields[60]
    seconds = calendar.timegm(time.strptime(fields[60][:17], "%Y%m%d-%H:%M:%S"))
    assert seconds * 1000 + int(fields[60][18:]) == time_ns // 1_000_000
    assert Reader().timestamp(fields[60]) == time_ns // 1_000_000 * 1_000_000
    assert Reader().frame(raw) == len(raw)


@pytest.mark.parametrize(("version", "sender", "sentence"), [
    ("4.3", "DESK", "FIX 4.3 is not spoken; versions are 4.2, 4.4, 5.0SP2"),
    ("4.4", "D" * 25, "'DDDDDDDDDDDDDDDDDDDDDDDDD': names have at most 24 printable ASCII characters"),
    ("4.4", "D\x01", "'D\\x01': names have at most 24 printable ASCII characters"),
])  # fmt: skip
def test_a_session_that_cannot_be_written_is_refused(version: str, sender: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        make_wire(0, version, sender, "VENUE")
    assert str(refused.value) == sentence
