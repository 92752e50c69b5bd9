"""Commands: applied once by id, refused in a sentence, journalled before they do anything."""

from __future__ import annotations

from typing import Any

import pytest

from engine.hotpath import tables
from engine.messages import control
from engine.messages.codes import EngineState, OrderState, ReportKind, Scope
from engine.messages.control import Status
from engine.messages.records import TextRecord
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, OTHER_VENUE, START_NS, STRATEGY, TEAM, VENUE, Loop

ID = "0123456789abcdef"


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, 999_900, 1_000_100)
    made.taken()
    return made


def order(**changes: Any) -> control.EnterOrder:
    fields = {
        "client_order_id": "a-1",
        "team": TEAM,
        "instrument": ALPHA,
        "venue": VENUE,
        "side": BUY,
        "quantity": 100,
        "price": 1_000_000,
        "time_in_force": 1,
    }
    return control.EnterOrder(**fields | changes)


def memory_of(loop: Loop) -> bytes:
    memory = loop.memory
    arrays = (memory.core, memory.accounts, memory.strategies, memory.legs, memory.venues, memory.orders, memory.cells)
    return b"".join(array.tobytes() for array in arrays)


def test_the_same_id_is_applied_once_and_answered_alike(loop: Loop) -> None:
    first = loop.command(order(), command_id=ID)
    again = loop.command(order(), command_id=ID)
    assert first == again == Status(ID, "applied", "", {"order_id": 1}, first.journal_sequence)
    assert int(loop.core["orders_entered"]) == 1
    assert len([record for record in loop.taken() if isinstance(record, TextRecord)]) == 1


def test_a_denied_order_is_answered_with_its_reason_and_the_same_again(loop: Loop) -> None:
    loop.wide_limits(team={"order_quantity": 99})
    first = loop.command(order(), command_id=ID)
    assert (first.outcome, first.reason) == ("refused", "denied: order quantity")
    assert first.body == {
        "order_id": 1,
        "denial": "ORDER_QUANTITY",
        "measured": 100,
        "bound": 99,
        "scope": "TEAM",
        "scope_id": TEAM,
        "limit_name": "ORDER_QUANTITY",
    }
    loop.wide_limits()
    assert loop.command(order(), command_id=ID) == first
    assert int(loop.core["denials"]) == 1


def test_a_command_stands_in_the_journal_before_what_it_did(loop: Loop) -> None:
    loop.command(order(), actor="alice", command_id=ID)
    text, request = loop.taken()
    assert isinstance(text, TextRecord)
    assert text.document["actor"] == "alice"
    assert text.document["body"]["client_order_id"] == "a-1"
    assert (text.time_ns, request.time_ns, request.sequence) == (START_NS, START_NS, text.sequence + 1)


REFUSED: list[tuple[Any, str]] = [
    (order(team=0), "an order needs a team, and no number of it is negative"),
    (order(team=-1), "an order needs a team, and no number of it is negative"),
    (order(team=1 << 40), "a strategy and its team have positive numbers below 2^31"),
    (order(price=-1), "an order needs a team, and no number of it is negative"),
    (order(instrument=99), "no such instrument or venue"),
    (order(venue=9), "no such instrument or venue"),
    (order(venue=-1), "no such instrument or venue"),
    (order(venue=0, time_in_force=3), "the router works DAY, IOC and post-only orders"),
    (order(expires_ns=START_NS - 1), "the order came later than its sender allowed; it was not sent"),
    (order(quantity=1 << 62), "enter_order: quantity must be int"),
    (control.CancelOrder(0), "order 0 is not known"),
    (control.CancelOrder(12), "order 12 is not known"),
    (control.CancelOrder(-4), "order -4 is not known"),
    (control.StopStrategy(STRATEGY), f"strategy {STRATEGY} has not been started"),
    (control.RemoveVenue(3), "venue 3 is not defined"),
    (control.Kill(0, 0, ""), "a kill applies to the firm, a team, a strategy or a venue"),
    (control.Kill(5, 0, ""), "a kill applies to the firm, a team, a strategy or a venue"),
    (control.Kill(int(Scope.TEAM), -1, ""), "a kill applies to the firm, a team, a strategy or a venue"),
    (control.Kill(int(Scope.TEAM), 1 << 40, ""), "a kill applies to the firm, a team, a strategy or a venue"),
    (control.Kill(int(Scope.VENUE), 0, ""), "a venue's number is 1 to 8"),
    (control.Kill(int(Scope.VENUE), 9, ""), "a venue's number is 1 to 8"),
    (control.Rearm(int(Scope.FIRM), 0, "", "bob"), "there is no such kill"),
]


