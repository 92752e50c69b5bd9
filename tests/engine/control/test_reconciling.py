"""Three-way reconciliation: what agrees, what does not, and when that is said."""

from __future__ import annotations

import queue
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.control.drop_copy import DropCopies, name_of
from engine.control.drop_copy_listener import DropCopyListener, Heard
from engine.control.reconciling import MISSING_HERE, MISSING_THERE, OVERFILLED, UNKNOWN_ORDER, Break, Reconciliation
from engine.hotpath.tables import FIRST_STRATEGY_ACCOUNT
from engine.messages import control
from engine.messages.codes import DenialReason, RecordKind
from engine.messages.records import TextRecord
from engine.protocols.ouch50 import decode_outbound
from engine.simulator.drop_copy import DropCopy, DropCopyServer
from engine.simulator.feed import Feed
from engine.simulator.layout import BookMemory
from engine.simulator.oracle import Oracle
from engine.simulator.venue import Fees, Venue
from engine.venues.fields import Address
from engine.venues.secret_files import SecretFiles
from tests.engine.loop_builder import ALPHA, BRAVO, SELL, Loop, reason
from tests.engine.simulator.test_held_venues import ASK, BID, BUY, INSTRUMENTS, START_NS
from tests.engine.simulator.test_held_venues import SELL as SIM_SELL

SECOND = 1_000_000_000
GRACE, LATER = 5 * SECOND, 20 * SECOND
NO_SECRETS = SecretFiles(Path("nowhere"))
VENUE, ORDER, PRICE = 3, (7 << 32) + 17, 1_000_000


@pytest.fixture
def both() -> Reconciliation:
    """A venue whose session and drop copy are there, and an order of 100."""
    made = Reconciliation(GRACE)
    made.heard_from(VENUE, 0)
    made.session(VENUE, 0, up=True)
    made.asked(VENUE, ORDER, ALPHA, 100)
    return made


def here(both: Reconciliation, quantity: int, price: int = PRICE, at: int = SECOND, *, broken: bool = False) -> None:
    both.answered(VENUE, ORDER, price, quantity, at, broken=broken)


def there(both: Reconciliation, quantity: int, match: int, price: int = PRICE, at: int = SECOND) -> None:
    both.copied(VENUE, ORDER & 0xFFFFFFFF, price, quantity, match, at)


def kinds(both: Reconciliation, now: int = LATER) -> list[str]:
    return [found.kind for found in both.breaks(now)]


def test_what_agrees_is_no_break_in_whatever_order_it_comes(both: Reconciliation) -> None:
    there(both, 60, 1)
    here(both, 60)
    here(both, 40)
    there(both, 40, 2)
    there(both, 40, 2)  # the session heard again from its start
    assert kinds(both) == []


def test_an_execution_that_one_side_lacks_is_a_break_after_the_grace_once(both: Reconciliation) -> None:
    there(both, 60, 1)
    assert kinds(both, SECOND + GRACE - 1) == []
    assert both.breaks(SECOND + GRACE) == [
        Break(MISSING_HERE, VENUE, ALPHA, ORDER,
              f"order {ORDER}: the drop copy has 60 at 100.0000, and no answer told us")
    ]  # fmt: skip
    assert kinds(both) == []
    here(both, 60, at=LATER)
    here(both, 40, price=PRICE + 100, at=LATER)
    assert kinds(both, 2 * LATER) == [MISSING_THERE]


def test_another_price_is_a_break_of_both_sides(both: Reconciliation) -> None:
    here(both, 60)
    there(both, 60, 1, price=PRICE + 100)
    assert sorted(kinds(both)) == [MISSING_HERE, MISSING_THERE]


def test_more_than_was_asked_for_and_what_nobody_asked_for(both: Reconciliation) -> None:
    here(both, 150)
    there(both, 150, 1)
    both.copied(VENUE, 99, PRICE, 10, 2, SECOND)
    assert sorted(kinds(both)) == [MISSING_HERE, OVERFILLED, UNKNOWN_ORDER]


