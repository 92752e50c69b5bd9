"""What ITCH says beside the book, and what the gate lets through: halts, restrictions, collars, breakers, hours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.control.listing_state import listing_state, market_state
from engine.control.state_frame import StateFrame
from engine.hotpath.entries import cancel
from engine.messages.codes import DenialReason, RecordKind, ReportKind
from engine.protocols import itch50, moldudp64
from engine.protocols.itch50_layouts import MESSAGES
from engine.protocols.layouts import Layout
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, INSTRUMENTS, OPEN_NS, OTHER_VENUE, SELL, VENUE, Loop, reason

R = DenialReason
BID, ASK = 999_900, 1_000_100


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    for venue in (VENUE, OTHER_VENUE):
        for instrument in (ALPHA, BRAVO):
            made.quote(instrument, BID, ASK, venue=venue)
    return made


UNNAMED = ("system_event", "mwcb_decline_level", "mwcb_status", "broken_trade")


def say(loop: Loop, name: str, locate: int = ALPHA, venue: int = VENUE, **values: Any) -> None:
    """One message of a venue's feed; those about an instrument name it."""
    if "instrument" not in values and name not in UNNAMED:
        values["instrument"] = INSTRUMENTS[locate - 1].name
    loop.packet([itch50.encode(name, stock_locate=locate, timestamp_ns=OPEN_NS, **values)], venue)


def trading(loop: Loop, state: str, instrument: int = ALPHA, venue: int = VENUE, code: str = "") -> None:
    say(loop, "trading_action", instrument, venue, trading_state=state, reserved=" ", reason=code)


def shown(loop: Loop, instrument: int = ALPHA, venue: int = VENUE) -> dict[str, Any]:
    return listing_state(loop.memory.statuses[loop.memory.listing(venue, instrument)])


def denied(loop: Loop) -> tuple[int, int, int]:
    """Reason, measured and bound of the last denial."""
    body = loop.bodies(RecordKind.DENIAL)[-1]
    return body["reason"], body["measured"], body["bound"]


def hold(loop: Loop, quantity: int) -> None:
    """The firm owns so much, bought by hand."""
    loop.report(ReportKind.EXECUTED, loop.enter(BUY, quantity, ASK), quantity, ASK)


@pytest.mark.parametrize(
    ("state", "word", "expected"),
    [
        ("H", "HALTED", R.INSTRUMENT_HALTED),
        ("P", "PAUSED", R.INSTRUMENT_PAUSED),
        ("Q", "QUOTATION_ONLY", R.QUOTATION_ONLY),
        ("?", "HALTED", R.INSTRUMENT_HALTED),
    ],
)
def test_a_trading_action_holds_up_that_listing_alone_until_it_trades_again(
    loop: Loop, state: str, word: str, expected: DenialReason
) -> None:
    assert shown(loop)["status"] is None
    trading(loop, state, code="T1")
    assert reason(loop.enter()) == expected
    assert denied(loop) == (expected, int.from_bytes(b"T1  ", "big"), 0)
    assert (shown(loop)["status"], shown(loop)["status_reason"]) == (word, "T1")
    assert reason(loop.enter(instrument=BRAVO)) == R.NONE
    assert reason(loop.enter(venue=OTHER_VENUE)) == R.NONE
    trading(loop, "T")
    assert reason(loop.enter()) == R.NONE
    assert (shown(loop)["status"], shown(loop)["status_reason"]) == ("TRADING", None)


def test_one_trading_state_takes_the_place_of_another(loop: Loop) -> None:
    for state, expected in (("H", R.INSTRUMENT_HALTED), ("Q", R.QUOTATION_ONLY), ("P", R.INSTRUMENT_PAUSED)):
        trading(loop, state)
        assert reason(loop.enter()) == expected


def test_a_halt_refuses_what_only_reduces_too_and_lets_cancels_through(loop: Loop) -> None:
    hold(loop, 300)
    working = loop.enter(BUY, 100, BID)
    trading(loop, "H")
    assert reason(loop.enter(SELL, 100, BID)) == R.INSTRUMENT_HALTED
    assert cancel(loop.address, working) == 1