@pytest.mark.parametrize(("body", "sentence"), REFUSED)
def test_what_cannot_be_done_is_refused_in_a_sentence_and_leaves_no_trace(loop: Loop, body: Any, sentence: str) -> None:
    before = memory_of(loop)
    status = loop.command(body, command_id=ID)
    assert status == Status(ID, "refused", status.reason)
    assert status.reason.startswith(sentence)
    assert memory_of(loop) == before
    assert loop.taken() == []


def test_a_refused_command_may_be_asked_again_when_it_can_be_done(loop: Loop) -> None:
    body = control.StopStrategy(STRATEGY)
    assert not loop.command(body, command_id=ID).applied
    assert loop.start_pairs().applied
    assert loop.command(body, command_id=ID).applied


def test_an_order_within_its_time_is_sent(loop: Loop) -> None:
    assert loop.command(order(expires_ns=START_NS)).applied


def test_a_cancel_is_asked_once(loop: Loop) -> None:
    order_id = loop.enter()
    assert loop.applied(control.CancelOrder(order_id)) == {"asked": 1}
    assert loop.applied(control.CancelOrder(order_id)) == {"asked": 0}
    loop.report(ReportKind.CANCELED, order_id)
    assert loop.applied(control.CancelOrder(order_id)) == {"asked": 0}


def test_stopping_a_strategy_cancels_its_orders_and_keeps_its_position(loop: Loop) -> None:
    assert loop.start_pairs(instruments=[ALPHA, BRAVO]).applied
    filled, working = loop.enter_for_strategy(), loop.enter_for_strategy()
    loop.report(ReportKind.EXECUTED, filled, 100, 1_000_000)
    assert loop.applied(control.StopStrategy(STRATEGY)) == {"canceling": 1}
    assert int(loop.order(working)["canceling"]) == 1
    assert int(loop.leg()["position"]) == 100


@pytest.mark.parametrize("approver", ["", "alice"])
def test_rearming_takes_a_second_person(loop: Loop, approver: str) -> None:
    loop.kill(Scope.TEAM, TEAM)
    status = loop.command(control.Rearm(int(Scope.TEAM), TEAM, "over", approver), actor="alice")
    assert status.reason == "re-arming takes a second person"
    assert loop.configuration.kills == {(Scope.TEAM, TEAM)}


def test_a_kill_of_the_firm_is_one_whatever_number_comes_with_it(loop: Loop) -> None:
    loop.kill(Scope.FIRM, 17)
    assert loop.configuration.kills == {(Scope.FIRM, 0)}
    loop.applied(control.Rearm(int(Scope.FIRM), 4, "over", "bob"))
    assert loop.configuration.kills == set()


def test_a_full_journal_refuses_every_command_and_does_nothing(loop: Loop) -> None:
    loop.commands.append = lambda document: 0
    before = memory_of(loop)
    status = loop.command(control.Kill(int(Scope.FIRM), 0, "now"))
    assert status.reason == "the journal is full: the engine is halted"
    assert memory_of(loop) == before