def test_a_trade_that_both_take_back_agrees(both: Reconciliation) -> None:
    here(both, 60)
    there(both, 60, 1)
    both.copied_break(VENUE, ORDER & 0xFFFFFFFF, 1, SECOND)
    assert kinds(both) == [MISSING_THERE]
    here(both, 60, broken=True, at=LATER)
    assert kinds(both, 2 * LATER) == []


def test_a_trade_that_both_correct_agrees_and_one_that_only_the_copy_corrects_does_not(both: Reconciliation) -> None:
    here(both, 60)
    there(both, 60, 1)
    for price in (PRICE + 100, PRICE + 200):
        both.copied_correction(VENUE, ORDER & 0xFFFFFFFF, price, 60, 1, SECOND)
    assert sorted(kinds(both)) == [MISSING_HERE, MISSING_THERE]
    here(both, 60, broken=True, at=LATER)
    here(both, 60, price=PRICE + 200, at=LATER)
    there(both, 60, 1, at=LATER)  # the session heard again from its start
    both.copied_correction(VENUE, ORDER & 0xFFFFFFFF, PRICE + 100, 60, 1, LATER)
    both.copied_correction(VENUE, ORDER & 0xFFFFFFFF, PRICE + 200, 60, 1, LATER)
    assert kinds(both, 2 * LATER) == []


def test_nobody_is_judged_while_one_side_is_away(both: Reconciliation) -> None:
    both.session(VENUE, SECOND, up=False)
    there(both, 60, 1)
    assert kinds(both) == []
    both.session(VENUE, LATER, up=True)
    assert kinds(both, LATER + GRACE - 1) == []
    assert kinds(both, LATER + GRACE) == [MISSING_HERE]
    both.silent(VENUE)
    here(both, 40, at=2 * LATER)
    assert kinds(both, 3 * LATER) == []


def test_answers_from_before_anybody_listened_need_no_copy() -> None:
    made = Reconciliation(GRACE)
    made.asked(VENUE, ORDER, ALPHA, 100)
    made.session(VENUE, 0, up=True)
    made.answered(VENUE, ORDER, PRICE, 60, SECOND, broken=False)
    made.heard_from(VENUE, 2 * SECOND)
    assert [found.kind for found in made.breaks(LATER)] == []
    made.copied(VENUE, ORDER & 0xFFFFFFFF, PRICE, 60, 1, 3 * SECOND)
    assert [found.kind for found in made.breaks(LATER)] == []


def test_a_break_that_did_not_get_through_is_said_again(both: Reconciliation) -> None:
    there(both, 60, 1)
    found = both.breaks(LATER)
    assert (len(found), both.breaks(LATER)) == (1, [])
    both.not_told(found[0])
    assert both.breaks(LATER) == found