def test_an_operational_halt_is_ended_by_its_own_message_only(loop: Loop) -> None:
    say(loop, "operational_halt", market_code="Q", halt_action="H")
    trading(loop, "T")
    assert reason(loop.enter()) == R.OPERATIONAL_HALT
    assert shown(loop)["status"] == "OPERATIONAL_HALT"
    say(loop, "operational_halt", market_code="Q", halt_action="T")
    assert reason(loop.enter()) == R.NONE


@pytest.mark.parametrize("action", ["1", "2"])
def test_a_short_sale_has_to_be_above_the_best_bid_of_all_venues(loop: Loop, action: str) -> None:
    say(loop, "reg_sho_restriction", reg_sho_action=action)
    assert shown(loop)["status"] == "SHORT_SALE_RESTRICTED"
    assert reason(loop.enter(SELL, 100, BID)) == R.SHORT_SALE_RESTRICTED
    assert denied(loop) == (R.SHORT_SALE_RESTRICTED, BID, BID)
    assert reason(loop.enter(SELL, 100, BID + 100)) == R.NONE
    assert reason(loop.enter(BUY, 100, BID)) == R.NONE
    loop.quote(ALPHA, BID + 200, ASK + 200, venue=OTHER_VENUE)
    assert reason(loop.enter(SELL, 100, BID + 200)) == R.SHORT_SALE_RESTRICTED
    assert reason(loop.enter(SELL, 100, BID + 300)) == R.NONE
    say(loop, "reg_sho_restriction", reg_sho_action="0")
    assert reason(loop.enter(SELL, 100, BID)) == R.NONE


def test_a_sale_of_what_the_firm_owns_is_not_short(loop: Loop) -> None:
    hold(loop, 300)
    say(loop, "reg_sho_restriction", reg_sho_action="1")
    assert reason(loop.enter(SELL, 300, BID)) == R.NONE
    assert reason(loop.enter(SELL, 100, BID)) == R.SHORT_SALE_RESTRICTED, "those shares are being sold already"


def test_orders_outside_an_auction_collar_are_refused_while_it_holds(loop: Loop) -> None:
    def collar() -> None:
        prices = {"reference_price": 1_000_000, "upper_price": 1_000_500, "lower_price": 999_500}
        say(loop, "luld_auction_collar", **prices, extension=0)

    collar()
    assert (shown(loop)["collar_lower"], shown(loop)["collar_upper"]) == (999_500, 1_000_500)
    for price, bound in ((1_000_600, 1_000_500), (999_400, 999_500)):
        assert reason(loop.enter(price=price)) == R.AUCTION_COLLAR
        assert denied(loop) == (R.AUCTION_COLLAR, price, bound)
    for price in (1_000_500, 999_500):
        assert reason(loop.enter(price=price)) == R.NONE
    trading(loop, "T")
    assert reason(loop.enter(price=1_000_600)) == R.NONE
    collar()
    cross = {"quantity": 100, "price": 1_000_000, "match_number": 9, "cross_type": "H"}
    say(loop, "cross_trade", **cross)
    assert reason(loop.enter(price=1_000_600)) == R.NONE
    assert shown(loop)["collar_lower"] is None


def test_a_breach_holds_up_every_venue_until_each_listing_trades_again(loop: Loop) -> None:
    say(loop, "system_event", 0, OTHER_VENUE, event="Q")
    say(loop, "mwcb_decline_level", 0, level_1=1, level_2=2, level_3=3)
    assert reason(loop.enter()) == R.NONE
    say(loop, "mwcb_status", 0, breached_level="1")
    for where in ({}, {"instrument": BRAVO}, {"venue": OTHER_VENUE}):
        assert reason(loop.enter(**where)) == R.MARKET_WIDE_HALT
    assert denied(loop) == (R.MARKET_WIDE_HALT, 1, 0)
    assert market_state(loop.memory.markets[OTHER_VENUE])["breached"] == "1"
    trading(loop, "T")
    assert reason(loop.enter()) == R.NONE
    say(loop, "mwcb_status", 0, OTHER_VENUE, breached_level="1")
    assert reason(loop.enter()) == R.NONE, "the same breach, told by the other venue"
    assert reason(loop.enter(instrument=BRAVO)) == R.MARKET_WIDE_HALT
    say(loop, "mwcb_status", 0, breached_level="2")
    assert reason(loop.enter()) == R.MARKET_WIDE_HALT


