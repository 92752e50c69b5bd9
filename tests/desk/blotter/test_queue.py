"""Orders that wait for a second person: let go as shown or within it, returned, expired, sent once."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from desk.accounts.models import Role, User
from desk.audit.models import AuditEntry
from desk.audit.services import verify
from desk.blotter.models import OrderEntry
from desk.blotter.parents import ParentTicket, checked_parent, enter_parent
from desk.blotter.second_person import sent_alone, why_it_waits
from desk.blotter.services import OrderTicket, checked_order, enter_order, replace_order
from desk.blotter.waiting import ask_again, find_waiting, release, waiting_entries
from desk.link import client as link
from desk.link.projector import project
from desk.markets.models import Instrument, Venue
from desk.refusals import Conflict, EngineNotReached, EngineRefused, Invalid, NotFound, NotPermitted, OutcomeUnknown
from desk.risk.changes import expire_changes, reject_change
from desk.risk.models import ChangeRequest, SecondPersonRule
from desk.risk.review import approve_rule, propose_rule, rule_of
from engine.messages.codes import OrderState, ReportKind, Side, TimeInForce
from engine.messages.control import ENTER_ORDER, ENTER_PARENT, Command, Status
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import PRICE, Journal

pytestmark = pytest.mark.usefixtures("market")
Outcome, State = OrderEntry.Outcome, ChangeRequest.State
DAY = {"minutes": "1440"}
CARE = OrderTicket("care-1", 1, 1, Side.BUY, 300, Decimal("100.00"), care=True, instruction="around the close")
PARENT = ParentTicket("big-1", "twap", 1, [1], Side.SELL, 3_000, Decimal("99.00"), {"slices": 6}, seconds=1_800)


def waits(user: User, ticket: OrderTicket = CARE) -> ChangeRequest:
    entry = enter_order(user, ticket).entry
    assert entry.outcome == Outcome.WAITING
    assert entry.change is not None
    return entry.change


def entry_of(change: ChangeRequest) -> OrderEntry:
    return OrderEntry.objects.get(change=change)


def told(prefix: str = "order.") -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.filter(action__startswith=prefix).order_by("sequence")
    return [(row.actor_name, row.action, row.chain) for row in rows]


def rule(user: User, **bounds: Any) -> None:
    assert user.team_id is not None
    SecondPersonRule.objects.create(team_id=user.team_id, **bounds)


def test_a_care_order_is_sent_when_a_second_person_says_so(engine: FakeEngine, alice: User, gina: User) -> None:
    change = waits(alice)
    assert enter_order(alice, CARE).replayed
    assert engine.kinds() == []
    assert [entry.change_id for entry in waiting_entries(gina)] == [change.pk]

    done = release(gina, change.pk, change.diff_hash)

    assert (done.state, done.approver) == (State.APPLIED, gina)
    sent, entry = engine.last(ENTER_ORDER), entry_of(change)
    asked = ("care-1", 1, 1, Side.BUY, 300, PRICE, TimeInForce.DAY)
    names = ("client_order_id", "instrument", "venue", "side", "quantity", "price", "time_in_force")
    assert tuple(sent[name] for name in names) == asked
    assert (entry.outcome, entry.order_id, entry.released_body) == (Outcome.SENT, 1, None)
    assert engine.received[-1].actor == "alice"  # it is her order
    chain = f"team:{alice.team_id}"
    assert told() == [
        ("alice", "order.entered", chain),
        ("alice", "order.waiting", chain),
        ("gina", "order.released", chain),
        ("gina", "order.applied", chain),
    ]
    assert list(verify()) == []
    with pytest.raises(Conflict, match="applied"):
        release(gina, change.pk, change.diff_hash)
    assert engine.kinds().count(ENTER_ORDER) == 1


@pytest.mark.parametrize("name", ["alice", "bob", "erin", "frank"])
def test_who_entered_it_and_who_has_no_say_do_not_release_it(
    engine: FakeEngine, alice: User, name: str, request: pytest.FixtureRequest
) -> None:
    change = waits(alice)
    with pytest.raises((NotPermitted, NotFound)):
        release(request.getfixturevalue(name), change.pk, change.diff_hash)
    assert (engine.kinds(), entry_of(change).outcome) == ([], Outcome.WAITING)


def test_what_is_released_is_what_was_shown(engine: FakeEngine, alice: User, charlie: User) -> None:
    change = waits(alice)
    with pytest.raises(Conflict) as refused:
        release(charlie, change.pk, "0" * 64)
    assert refused.value.code == "diff_differs"
    assert engine.kinds() == []


def test_other_terms_within_what_was_asked_are_sent_and_told(engine: FakeEngine, alice: User, charlie: User) -> None:
    change = waits(alice)
    ticket = replace(PARENT, client_order_id="care-1", side=Side.BUY, quantity=300, price=Decimal("99.50"))
    terms = checked_parent(ticket)

    release(charlie, change.pk, change.diff_hash, terms)

    sent = engine.last(ENTER_PARENT)
    assert (sent["algorithm"], sent["quantity"], sent["price"]) == ("twap", 300, 995_000)
    assert sent["trader"] == alice.pk
    entry = entry_of(change)
    assert (entry.outcome, entry.parent_id, entry.released_body) == (Outcome.SENT, 1, terms)
    released = AuditEntry.objects.get(action="order.released")
    assert (released.before, released.after) == (entry.body, terms | {"journal": None})


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"price": Decimal("100.01")}, "price"),
        ({"quantity": 301}, "quantity"),
        ({"side": Side.SELL}, "side"),
        ({"instrument": 2}, "instrument"),
        ({"venue": 2}, "venues"),
    ],
)
def test_terms_beyond_what_was_asked_are_refused(
    engine: FakeEngine, alice: User, charlie: User, other: dict[str, Any], field: str
) -> None:
    Venue.objects.create(number=2, name="XTWO", protocol="ouch50")
    change = waits(alice)
    with pytest.raises(Invalid) as refused:
        release(charlie, change.pk, change.diff_hash, checked_order(replace(CARE, **other)))
    assert list(refused.value.errors) == [field]
    change.refresh_from_db()
    assert (engine.kinds(), entry_of(change).outcome, change.state) == ([], Outcome.WAITING, State.PROPOSED)


def test_it_may_not_last_longer_than_was_asked(engine: FakeEngine, alice: User, charlie: User) -> None:
    at_once = waits(alice, replace(CARE, time_in_force=TimeInForce.IOC))
    entry = enter_parent(alice, replace(PARENT, care=True)).entry
    assert entry.change is not None
    longer = checked_parent(replace(PARENT, seconds=1_801))
    for change, terms in ((at_once, checked_order(CARE)), (entry.change, longer)):
        with pytest.raises(Invalid, match="last longer"):
            release(charlie, change.pk, change.diff_hash, terms)
    release(charlie, entry.change.pk, entry.change.diff_hash, checked_parent(replace(PARENT, seconds=1_799)))
    sent = engine.last(ENTER_PARENT)
    assert sent["end_ns"] - sent["start_ns"] == 1_799 * 10**9


def test_it_is_returned_with_a_reason_or_taken_back(engine: FakeEngine, alice: User, gina: User) -> None:
    change, other = waits(alice), waits(alice, replace(CARE, client_order_id="care-2"))
    with pytest.raises(Invalid, match="Say why"):
        reject_change(gina, change.pk, "")

    reject_change(gina, change.pk, "too large for today")
    reject_change(alice, other.pk, "")

    outcomes = [(entry.outcome, entry.reason) for entry in OrderEntry.objects.order_by("client_order_id")]
    assert outcomes == [(Outcome.RETURNED, "too large for today"), (Outcome.RETURNED, "Taken back by the proposer.")]
    with pytest.raises(Conflict, match="rejected"):
        release(gina, change.pk, change.diff_hash)
    assert engine.kinds() == []


def test_an_approval_expires(engine: FakeEngine, alice: User, gina: User) -> None:
    change = waits(alice)
    assert change.expires_at - timezone.now() > timedelta(hours=7)
    ChangeRequest.objects.filter(pk=change.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict, match="expired"):
        release(gina, change.pk, change.diff_hash)
    expire_changes()
    assert (entry_of(change).outcome, entry_of(change).reason) == (Outcome.RETURNED, "Nobody approved it in time.")
    assert ("system", "order.expired", f"team:{alice.team_id}") in told()
    assert engine.kinds() == []


def test_one_that_ends_by_the_clock_waits_no_longer(engine: FakeEngine, alice: User) -> None:
    end = timezone.now() + timedelta(minutes=5)
    ticket = replace(PARENT, seconds=0, end_ns=int(end.timestamp()) * 10**9, care=True)
    change = enter_parent(alice, ticket).entry.change
    assert change is not None
    assert change.expires_at <= end


@pytest.mark.parametrize(
    ("bounds", "ticket", "why"),
    [
        ({"notional": 29_000}, CARE, "It is worth 30,003.00 USD"),  # at the offer of 100.01
        ({"notional": 30_003}, CARE, ""),
        ({"notional": 200_000}, replace(PARENT, price=Decimal("1.00")), "It is worth 300,030.00 USD"),
        ({"volume_percent": 9}, PARENT, "It is 10.00 % of the average volume in that time"),
        ({"volume_percent": 10}, PARENT, ""),
        ({"volume_percent": 1}, replace(CARE, instrument=2), "The average volume of BBB is not known."),
    ],
)
def test_what_is_over_the_teams_rule_waits(
    engine: FakeEngine, alice: User, bounds: dict[str, Any], ticket: Any, why: str
) -> None:
    Instrument.objects.filter(pk=1).update(hourly_volume=60_000)
    rule(alice, **bounds)
    enter: Any = enter_parent if isinstance(ticket, ParentTicket) else enter_order
    plain = ticket if isinstance(ticket, ParentTicket) else replace(ticket, care=False, instruction="")

    entry = enter(alice, plain).entry

    assert entry.outcome == (Outcome.WAITING if why else Outcome.SENT)
    if why:
        assert entry.change.reason.startswith(why)
        assert enter(alice, plain).replayed
        assert entry.change.expires_at - timezone.now() < timedelta(minutes=31)


def small(name: str, quantity: int = 100) -> OrderTicket:
    return replace(CARE, client_order_id=name, quantity=quantity, care=False, instruction="")


def test_small_orders_of_a_team_add_up_to_one_that_waits(
    engine: FakeEngine, alice: User, gina: User, bob: User
) -> None:
    rule(alice, notional=30_003)  # three hundred shares at 100.01
    assert [enter_order(user, small(name)).entry.outcome for user, name in ((alice, "a"), (gina, "b"))] == [
        Outcome.SENT, Outcome.SENT,
    ]  # fmt: skip
    third = enter_order(alice, small("c", 200)).entry
    assert third.change is not None
    assert third.outcome == Outcome.WAITING
    assert third.change.reason == (
        "With what the team sent in AAA in the last day it is worth 40,004.00 USD; "
        "over 30,003.00 USD a second person looks at it."
    )
    release(gina, third.change.pk, third.change.diff_hash)
    assert enter_order(alice, small("d")).entry.outcome == Outcome.SENT  # what two people looked at does not count
    assert enter_order(bob, small("e", 300)).entry.outcome == Outcome.SENT  # another team
    assert enter_order(alice, small("f")).entry.outcome == Outcome.WAITING
    engine.refuse_with = "no"
    assert enter_order(bob, small("g")).entry.outcome == Outcome.REFUSED


def test_only_the_minutes_of_the_rule_count_and_none_count_each_order_by_itself(
    engine: FakeEngine, alice: User
) -> None:
    rule(alice, notional=30_003, minutes=30)
    enter_order(alice, small("a", 300))
    assert why_it_waits(alice, checked_order(small("b"))).startswith(
        "With what the team sent in AAA in the last 30 minutes it is worth 40,004.00 USD"
    )
    SecondPersonRule.objects.update(minutes=None)
    assert why_it_waits(alice, checked_order(small("b"))) == ""
    SecondPersonRule.objects.update(minutes=30)
    OrderEntry.objects.update(entered_at=timezone.now() - timedelta(minutes=31))
    assert enter_order(alice, small("b", 300)).entry.outcome == Outcome.SENT


def test_the_legs_of_earlier_orders_and_parent_orders_count_in_their_instruments(
    engine: FakeEngine, alice: User
) -> None:
    Instrument.objects.update(hourly_volume=60_000)
    rule(alice, volume_percent=10)
    enter_parent(alice, replace(PARENT, quantity=2_000))
    legs = {"instrument": 1, "quantity": 3_000, "legs": [
        {"venue": 1, "instrument": 1, "side": 1, "quantity": 1_500, "price": "1"},
        {"venue": 1, "instrument": 2, "side": 2, "quantity": 1_500, "price": "1"},
    ]}  # fmt: skip
    OrderEntry.objects.create(
        client_order_id="legs", body=legs, body_hash="", command_id="1" * 32, team_id=alice.team_id, entered_by=alice,
        outcome=Outcome.SENT,
    )  # fmt: skip
    locked = SecondPersonRule.objects.get()
    assert sent_alone(locked, None) == {1: 3_500, 2: 1_500}
    assert why_it_waits(alice, checked_order(small("b", 2_500))) == ""
    assert why_it_waits(alice, checked_order(small("b", 2_600))) == (
        "With what the team sent in AAA in the last day it is 10.17 % of an average hour's volume; "
        "over 10 % a second person looks at it."
    )


def test_more_shares_of_a_working_order_count_from_then_on(engine: FakeEngine, alice: User) -> None:
    rule(alice, notional=30_003)
    journal = Journal(0, alice.team_id or 0)
    entry = enter_order(alice, small("a")).entry
    assert entry.order_id is not None
    journal.enter(entry.order_id, quantity=100)
    journal.report(entry.order_id, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    project(journal.data)
    replace_order(alice, entry.order_id, Decimal("100.00"), 200)
    entry.refresh_from_db()
    assert (entry.raised_quantity, sent_alone(SecondPersonRule.objects.get(), None)) == (200, {1: 200})
    assert enter_order(alice, small("b", 200)).entry.outcome == Outcome.WAITING
    with pytest.raises(Conflict, match=r"worth 40,004\.00 USD"):
        replace_order(alice, entry.order_id, Decimal("100.00"), 400)


def test_fewer_minutes_are_looser(engine: FakeEngine, alice: User, charlie: User) -> None:
    assert alice.team_id is not None
    propose_rule(charlie, alice.team_id, {"notional": "10"}, "begin")
    assert rule_of(alice.team_id) == {"notional": "10", "volume_percent": None, "minutes": "1440"}
    assert not propose_rule(charlie, alice.team_id, {"minutes": "10080"}, "longer").loosens
    for looser in ("60", ""):
        change = propose_rule(charlie, alice.team_id, {"minutes": looser}, "shorter")
        assert (change.loosens, rule_of(alice.team_id)["minutes"]) == (True, "10080")
        reject_change(charlie, change.pk, "no")
    for wrong in ("1.5", "0", "10081", "x"):
        with pytest.raises(Invalid, match="positive whole number of at most 10,080"):
            propose_rule(charlie, alice.team_id, {"minutes": wrong}, "wrong")


def test_a_small_order_does_not_grow_over_the_rule(engine: FakeEngine, alice: User) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.enter(7)
    journal.report(7, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    project(journal.data)
    rule(alice, notional=20_000)
    with pytest.raises(Conflict) as refused:
        replace_order(alice, 7, Decimal("100.00"), 300)
    assert refused.value.code == "second_person_needed"
    replace_order(alice, 7, Decimal("100.00"), 150)


def test_a_refusal_of_the_engine_ends_it(engine: FakeEngine, alice: User, gina: User) -> None:
    change = waits(alice)
    engine.deny_with = {"denial": "ORDER_QUANTITY", "measured": 300, "bound": 100, "limit_name": "ORDER_QUANTITY"}
    with pytest.raises(EngineRefused, match="300"):
        release(gina, change.pk, change.diff_hash)
    change.refresh_from_db()
    assert (change.state, entry_of(change).outcome) == (State.REJECTED, Outcome.REFUSED)


def test_without_an_engine_it_waits_on(engine: FakeEngine, alice: User, gina: User, monkeypatch: Any) -> None:
    change = waits(alice)

    def gone(*_: Any) -> Status:
        raise EngineNotReached("Nobody listens.")

    with monkeypatch.context() as outage:
        outage.setattr(link, "send", gone)
        with pytest.raises(EngineNotReached):
            release(gina, change.pk, change.diff_hash)
    assert (entry_of(change).outcome, entry_of(change).released_at) == (Outcome.WAITING, None)
    release(gina, change.pk, change.diff_hash)
    assert engine.kinds().count(ENTER_ORDER) == 1


def test_a_lost_answer_is_asked_for_again_and_it_is_sent_once(
    engine: FakeEngine, alice: User, gina: User, charlie: User, monkeypatch: Any
) -> None:
    change = waits(alice)
    send = link.send

    def lost(made: Command) -> Status:
        send(made)
        raise OutcomeUnknown("No answer.")

    with monkeypatch.context() as outage:
        outage.setattr(link, "send", lost)
        with pytest.raises(OutcomeUnknown):
            release(gina, change.pk, change.diff_hash)
    assert entry_of(change).outcome == Outcome.UNKNOWN
    ChangeRequest.objects.filter(pk=change.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    expire_changes()
    with pytest.raises(Conflict, match="released already"):
        release(charlie, change.pk, change.diff_hash, checked_order(replace(CARE, price=Decimal("99.00"))))
    assert enter_order(alice, CARE).entry.outcome == Outcome.UNKNOWN  # a program's retry sends nothing

    ask_again(alice, change.pk)

    assert (entry_of(change).outcome, entry_of(change).order_id) == (Outcome.SENT, 1)
    first, second = (command for command in engine.received if command.kind == ENTER_ORDER)
    assert first == second


def test_who_left_the_team_enters_nothing_any_more(engine: FakeEngine, alice: User, gina: User) -> None:
    change = waits(alice)
    User.objects.filter(pk=alice.pk).update(role=Role.VIEWER)
    with pytest.raises(Conflict, match="may not enter orders"):
        release(gina, change.pk, change.diff_hash)
    assert find_waiting(gina, change.pk).outcome == Outcome.WAITING


def test_a_stricter_rule_holds_at_once_and_a_looser_one_takes_two(alice: User, charlie: User, dora: User) -> None:
    team = alice.team_id or 0
    assert propose_rule(alice, team, {"notional": "1,000,000"}, "new").state == State.APPLIED
    assert propose_rule(charlie, team, {"volume_percent": "5"}, "new").state == State.APPLIED
    looser = propose_rule(charlie, team, {"notional": ""}, "too slow")
    assert (looser.state, rule_of(team)) == (State.PROPOSED, {"notional": "1000000", "volume_percent": "5"} | DAY)
    with pytest.raises(NotPermitted):
        approve_rule(charlie, looser.pk, looser.diff_hash)

    assert approve_rule(dora, looser.pk, looser.diff_hash).state == State.APPLIED

    assert rule_of(team) == {"notional": None, "volume_percent": "5"} | DAY
    actions = ["review.proposed", "review.tightened"] * 2 + ["review.proposed", "review.approved"]
    assert [action for _, action, _ in told("review.")] == actions
    for wrong in ("-1", "0", "much", "NaN", "1.00001"):
        with pytest.raises(Invalid):
            propose_rule(charlie, team, {"notional": wrong}, "wrong")


def test_the_pages_of_a_waiting_order(engine: FakeEngine, alice: User, gina: User) -> None:
    pages = {user: Client() for user in (alice, gina)}
    for user, page in pages.items():
        page.force_login(user, "django.contrib.auth.backends.ModelBackend")
    typed = {
        "method": "limit", "instrument": "1", "side": "buy", "quantity": "300", "price": "100.00", "venue": "1",
        "time_in_force": "day", "handling": "care", "instruction": "around the close",
    }  # fmt: skip
    looked = pages[alice].post("/blotter/ticket/", typed | {"action": "preview"}).content.decode()
    assert "Hand over to a person" in looked
    hidden = dict(re.findall(r'name="(client_order_id|looked_at)" value="([^"]+)"', looked))
    answer = pages[alice].post("/blotter/ticket/", typed | hidden | {"action": "send"})
    change = ChangeRequest.objects.get(kind=ChangeRequest.Kind.ORDER)
    address = f"/blotter/queue/{change.pk}/"
    assert answer["Location"] == address
    assert ENTER_ORDER not in engine.kinds()
    assert "Take back" in (own := pages[alice].get(address).content.decode())
    assert "Release as asked" not in own
    shown = pages[gina].get(address).content.decode()
    assert "Release as asked" in shown
    assert "around the close" in shown
    assert "around the close" in pages[gina].get("/blotter/queue/").content.decode()

    other = {"diff_hash": change.diff_hash, "method": "twap", "price": "101", "venues": "1", "minutes": "30"}
    wrong = pages[gina].post(f"{address}release/", other | {"slices": "7"})
    assert wrong.status_code == 422
    assert "The price may not be worse than 100.00" in (again := wrong.content.decode())
    assert 'value="7"' in again  # nothing typed is lost
    pages[gina].post(f"{address}release/", other | {"slices": "7", "price": "99.90"})

    sent = engine.last(ENTER_PARENT)
    assert (sent["quantity"], sent["price"], sent["parameters"]) == (300, 999_000, {"slices": 7})
    done = pages[alice].get(address).content.decode()
    assert "Released with these terms" in done
    assert "Release as asked" not in done


def test_the_page_of_the_rules_says_what_is_bounded(engine: FakeEngine, alice: User) -> None:
    client = Client()
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")

    def shown() -> list[str]:
        page = client.get("/risk/second-person/").content.decode()
        return re.findall(r'<td class="number"[^>]*>(.*?)</td>', page)

    assert shown() == ["none waits", "none waits", "—"]
    rule(alice, notional=30_000, minutes=90)
    assert shown() == ["30,000", "none waits", "90"]
    SecondPersonRule.objects.update(minutes=None, volume_percent=5)
    assert shown() == ["30,000", "5", "each by itself"]
