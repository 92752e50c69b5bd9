"""Everything that can happen to an order and its replacement: to the engine, and to the model beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.hotpath.entries import cancel, complete_report, replace, take_back, take_report
from engine.messages.codes import CORRECTED, OrderState, ReportKind
from engine.messages.journal import ORDER_REPORT
from engine.native import address_of, touched
from tests.engine.hotpath.lifecycle_model import NEW, OLD, OPEN_AGAIN, World
from tests.engine.loop_builder import BUY, DOWN, UP, VENUE, Loop

K, S = ReportKind, OrderState
PRICE, BETTER = 1_000_000, 1_000_100
NEVER = 999_999  # a number that no order of ours has


@dataclass
class Pair:
    """An order of a strategy in the engine, its replacement once there is one, and the model of both."""

    loop: Loop
    numbers: dict[str, int]
    world: World = field(default_factory=World)

    @classmethod
    def enter(cls, loop: Loop) -> Pair:
        """A new order of 100 shares."""
        return cls(loop, {OLD: loop.enter_for_strategy(BUY, 100, PRICE)})

    def say(self, kind: ReportKind, name: str, quantity: int = 0, match_number: int = 0, reason: int = 0) -> None:
        """One answer of the venue."""
        body = self._body(kind, name, quantity, match_number, reason)
        complete_report(self.loop.address, VENUE, address_of(body), 0)
        take_report(self.loop.address, address_of(body))

    def correct(self, name: str, match_number: int, quantity: int) -> None:
        """A correction of the venue, as a session takes it."""
        body = self._body(K.EXECUTED, name, quantity, match_number, CORRECTED)
        if take_back(self.loop.address, VENUE, address_of(body)) != 0:
            complete_report(self.loop.address, VENUE, address_of(body), 0)
            take_report(self.loop.address, address_of(body))

    def replace(self) -> None:
        """Ask for the replacement, once."""
        if NEW not in self.numbers:
            number = int(replace(self.loop.address, self.numbers[OLD], BETTER, OPEN_AGAIN))
            if number > 0:
                self.numbers[NEW] = number

    def session_up(self, seen: tuple[str, ...]) -> None:
        """The session comes back; the venue expects the number after the last one that it has seen."""
        unseen = [number for name, number in self.numbers.items() if name not in seen]
        expected = min(unseen, default=max(self.numbers.values()) + 1)
        self.loop.session(state=UP, next_reference=expected)

    def _body(self, kind: ReportKind, name: str, quantity: int, match_number: int, reason: int) -> Any:
        body = touched(1, ORDER_REPORT)
        body["kind"], body["venue_reference"] = kind, self.numbers.get(name, NEVER)
        body["quantity"], body["price"], body["match_number"] = quantity, PRICE, match_number
        body["reason"] = reason
        return body


Event = tuple[Callable[[Pair], object], Callable[[World], object]]
ABOUT_ONE: dict[str, Event] = {
    "accepted": (lambda p: p.say(K.ACCEPTED, OLD, 100), lambda w: w.accepted(OLD)),
    "executed in part": (lambda p: p.say(K.EXECUTED, OLD, 40, 1), lambda w: w.executed(OLD, 40, 1)),
    "executed whole": (lambda p: p.say(K.EXECUTED, OLD, 100, 2), lambda w: w.executed(OLD, 100, 2)),
    "broken": (lambda p: p.say(K.BROKEN, OLD, 0, 1), lambda w: w.broken(OLD, 1)),
    "corrected": (lambda p: p.correct(OLD, 1, 30), lambda w: w.corrected(OLD, 1, 30)),
    "canceled in part": (lambda p: p.say(K.CANCELED, OLD, 30), lambda w: w.canceled(OLD, 30)),
    "canceled": (lambda p: p.say(K.CANCELED, OLD), lambda w: w.canceled(OLD, 0)),
    "modified": (lambda p: p.say(K.MODIFIED, OLD, 50), lambda w: w.modified(OLD, 50)),
    "expired": (lambda p: p.say(K.EXPIRED, OLD), lambda w: w.canceled(OLD, 0, S.EXPIRED)),
    "rejected": (lambda p: p.say(K.REJECTED, OLD), lambda w: w.ended(OLD, S.REJECTED)),
    "not sent": (lambda p: p.say(K.NOT_SENT, OLD), lambda w: w.ended(OLD, S.DENIED)),
    "cancel asked": (lambda p: cancel(p.loop.address, p.numbers[OLD]), lambda w: w.ask_cancel(OLD)),
    "cancel pending": (lambda p: p.say(K.CANCEL_PENDING, OLD), lambda w: None),
    "cancel rejected": (lambda p: p.say(K.CANCEL_REJECTED, OLD), lambda w: w.cancel_rejected(OLD)),
    "replace asked": (lambda p: p.replace(), lambda w: w.ask_replace()),
    "session lost": (lambda p: p.loop.session(state=DOWN), lambda w: w.session_down()),
    "session back, order seen": (lambda p: p.session_up((OLD, NEW)), lambda w: w.session_up((OLD, NEW))),
    "session back, order not seen": (lambda p: p.session_up(()), lambda w: w.session_up(())),
    "new session": (lambda p: p.loop.session(state=UP, fresh=1), lambda w: w.new_session()),
}
ABOUT_THE_REPLACEMENT: dict[str, Event] = {
    "replaced": (lambda p: p.say(K.REPLACED, NEW, OPEN_AGAIN), lambda w: w.replaced(OPEN_AGAIN)),
    "replacement executed in part": (lambda p: p.say(K.EXECUTED, NEW, 40, 3), lambda w: w.executed(NEW, 40, 3)),
    "replacement executed whole": (lambda p: p.say(K.EXECUTED, NEW, 90, 4), lambda w: w.executed(NEW, 90, 4)),
    "replacement broken": (lambda p: p.say(K.BROKEN, NEW, 0, 3), lambda w: w.broken(NEW, 3)),
    "replacement rejected": (lambda p: p.say(K.REJECTED, NEW), lambda w: w.ended(NEW, S.REJECTED)),
    "replacement not sent": (lambda p: p.say(K.NOT_SENT, NEW), lambda w: w.ended(NEW, S.DENIED)),
    "replacement canceled": (lambda p: p.say(K.CANCELED, NEW), lambda w: w.canceled(NEW, 0)),
    "cancel of the replacement asked": (
        lambda p: cancel(p.loop.address, p.numbers.get(NEW, NEVER)),
        lambda w: w.ask_cancel(NEW),
    ),
    "session back, replacement not seen": (lambda p: p.session_up((OLD,)), lambda w: w.session_up((OLD,))),
}
EVENTS = ABOUT_ONE | ABOUT_THE_REPLACEMENT

# From a new order to each state, and to the states of a chain of two.
WAYS: dict[str, tuple[str, ...]] = {
    "pending new": (),
    "accepted": ("accepted",),
    "partially filled": ("accepted", "executed in part"),
    "pending replace": ("accepted", "replace asked"),
    "pending cancel": ("accepted", "cancel asked"),
    "unknown": ("session lost",),
    "filled": ("accepted", "executed whole"),
    "canceled": ("accepted", "canceled"),
    "expired": ("accepted", "expired"),
    "rejected": ("rejected",),
    "denied": ("not sent",),
    "filled in part and being replaced": ("accepted", "executed in part", "replace asked"),
    "replaced": ("accepted", "replace asked", "replaced"),
    "canceling and pending": ("cancel asked",),
}