def test_an_ipo_takes_no_orders_before_it_trades(loop: Loop) -> None:
    seconds = 10 * 3600 + 1800
    say(loop, "ipo_quoting_period", release_time_seconds=seconds, release_qualifier="A", price=200_000)
    assert reason(loop.enter()) == R.IPO_PENDING
    assert denied(loop) == (R.IPO_PENDING, seconds, 0)
    assert shown(loop)["release_time"] == "10:30:00"
    say(loop, "ipo_quoting_period", release_time_seconds=0, release_qualifier="C", price=200_000)
    assert (reason(loop.enter()), shown(loop)["release_time"]) == (R.IPO_PENDING, "postponed")
    trading(loop, "T")
    assert (reason(loop.enter()), shown(loop)["release_time"]) == (R.NONE, None)


def test_a_direct_listing_is_not_traded_before_it_may_be_released(loop: Loop) -> None:
    def discovery(eligible: str) -> None:
        prices = {"minimum_price": 1, "maximum_price": 2, "near_price": 1, "lower_price": 1, "upper_price": 2}
        say(loop, "direct_listing_capital_raise", open_eligible=eligible, near_time_ns=0, **prices)

    discovery("N")
    assert (reason(loop.enter()), shown(loop)["direct_listing"]) == (R.IPO_PENDING, "N")
    assert reason(loop.enter(instrument=BRAVO)) == R.NONE
    discovery("Y")
    assert (reason(loop.enter()), shown(loop)["direct_listing"]) == (R.IPO_PENDING, "Y"), "it may be; it is not yet"
    trading(loop, "T")
    assert reason(loop.enter()) == R.NONE
    discovery("N")
    assert reason(loop.enter()) == R.NONE, "it trades"


def test_hours_of_the_venue(loop: Loop) -> None:
    hold(loop, 300)
    closed, reducing = R.MARKET_CLOSED, {"side": SELL, "price": BID}
    for event, new, less in (
        ("O", closed, closed),
        ("S", R.NONE, R.NONE),
        ("Q", R.NONE, R.NONE),
        ("M", closed, R.NONE),
        ("E", closed, closed),
        ("C", closed, closed),
    ):
        say(loop, "system_event", 0, event=event)
        assert (reason(loop.enter(quantity=10)), reason(loop.enter(quantity=10, **reducing))) == (new, less), event
    assert reason(loop.enter(venue=OTHER_VENUE)) == R.NONE
    assert market_state(loop.memory.markets[VENUE]) == {
        "market": "CLOSED",
        "phase": "C",
        "breached": None,
        "unknown_broken": 0,
    }


def test_the_end_of_the_feeds_session_closes_and_a_new_session_knows_nothing(loop: Loop) -> None:
    trading(loop, "H")
    end = moldudp64.encode_end_of_session("TEST000001", loop.next_sequence[VENUE])
    loop.datagram(end)
    assert reason(loop.enter()) == R.MARKET_CLOSED
    loop.pass_time(4_000_000_000)
    messages = [loop.add(ALPHA, BUY, BID), loop.add(ALPHA, SELL, ASK)]
    loop.datagram(moldudp64.encode("TEST000002", 1, messages))
    assert reason(loop.enter()) == R.NONE
    assert shown(loop)["status"] is None


def test_prints_and_what_a_broken_trade_leaves_of_them(loop: Loop) -> None:
    def printed() -> tuple[Any, ...]:
        now = shown(loop)
        return now["last_price"], now["last_quantity"], now["volume"]

    trade = {"reference": 0, "side": "B"}
    say(loop, "trade", **trade, quantity=100, price=1_000_000, match_number=1)
    say(loop, "cross_trade", quantity=5_000, price=1_000_200, match_number=2, cross_type="O")
    say(loop, "cross_trade", quantity=0, price=0, match_number=0, cross_type="C")
    say(loop, "trade", **trade, quantity=7, price=1_000_100, match_number=3)
    assert printed() == (1_000_100, 7, 5_107)
    say(loop, "broken_trade", 0, match_number=2)
    assert printed() == (1_000_100, 7, 107)
    say(loop, "broken_trade", 0, match_number=3)
    assert printed() == (1_000_000, 100, 100)
    for match in (3, 99):
        say(loop, "broken_trade", 0, match_number=match)
    assert printed() == (1_000_000, 100, 100)
    assert market_state(loop.memory.markets[VENUE])["unknown_broken"] == 2
    say(loop, "broken_trade", 0, match_number=1)
    assert printed() == (None, None, 0)