def raised(name: str = "3-17-x", instrument: int = ALPHA) -> control.RaiseBreak:
    return control.RaiseBreak(name, MISSING_HERE, VENUE, instrument, ORDER, "they differ")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "k" * 21}, "a break's kind has at most 20 characters"),
        ({"kind": ""}, "a break's kind has at most 20 characters"),
        ({"sentence": "they\x00differ"}, "all of it is printable text"),
        ({"venue": 1 << 20}, "no such venue"),
        ({"name": ""}, "a break has a name of its own"),
        ({"instrument": 77}, "instrument 77 is not known"),
    ],
)
def test_a_break_that_no_table_could_hold_is_refused(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in Loop().command(replace(raised(), **changes), control.RECONCILIATION).reason


def test_a_break_blocks_new_risk_in_its_instrument_until_a_person_resolves_it() -> None:
    loop = Loop()
    loop.wide_limits()
    for instrument in (ALPHA, BRAVO):
        loop.quote(instrument, PRICE - 100, PRICE + 100)
    assert loop.command(raised(), control.RECONCILIATION).body == {"open": 1}
    assert loop.command(raised("3-18-x"), control.RECONCILIATION).body == {"open": 2}
    assert reason(loop.enter(quantity=10)) == DenialReason.INSTRUMENT_BREAK
    assert loop.enter(quantity=10, instrument=BRAVO) > 0
    assert loop.command(raised()).reason.startswith("a break has a name of its own")
    resolve = control.ResolveBreak("3-17-x", "the venue corrected its copy")
    assert loop.command(resolve, control.RECONCILIATION).reason == "a person resolves a break"
    assert loop.command(control.ResolveBreak("3-17-x", " ")).reason == "say in a sentence how it was settled"
    assert loop.command(resolve).body == {"open": 1}
    assert reason(loop.enter(quantity=10)) == DenialReason.INSTRUMENT_BREAK
    loop.applied(control.ResolveBreak("3-18-x", "the same"))
    assert loop.enter(quantity=10) > 0
    assert loop.command(resolve).reason == "no break '3-17-x' is open"


def test_an_order_that_only_reduces_passes_a_break() -> None:
    loop = Loop()
    loop.wide_limits()
    loop.quote(ALPHA, PRICE - 100, PRICE + 100)
    loop.memory.cells[FIRST_STRATEGY_ACCOUNT * loop.memory.width + ALPHA]["position"] = 50
    loop.applied(raised())
    assert loop.enter(side=SELL, quantity=50) > 0
    assert reason(loop.enter(side=SELL, quantity=1)) == DenialReason.INSTRUMENT_BREAK


class Copying:
    """A lit venue with a drop copy on a real socket."""

    def __init__(self) -> None:
        memory = BookMemory(INSTRUMENTS, 64, 32, owner_count=1, midnight_ns=START_NS)
        self.venue = Venue("XSIM", VENUE, memory, INSTRUMENTS, Feed("S"), Fees(), Oracle(None))
        self.copy = self.venue.drop_copy = DropCopy({"ENGINE": "pw"}, START_NS)
        self.selector = selectors.DefaultSelector()
        nothing = [lambda *_: None] * 3
        self.server = DropCopyServer(self.venue, "S1", self.selector, ("127.0.0.1", 0), 15 * SECOND, *nothing)

    def trade(self, number: int, quantity: int) -> None:
        for owner, side, price in ((1, BUY, ASK), (0, SIM_SELL, BID)):
            self.venue.desk.request(
                action=1, owner=owner, user_reference=number, instrument=1, side=side, price=price, quantity=quantity,
                displayed=1, time_in_force=1, time_ns=START_NS,
            )  # fmt: skip
        for result in self.venue.memory.take_results():
            self.copy.report(result)
        self.server.send_reports(self.copy, len(self.copy.sequenced), time.monotonic_ns())  # type: ignore[arg-type]

    def turn(self) -> None:
        for key, mask in self.selector.select(0.02):
            key.data(mask, time.monotonic_ns())


@pytest.fixture
def copying() -> Iterator[Copying]:
    made = Copying()
    yield made
    made.server.close()
    made.selector.close()


def test_a_listener_hears_the_whole_session_and_what_comes(copying: Copying) -> None:
    copying.trade(17, 60)
    inbox: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    listener = DropCopyListener(VENUE, Address("127.0.0.1", copying.server.port), "ENGINE", "pw", inbox, NO_SECRETS)
    copies = DropCopies(lambda _sentence: None, NO_SECRETS)
    copies.reconciliation.session(VENUE, 0, up=True)
    deadline = time.monotonic() + 15
    heard: list[Heard] = []
    traded = False
    while len(heard) < 3:
        assert time.monotonic() < deadline, (heard, listener.complaint)
        copying.turn()
        while not inbox.empty():
            heard.append(inbox.get())
            copies.take_heard(heard[-1], SECOND)
        if len(heard) == 2 and not traded:
            traded = True
            copying.trade(18, 40)
    listener.stop()
    assert [(one.message.name, one.message.values["quantity"]) if one.message else one.up for one in heard] == [
        True,
        ("executed", 60),
        ("executed", 40),
    ]
    copies.reconciliation.asked(VENUE, 17, ALPHA, 60)
    copies.reconciliation.asked(VENUE, 18, ALPHA, 40)
    copies.reconciliation.answered(VENUE, 17, ASK, 60, 2 * SECOND, broken=False)
    found = copies.reconciliation.breaks(LATER)
    assert [(one.kind, one.order_id) for one in found] == [(MISSING_HERE, 18)]
    assert name_of(found[0]).startswith(f"{VENUE}-18-missing-here-")
    copying.copy.tell_corrected(1, ASK - 100, START_NS)
    copying.copy.tell_broken(2, "E", START_NS)
    for raw in copying.copy.sequenced[2:]:
        copies.take_heard(Heard(VENUE, decode_outbound(raw), by=listener), SECOND)
    found = copies.reconciliation.breaks(2 * LATER)
    assert sorted((one.kind, one.order_id) for one in found) == [(MISSING_HERE, 17), (MISSING_THERE, 17)]
    for price, broken in ((ASK, True), (ASK - 100, False)):
        copies.reconciliation.answered(VENUE, 17, price, 60, LATER, broken=broken)
    assert copies.reconciliation.breaks(3 * LATER) == []


def defined(settings: dict[str, str]) -> TextRecord:
    """The journal's record of a venue that is defined."""
    document = {"kind": control.DEFINE_VENUE, "actor": "alice", "body": {"venue": VENUE, "settings": settings}}
    return TextRecord(RecordKind.COMMAND, 1, 1, 0, document)


def test_a_venue_that_is_defined_anew_is_heard_anew_and_its_old_listener_takes_nothing_back(copying: Copying) -> None:
    settings = {"drop_copy": f"127.0.0.1:{copying.server.port}", "drop_copy_user": "ENGINE", "drop_copy_password": "pw"}
    said: list[str] = []
    copies = DropCopies(said.append, NO_SECRETS)

    def until(condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < deadline, said
            copying.turn()
            while not copies.inbox.empty():
                copies.take_heard(copies.inbox.get(), SECOND)

    copies.take_record(defined(settings))
    until(lambda: len(said) == 1)
    copies.take_record(defined(settings | {"taker_fee": "3"}))
    until(lambda: len(said) == 2)
    old = Heard(
        VENUE,
        None,
        up=False,
        by=DropCopyListener(VENUE, Address("127.0.0.1", 1), "A", "", queue.SimpleQueue(), NO_SECRETS),
    )
    copies.take_heard(old, 2 * SECOND)
    assert old.by is not None
    old.by.stop()
    assert said == [f"venue {VENUE}: the drop copy is there"] * 2
    copies.reconciliation.session(VENUE, 0, up=True)
    copies.reconciliation.asked(VENUE, 17, ALPHA, 60)
    copying.trade(17, 60)
    until(lambda: copies.reconciliation.breaks(LATER))
    copies.stop()


def test_why_there_is_no_drop_copy_is_said_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        inbox: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        heard_by = DropCopyListener(VENUE, Address(*listener.getsockname()), "desk", "", inbox, NO_SECRETS)
        listener.settimeout(15)
        for _ in range(3):  # it tries again
            connection, _peer = listener.accept()
            connection.recv(100)  # closed with the login unread, it would be a reset
            connection.close()
        first = inbox.get(timeout=15)
        heard_by.stop()
    assert (first.up, first.why) == (False, "the venue closed the connection during the login")
    assert inbox.empty()
    said: list[str] = []
    DropCopies(said.append, NO_SECRETS).take_heard(first, SECOND)
    assert said == [f"venue {VENUE}: the drop copy is not there: {first.why}"]
