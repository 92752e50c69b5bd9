"""Orders for no venue in particular: split, entered, explained, and what is left routed again."""

from __future__ import annotations

from engine.messages import control
from engine.messages.codes import DenialReason, RecordKind, ReportKind, RouteReason, TimeInForce
from engine.messages.records import BodyRecord, TextRecord
from tests.engine.loop_builder import ALPHA, BUY, OTHER_VENUE, SELL, TEAM, VENUE, Loop

DAY, IOC, FOK = int(TimeInForce.DAY), int(TimeInForce.IOC), int(TimeInForce.FOK)
ASK = 1_000_100


def quoted_loop() -> Loop:
    """Two venues that show 500 shares on each side; the second is the cheaper one to take from."""
    loop = Loop()
    loop.wide_limits()
    for venue, taker in ((VENUE, 30), (OTHER_VENUE, 10)):
        loop.define_venue(venue, taker_fee=str(taker), maker_fee="-20")
        loop.session(venue)
        loop.quote(ALPHA, 999_900, ASK, venue=venue)
    loop.taken()
    return loop


def smart(side: int, quantity: int, price: int, time_in_force: int = DAY) -> control.EnterOrder:
    return control.EnterOrder("client-1", TEAM, ALPHA, control.SMART, side, quantity, price, time_in_force)


def asked(loop: Loop) -> list[tuple[int, int, int, int]]:
    """Venue, quantity, price, time in force of what left since the last look."""
    bodies = loop.bodies(RecordKind.ORDER_REQUEST)
    return [(row["venue"], row["quantity"], row["price"], row["time_in_force"]) for row in bodies]


def routes(records: list[BodyRecord | TextRecord]) -> list[BodyRecord]:
    return [r for r in records if isinstance(r, BodyRecord) and r.kind == RecordKind.ROUTE]


def requests(records: list[BodyRecord | TextRecord]) -> list[BodyRecord]:
    return [r for r in records if isinstance(r, BodyRecord) and r.kind == RecordKind.ORDER_REQUEST]


def test_a_smart_order_takes_where_it_costs_least() -> None:
    loop = quoted_loop()
    answer = loop.applied(smart(BUY, 300, ASK))
    assert asked(loop) == [(OTHER_VENUE, 300, ASK, IOC)]
    assert loop.order(answer["order_id"])["venue"] == OTHER_VENUE


def test_it_sweeps_both_venues_and_what_is_left_rests_at_the_limit() -> None:
    loop = quoted_loop()
    loop.applied(smart(BUY, 1200, ASK))
    sent = asked(loop)
    assert sorted(row for row in sent if row[3] == IOC) == [(VENUE, 500, ASK, IOC), (OTHER_VENUE, 500, ASK, IOC)]
    assert sum(quantity for _, quantity, _, time_in_force in sent if time_in_force == DAY) == 200


def test_every_venue_is_explained_in_the_journal() -> None:
    loop = quoted_loop()
    answer = loop.applied(smart(BUY, 300, ASK))
    rows = {row["venue"]: row for row in loop.bodies(RecordKind.ROUTE)}
    assert {venue: RouteReason(row["reason"]).name for venue, row in rows.items()} == {1: "COSTS_MORE", 2: "TAKEN"}
    assert {row["route_id"] for row in rows.values()} == {answer["route_id"]}
    assert (rows[1]["take_order_id"], rows[2]["take_order_id"]) == (0, answer["order_id"])
    assert (rows[1]["fee_part"], rows[2]["fee_part"]) == (30_000, 10_000)
    assert [rows[venue]["displayed"] for venue in (1, 2)] == [500, 500]


def test_what_a_venue_did_not_give_is_routed_again() -> None:
    loop = quoted_loop()
    first = loop.applied(smart(BUY, 300, ASK, IOC))["order_id"]
    loop.taken()
    loop.quote(ALPHA, 999_900, ASK + 100, venue=OTHER_VENUE)
    loop.report(ReportKind.ACCEPTED, first, venue=OTHER_VENUE)
    loop.report(ReportKind.EXECUTED, first, 120, ASK, venue=OTHER_VENUE)
    assert asked(loop) == []
    loop.report(ReportKind.CANCELED, first, 180, venue=OTHER_VENUE)
    assert asked(loop) == [(VENUE, 180, ASK, IOC)]