def test_imbalance_and_retail_interest_are_shown(loop: Loop) -> None:
    quantities = {"paired_quantity": 1_000, "imbalance_quantity": 2_500, "imbalance_direction": "S"}
    prices = {"far_price": 1_000_300, "near_price": 1_000_200, "reference_price": 1_000_000}
    say(loop, "net_order_imbalance", **quantities, **prices, cross_type="O", price_variation="L")
    say(loop, "retail_price_improvement", interest="A")
    now = shown(loop)
    assert (now["imbalance_side"], now["imbalance_quantity"], now["near_price"]) == ("S", 2_500, 1_000_200)
    assert (now["retail_interest"], now["paired_quantity"]) == ("A", 1_000)
    assert reason(loop.enter()) == R.NONE


DIRECTORY = {
    "market_category": "Q", "financial_status": "N", "round_lot_size": 100, "round_lots_only": "N",
    "issue_classification": "C", "issue_sub_type": "Z", "authenticity": "P", "short_sale_threshold": "N",
    "ipo_flag": "N", "luld_tier": "1", "etp_flag": "N", "etp_leverage": 0, "inverse": "N",
}  # fmt: skip


def test_the_directory_says_which_instrument_a_locate_is(loop: Loop) -> None:
    say(loop, "stock_directory", 700, instrument="BRAVO", **DIRECTORY)
    say(loop, "stock_directory", ALPHA, instrument="OTHER", **DIRECTORY)
    for locate, name in ((700, "BRAVO"), (ALPHA, "OTHER")):
        say(loop, "trading_action", locate, instrument=name, trading_state="H", reserved=" ", reason="")
    assert reason(loop.enter(instrument=BRAVO)) == R.INSTRUMENT_HALTED
    assert reason(loop.enter()) == R.NONE
    assert reason(loop.enter(instrument=BRAVO, venue=OTHER_VENUE)) == R.NONE


def test_a_strategy_does_not_wait_after_trading_resumes(loop: Loop) -> None:
    assert loop.start_pairs().applied
    trading(loop, "H")
    for _ in range(5):
        assert reason(loop.enter_for_strategy()) == R.INSTRUMENT_HALTED
    assert int(loop.leg()["retry_after_ns"]) > OPEN_NS
    trading(loop, "T")
    assert (int(loop.leg()["retry_after_ns"]), int(loop.leg()["denied"])) == (0, 0)
    assert reason(loop.enter_for_strategy()) == R.NONE


def test_every_type_of_the_specification_is_counted(loop: Loop) -> None:
    counts = loop.memory.book.counts_by_type()
    say(loop, "market_participant_position", participant="ABCD", primary_market_maker="Y", market_maker_mode="N",
        participant_state="A")  # fmt: skip
    prices = {"minimum_price": 1, "maximum_price": 2, "near_price": 1, "lower_price": 1, "upper_price": 2}
    say(loop, "direct_listing_capital_raise", open_eligible="Y", near_time_ns=0, **prices)
    after = loop.memory.book.counts_by_type()
    assert {kind: after[kind] for kind in after if after[kind] != counts.get(kind)} == {
        "L": {"not_book": 1},
        "O": {"not_book": 1},
    }
    assert (shown(loop)["market_makers"], shown(loop)["direct_listing"]) == (1, "Y")


BESIDE_THE_BOOK = [layout for layout in MESSAGES if layout.code not in "AFECXDU"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(BESIDE_THE_BOOK), st.binary(min_size=64, max_size=64)), max_size=20))
def test_whatever_a_venue_says_the_gate_answers_with_a_reason(said: list[tuple[Layout, bytes]]) -> None:
    loop = Loop()
    loop.wide_limits()
    loop.quote(ALPHA, BID, ASK)
    for layout, raw in said:
        about = raw[0] % 4
        loop.packet([layout.code.encode() + bytes((0, about)) + raw[3 : layout.length]])
    assert reason(loop.enter()) in R
    assert json.loads(json.dumps(StateFrame(loop.configuration, 1, "paper").make()))["tops"]