def test_a_kill_that_two_people_press_at_once_is_one_kill(loop: Loop) -> None:
    loop.enter()
    assert loop.kill(Scope.FIRM) == {"canceling": 1}
    assert loop.kill(Scope.FIRM) == {"canceling": 1}
    assert loop.configuration.kills == {(Scope.FIRM, 0)}
    assert loop.core["state"] == EngineState.HALTED


VENUE_SETTINGS = {"order_address": "127.0.0.1:1", "user": "desk", "password": "secret", "feed_line_a": "127.0.0.1:2"}
VENUES_REFUSED = [
    ({"venue": 0}, {}, "a venue's number is 1 to 4"),
    ({"venue": 5}, {}, "a venue's number is 1 to 4"),
    ({"protocol": "carrier pigeon"}, {}, "this engine does not speak 'carrier pigeon'"),
    ({"name": ""}, {}, "a venue has a name of at most 20 characters"),
    ({"name": "x" * 21}, {}, "a venue has a name of at most 20 characters"),
    ({}, {"taker_fee": "1000001"}, "a fee is at most 1000000 (1/10,000 per share)"),
    ({}, {"maker_fee": "9" * 90}, "a fee is at most 1000000 (1/10,000 per share)"),
    ({}, {"maker_fee": "lots"}, "Maker fee: 'lots' is not a whole number"),
    ({}, {"colour": "green"}, "OUCH 5.0 over SoupBinTCP has no setting 'colour'"),
    ({}, {"order_address": "nowhere"}, "Order entry: 'nowhere' is not an address like 127.0.0.1:9000"),
]


@pytest.mark.parametrize(("fields", "settings", "sentence"), VENUES_REFUSED)
def test_a_venue_that_cannot_be_is_refused(
    loop: Loop, fields: dict[str, Any], settings: dict[str, str], sentence: str
) -> None:
    whole = {"venue": 3, "name": "XNEW", "protocol": "ouch50", "settings": VENUE_SETTINGS | settings} | fields
    status = loop.command(control.DefineVenue(**whole))
    assert status.reason == sentence
    assert 3 not in loop.configuration.venues


def test_a_venue_changes_its_protocol_only_without_open_orders(loop: Loop) -> None:
    order_id = loop.enter()
    fix = {"order_address": "127.0.0.1:1", "sender_comp_id": "US", "target_comp_id": "X1", "feed_line_a": "127.0.0.1:2"}
    body = control.DefineVenue(VENUE, "X1", "fix44", fix)
    assert loop.command(body).reason == "X1 has open orders; its protocol cannot change now"
    loop.report(ReportKind.CANCELED, order_id)
    loop.applied(body)
    assert int(loop.memory.venues[VENUE]["protocol"]) == tables.RING


def test_a_venue_is_removed_when_nothing_runs_or_works_there(loop: Loop) -> None:
    assert loop.start_pairs(instruments=[ALPHA, BRAVO]).applied
    order_id = loop.enter()
    assert loop.command(control.RemoveVenue(VENUE)).reason == f"strategy {STRATEGY} trades there; stop it first"
    loop.applied(control.StopStrategy(STRATEGY))
    assert loop.command(control.RemoveVenue(VENUE)).reason == "there are open orders; kill the venue first"
    loop.report(ReportKind.CANCELED, order_id)
    loop.applied(control.RemoveVenue(VENUE))
    assert list(loop.configuration.venues) == [OTHER_VENUE]
    assert int(loop.memory.venues[VENUE]["protocol"]) == tables.NO_PROTOCOL
    assert loop.order(order_id)["state"] == OrderState.CANCELED


def test_the_seventeenth_team_is_refused_and_known_ones_trade_on(loop: Loop) -> None:
    for team in range(100, 100 + tables.TEAMS - len(loop.configuration.team_accounts)):
        loop.command(order(team=team))
    assert loop.command(order(team=999)).reason == f"the engine has room for {tables.TEAMS} teams"
    assert loop.command(order(team=100)).reason == "denied: limit unset"
    assert loop.kill(Scope.TEAM, 999) == {"canceling": 0}