def test_an_order_that_nobody_fills_is_given_up_after_some_rounds() -> None:
    loop = quoted_loop()
    loop.applied(smart(BUY, 300, ASK, IOC))
    rounds = 0
    while parts := loop.bodies(RecordKind.ORDER_REQUEST):
        rounds += 1
        assert sum(part["quantity"] for part in parts) == 300
        for part in parts:
            loop.report(ReportKind.CANCELED, part["order_id"], part["quantity"], venue=part["venue"])
    assert rounds == 4
    assert not loop.memory.routed["number"].any()


def test_it_never_meets_our_own_order() -> None:
    loop = quoted_loop()
    loop.enter(SELL, 100, ASK, venue=OTHER_VENUE)
    loop.taken()
    loop.applied(smart(BUY, 300, ASK))
    assert asked(loop) == [(VENUE, 300, ASK, IOC)]


def test_the_midpoint_is_asked_and_a_broker_is_not() -> None:
    loop = quoted_loop()
    for venue, midpoint in ((3, "1"), (4, "0")):
        loop.define_venue(venue, priced_by=str(VENUE), feed_line_a="", midpoint=midpoint, minimum_quantity="0")
        loop.session(venue)
    learned = loop.memory.learned[loop.memory.listing(3, ALPHA)]
    learned["middle_asked"], learned["middle_found"], learned["middle_got"] = 100, 90, 20_000
    loop.taken()
    loop.applied(smart(BUY, 300, ASK))
    records = loop.taken()
    reasons = {r.body["venue"].item(): RouteReason(r.body["reason"].item()).name for r in routes(records)}
    assert reasons == {1: "COSTS_MORE", 2: "TAKEN", 3: "PINGED", 4: "NO_QUOTE"}
    asked_there = [r.body for r in requests(records) if r.body["venue"] == 3]
    assert [(body["quantity"].item(), body["price"].item()) for body in asked_there] == [(202, 1_000_000)]


def test_a_venue_without_a_session_gets_nothing() -> None:
    loop = quoted_loop()
    loop.session(OTHER_VENUE, state=1)
    loop.taken()
    loop.applied(smart(BUY, 300, ASK))
    assert asked(loop) == [(VENUE, 300, ASK, IOC)]


def test_the_gate_has_its_word_about_every_part() -> None:
    loop = quoted_loop()
    loop.wide_limits(team={"order_quantity": 100})
    status = loop.command(smart(BUY, 300, ASK))
    assert (status.outcome, status.body["denial"]) == (control.REFUSED, DenialReason.ORDER_QUANTITY.name)
    assert not loop.memory.routed["number"].any()


def test_what_the_router_cannot_work_is_refused_with_a_sentence() -> None:
    loop = quoted_loop()
    assert "DAY, IOC and post-only" in loop.command(smart(BUY, 300, ASK, FOK)).reason
    assert "a price and a quantity" in loop.command(smart(BUY, 300, 0)).reason
    assert "as large as that" in loop.command(smart(BUY, 300, 1 << 61)).reason
    assert "no venue for it" in loop.command(smart(BUY, 300, ASK - 5000, IOC)).reason


def test_venues_teach_how_long_they_take_and_what_they_give() -> None:
    loop = quoted_loop()
    number = loop.applied(smart(BUY, 300, ASK, IOC))["order_id"]
    loop.pass_time(700_000)
    loop.report(ReportKind.ACCEPTED, number, venue=OTHER_VENUE)
    loop.report(ReportKind.EXECUTED, number, 300, ASK, venue=OTHER_VENUE)
    learned = loop.memory.learned[loop.memory.listing(OTHER_VENUE, ALPHA)]
    assert [int(learned[name]) for name in ("latency_ns", "shown", "got")] == [700_000, 300, 300]


def test_a_part_that_was_replaced_frees_its_row_when_room_is_needed() -> None:
    loop = quoted_loop()
    loop.memory.routed["number"][1:] = 1 << 40
    number = loop.applied(smart(BUY, 100, 999_900))["order_id"]
    venue = int(loop.order(number)["venue"])
    loop.report(ReportKind.ACCEPTED, number, venue=venue)
    replacement = loop.applied(control.ReplaceOrder(number, 999_800, 100))["order_id"]
    loop.report(ReportKind.REPLACED, replacement, 100, 999_800, venue=venue)
    assert loop.memory.routed["number"].all()
    again = control.EnterOrder("client-2", TEAM, ALPHA, control.SMART, BUY, 100, 999_900, DAY)
    assert loop.applied(again)["order_id"] > replacement
