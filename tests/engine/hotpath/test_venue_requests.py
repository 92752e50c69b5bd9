"""Mass cancel and the switch of order entry: when a kill asks for them, what the venue gets, when it is taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.hotpath import tables
from engine.messages import control
from engine.messages.codes import OrderAction, RecordKind, Scope
from engine.protocols import ouch50
from tests.engine.hotpath.ouch_venue import OuchVenue, accepted, sequenced
from tests.engine.loop_builder import ALPHA, DOWN, OTHER_VENUE, TEAM, UP, VENUE, Loop


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    for venue in (VENUE, OTHER_VENUE):
        made.quote(ALPHA, 999_900, 1_000_100, venue=venue)
    return made


@pytest.fixture
def venue(loop: Loop) -> Iterator[OuchVenue]:
    made = OuchVenue(loop)
    made.row["firm"] = int.from_bytes(b"DESK", "little")
    yield made
    made.close()


def said(loop: Loop, venue: OuchVenue) -> list[tuple[str, int]]:
    from engine.hotpath.sending import flush_unsent

    flush_unsent(loop.address)
    return [(message.name, int(message.values.get("user_reference", 0))) for message in venue.received()]


def rearm(loop: Loop, scope: Scope, scope_id: int = 0) -> None:
    loop.applied(control.Rearm(int(scope), scope_id, "over", "bob"))


@pytest.mark.parametrize(("scope", "number"), [(Scope.FIRM, 0), (Scope.VENUE, VENUE)])
def test_a_kill_of_firm_or_venue_disables_entry_and_cancels_all_then_each(
    loop: Loop, venue: OuchVenue, scope: Scope, number: int
) -> None:
    orders = [loop.enter(), loop.enter()]
    venue.send(sequenced(*(accepted(order_id) for order_id in orders)))
    said(loop, venue)
    last = orders[-1]
    loop.kill(scope, number)
    first = [("disable_order_entry", last + 1), ("mass_cancel", last + 2)]
    assert said(loop, venue) == first + [("cancel_order", order_id) for order_id in orders]
    assert int(venue.row["entry_disabled"]) == 1
    rearm(loop, scope, number)
    (message,) = said(loop, venue)
    # At a kill of the firm the other venue got two numbers as well.
    assert message == ("enable_order_entry", last + (5 if scope == Scope.FIRM else 3))
    assert int(venue.row["entry_disabled"]) == 0


def test_the_requests_stand_in_the_journal_before_they_are_sent(loop: Loop, venue: OuchVenue) -> None:
    loop.taken()
    loop.kill(Scope.VENUE, VENUE)
    requests = loop.bodies(RecordKind.ORDER_REQUEST)
    assert [(row["action"], row["venue"], row["order_id"]) for row in requests] == [
        (OrderAction.DISABLE_ENTRY, VENUE, 1),
        (OrderAction.MASS_CANCEL, VENUE, 2),
    ]


def test_a_kill_of_a_team_cancels_its_orders_one_by_one(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter()
    said(loop, venue)
    loop.kill(Scope.TEAM, TEAM)
    assert said(loop, venue) == [("cancel_order", order_id)]


def test_a_venue_of_the_older_dialect_gets_single_cancels(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter()
    said(loop, venue)
    venue.row["protocol"] = tables.OUCH42
    loop.taken()
    loop.kill(Scope.VENUE, VENUE)
    requests = loop.bodies(RecordKind.ORDER_REQUEST)
    assert [(row["action"], row["target_order_id"]) for row in requests] == [(OrderAction.CANCEL, order_id)]


def test_what_was_killed_or_rearmed_during_an_outage_is_said_when_the_session_is_back(
    loop: Loop, venue: OuchVenue
) -> None:
    loop.session(state=DOWN)
    loop.kill(Scope.VENUE, VENUE)
    assert said(loop, venue) == []
    loop.session(state=UP)
    assert said(loop, venue) == [("disable_order_entry", 1), ("mass_cancel", 2)]
    loop.session(state=DOWN)
    rearm(loop, Scope.VENUE, VENUE)
    loop.session(state=UP)
    assert said(loop, venue) == [("enable_order_entry", 3)]
    loop.session(state=DOWN)
    loop.session(state=UP)
    assert said(loop, venue) == []


def test_a_new_session_of_the_venue_has_entry_enabled_unless_the_kill_holds(loop: Loop, venue: OuchVenue) -> None:
    loop.kill(Scope.VENUE, VENUE)
    said(loop, venue)
    loop.session(state=DOWN)
    rearm(loop, Scope.VENUE, VENUE)
    loop.session(state=UP, fresh=1, next_reference=1)
    assert said(loop, venue) == []


def test_entry_stays_disabled_while_one_of_two_kills_holds(loop: Loop, venue: OuchVenue) -> None:
    loop.kill(Scope.VENUE, VENUE)
    loop.kill(Scope.FIRM)
    said(loop, venue)
    rearm(loop, Scope.VENUE, VENUE)
    assert "enable_order_entry" not in [name for name, _ in said(loop, venue)]
    rearm(loop, Scope.FIRM)
    assert "enable_order_entry" in [name for name, _ in said(loop, venue)]


def test_the_venues_answers_to_the_switch_are_kept(loop: Loop, venue: OuchVenue) -> None:
    for name, confirmed in (("disable", tables.ENTRY_DISABLED), ("enable", tables.ENTRY_ENABLED)):
        fields = {"user_reference": 1, "firm": "DESK"}
        venue.send(sequenced(ouch50.encode_outbound(f"{name}_order_entry_response", {}, timestamp_ns=1, **fields)))
        assert int(venue.row["entry_confirmed"]) == confirmed
    answer = {"user_reference": 1, "firm": "DESK", "instrument": ""}
    venue.send(sequenced(ouch50.encode_outbound("mass_cancel_response", {}, timestamp_ns=1, **answer)))
    assert (int(venue.row["malformed"]), int(venue.row["entry_confirmed"])) == (0, tables.ENTRY_ENABLED)
