"""What the operator of the simulated exchange can do to a venue while it runs, as lines of text such as
`halt BNKA T1`. docs/simulator.md lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.messages.prices import from_decimal
from engine.simulator import floor_auctions, floor_clients
from engine.simulator.auctions import WORDS, CrossOver
from engine.simulator.floor_clients import NoSuchOrder

if TYPE_CHECKING:
    from engine.simulator.venue import Venue

EVERY = "all"
TRADING_HALT, OPERATIONAL_HALT, VENUE_CLOSED = 1, 2, 4  # bits of an instrument's `halted` in the matching
BREAKER_REASON = "MWC{}"
OPEN_HOURS = "SQM"  # after these system events orders are taken


class FloorOrderError(ValueError):
    """An order of the operator that makes no sense; the text says why."""


@dataclass(frozen=True)
class Floor:
    """One order being carried out: the venue, the instruments meant, what follows, when."""

    venue: Venue
    instruments: tuple[int, ...]
    words: tuple[str, ...]
    time_ns: int

    def say(self, name: str, **values: Any) -> None:
        """Announce it for each instrument."""
        for instrument in self.instruments:
            named = {"instrument": self.venue.desk.instrument_name(instrument)}
            self.venue.announcements.publish(name, self.time_ns, instrument, **named, **values)

    def say_market(self, name: str, **values: Any) -> None:
        """Announce something that is about no instrument."""
        self.venue.announcements.publish(name, self.time_ns, **values)

    def hold(self, bit: int, held: bool) -> None:
        """Whether the matching refuses new orders for this cause."""
        rows = self.venue.memory.instruments
        for instrument in self.instruments:
            halted = int(rows[instrument]["halted"])
            rows[instrument]["halted"] = halted | bit if held else halted & ~bit

    def tell(self, act: Callable[[], None]) -> None:
        """Do something to clients' orders."""
        try:
            act()
        except (NoSuchOrder, CrossOver) as error:
            raise FloorOrderError(str(error)) from None

    def word(self, at: int, default: str = "") -> str:
        return self.words[at] if at < len(self.words) else default

    def match(self) -> int:
        """The venue's next match number."""
        row = self.venue.memory.book[0]
        row["next_match"] += 1
        return int(row["next_match"]) - 1

    def number(self, at: int) -> int:
        text = self.word(at)
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            raise FloorOrderError(f"{text!r} is not a whole number of at most nine digits")
        return int(text)

    def price(self, at: int) -> int:
        try:
            value = from_decimal(self.word(at))
        except ValueError as error:
            raise FloorOrderError(str(error)) from None
        if not 0 <= value < 1 << 31:
            raise FloorOrderError(f"{self.word(at)!r} is not a price")
        return value

    def letter(self, at: int, allowed: str, default: str = "") -> str:
        text = self.word(at, default)
        if len(text) != 1 or text not in allowed:
            raise FloorOrderError(f"{text!r} is not one of {', '.join(allowed)}")
        return text


class Rehearsal(Floor):
    """Reads an order's values and does nothing."""

    def say(self, name: str, **values: Any) -> None:
        """Nothing is announced."""

    say_market = say

    def hold(self, bit: int, held: bool) -> None:
        """Nothing is held."""

    def match(self) -> int:
        """No number is used up."""
        return 0

    def tell(self, act: Callable[[], None]) -> None:
        """Nobody is told."""


def _trading(state: str) -> Callable[[Floor], None]:
    def announce(floor: Floor) -> None:
        floor.hold(TRADING_HALT, state != "T")
        floor.say("trading_action", trading_state=state, reserved=" ", reason=floor.word(0)[:4])

    return announce


def _operational(action: str) -> Callable[[Floor], None]:
    def announce(floor: Floor) -> None:
        floor.hold(OPERATIONAL_HALT, action == "H")
        floor.say("operational_halt", market_code="Q", halt_action=action)

    return announce


def _short_sale(floor: Floor) -> None:
    floor.say("reg_sho_restriction", reg_sho_action=floor.letter(0, "012"))


def _collar(floor: Floor) -> None:
    reference, lower, upper = floor.price(0), floor.price(1), floor.price(2)
    prices = {"reference_price": reference, "lower_price": lower, "upper_price": upper}
    floor.say("luld_auction_collar", **prices, extension=0)


def _ipo(floor: Floor) -> None:
    parts = floor.word(0).split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        raise FloorOrderError(f"{floor.word(0)!r} is not a time like 10:30:00")
    hours, minutes, seconds = map(int, parts)
    at, price = hours * 3600 + minutes * 60 + seconds, floor.price(1)
    floor.hold(TRADING_HALT, True)
    floor.say("trading_action", trading_state="H", reserved=" ", reason="IPO1")
    floor.say("ipo_quoting_period", release_time_seconds=at, release_qualifier="A", price=price)


def _breaker_levels(floor: Floor) -> None:
    levels = {f"level_{n + 1}": floor.price(n) * 10_000 for n in range(3)}
    floor.say_market("mwcb_decline_level", **levels)


def _breaker(floor: Floor) -> None:
    level = floor.letter(0, "123")
    floor.hold(TRADING_HALT, True)
    floor.say_market("mwcb_status", breached_level=level)
    floor.say("trading_action", trading_state="H", reserved=" ", reason=BREAKER_REASON.format(level))


def _imbalance(floor: Floor) -> None:
    side, quantity, paired, price = floor.letter(0, "BSNOP"), floor.number(1), floor.number(2), floor.price(3)
    quantities = {"imbalance_direction": side, "imbalance_quantity": quantity, "paired_quantity": paired}
    prices = {"far_price": price, "near_price": price, "reference_price": price}
    floor.say(
        "net_order_imbalance", **quantities, **prices, cross_type=floor.letter(4, "OCHA", "O"), price_variation="L"
    )


def _cross(floor: Floor) -> None:
    price, quantity, kind = floor.price(0), floor.number(1), floor.letter(2, "OCHA", "O")
    floor.say("cross_trade", price=price, quantity=quantity, cross_type=kind, match_number=floor.match())


def _auction(floor: Floor) -> None:
    cross = _cross_of(floor)
    floor.tell(lambda: floor_auctions.hold(floor.venue, floor.instruments, cross, floor.time_ns))


def _indicate(floor: Floor) -> None:
    cross = _cross_of(floor)
    floor.tell(lambda: floor_auctions.indicate(floor.venue, floor.instruments, cross, floor.time_ns))


def _cross_of(floor: Floor) -> int:
    if floor.word(0) not in WORDS:
        raise FloorOrderError(f"{floor.word(0)!r} is neither {' nor '.join(WORDS)}")
    return int(WORDS[floor.word(0)])


def _print(floor: Floor) -> None:
    price, quantity = floor.price(0), floor.number(1)
    floor.say("trade", reference=0, side="B", price=price, quantity=quantity, match_number=floor.match())


def _break(floor: Floor) -> None:
    number, reason = floor.number(0), floor.letter(1, "ECSX", "E")
    floor.say_market("broken_trade", match_number=number)
    floor.tell(lambda: floor_clients.break_trade(floor.venue, number, reason, floor.time_ns))


def _correct(floor: Floor) -> None:
    number, price = floor.number(0), floor.price(1)
    floor.tell(lambda: floor_clients.correct_trade(floor.venue, number, price, floor.time_ns))


def _miscopy(floor: Floor) -> None:
    number, quantity, price = floor.number(1), floor.number(2), floor.price(3)
    floor.tell(lambda: floor_clients.miscopy(floor.venue, floor.word(0), number, quantity, price, floor.time_ns))


def _hold_cancels(floor: Floor) -> None:
    floor.tell(lambda: floor.venue.desk.held.update(floor.instruments))


def _release_cancels(floor: Floor) -> None:
    how = floor.word(0, "carry-out")
    if how not in ("carry-out", "reject"):
        raise FloorOrderError(f"{how!r} is neither carry-out nor reject")

    def release() -> None:
        floor.venue.desk.held.difference_update(floor.instruments)
        floor_clients.release_cancels(floor.venue, floor.time_ns, reject=how == "reject")

    floor.tell(release)


def _restate(floor: Floor) -> None:
    number = floor.number(1)
    floor.tell(lambda: floor_clients.restate(floor.venue, floor.word(0), number, floor.time_ns))


def _reprice(floor: Floor) -> None:
    number, price = floor.number(1), floor.price(2)
    floor.tell(lambda: floor_clients.reprice(floor.venue, floor.word(0), number, price, floor.time_ns))


def _withdraw(floor: Floor) -> None:
    number = floor.number(1)
    floor.tell(lambda: floor_clients.withdraw(floor.venue, floor.word(0), number, floor.time_ns))


def _fill(floor: Floor) -> None:
    number, quantity, price = floor.number(1), floor.number(2), floor.price(3)
    floor.tell(lambda: floor_clients.fill(floor.venue, floor.word(0), number, quantity, price, floor.time_ns))


def _refuse(floor: Floor) -> None:
    number = floor.number(1)
    floor.tell(lambda: floor_clients.refuse(floor.venue, floor.word(0), number, floor.time_ns))


def _by_itself(automatic: bool) -> Callable[[Floor], None]:
    def switch(floor: Floor) -> None:
        floor.tell(lambda: setattr(floor_clients.broker_of(floor.venue), "automatic", automatic))

    return switch


def _retail(floor: Floor) -> None:
    floor.say("retail_price_improvement", interest=floor.letter(0, "BSAN"))


def _hours(floor: Floor) -> None:
    event = floor.letter(0, "OSQMEC")
    floor.hold(VENUE_CLOSED, event not in OPEN_HOURS)
    floor.say_market("system_event", event=event)


# verb: whether an instrument follows, the least and most words after that, what it does
VERBS: dict[str, tuple[bool, int, int, Callable[[Floor], None]]] = {
    "halt": (True, 0, 1, _trading("H")),
    "pause": (True, 0, 1, _trading("P")),
    "quote": (True, 0, 1, _trading("Q")),
    "resume": (True, 0, 1, _trading("T")),
    "operational-halt": (True, 0, 0, _operational("H")),
    "operational-resume": (True, 0, 0, _operational("T")),
    "short-sale": (True, 1, 1, _short_sale),
    "collar": (True, 3, 3, _collar),
    "ipo": (True, 2, 2, _ipo),
    "imbalance": (True, 4, 5, _imbalance),
    "cross": (True, 2, 3, _cross),
    "auction": (True, 1, 1, _auction),
    "indicate": (True, 1, 1, _indicate),
    "print": (True, 2, 2, _print),
    "retail": (True, 1, 1, _retail),
    "breaker-levels": (False, 3, 3, _breaker_levels),
    "breaker": (False, 1, 1, _breaker),
    "break": (False, 1, 2, _break),
    "correct": (False, 2, 2, _correct),
    "miscopy": (False, 4, 4, _miscopy),
    "hold-cancels": (True, 0, 0, _hold_cancels),
    "release-cancels": (True, 0, 1, _release_cancels),
    "restate": (False, 2, 2, _restate),
    "reprice": (False, 3, 3, _reprice),
    "withdraw": (False, 2, 2, _withdraw),
    "hours": (False, 1, 1, _hours),
    "fill": (False, 4, 4, _fill),
    "refuse": (False, 2, 2, _refuse),
    "automatic": (False, 0, 0, _by_itself(True)),
    "by-hand": (False, 0, 0, _by_itself(False)),
}


class FloorDesk:
    """Takes the operator's orders for one venue; stands where a client's account stands in the simulation."""

    owner, user = 0, ""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.sequenced: list[bytes] = []

    def check(self, text: str) -> None:
        """FloorOrderError when the order makes no sense; nothing is done."""
        verb, floor = self._read(text, Rehearsal, 0)
        verb(floor)

    def receive(self, raw: bytes, time_ns: int) -> None:
        """Carry out one order that was checked."""
        row = self._venue.memory.book[0]
        row["clock_ns"] = max(int(row["clock_ns"]), time_ns)
        verb, floor = self._read(raw.decode(), Floor, int(row["clock_ns"]))
        verb(floor)

    def _read(self, text: str, kind: type[Floor], time_ns: int) -> tuple[Callable[[Floor], None], Floor]:
        words = text.split()
        verb = VERBS.get(words[0]) if words else None
        if verb is None or not text.isascii():
            raise FloorOrderError(f"{text.strip()!r} is no order; there are {', '.join(VERBS)}")
        named, least, most, carry_out = verb
        rest = words[2:] if named else words[1:]
        if (named and len(words) < 2) or not least <= len(rest) <= most:
            count = str(least) if least == most else f"{least} to {most}"
            raise FloorOrderError(f"{words[0]} takes {'an instrument and ' if named else ''}{count} words")
        instruments = tuple(row.id for row in self._venue.instruments)
        if named and words[1] != EVERY:
            instruments = (self._venue.desk.instrument_id(words[1]),)
            if instruments == (0,):
                raise FloorOrderError(f"{self._venue.name} does not list {words[1]}")
        return carry_out, kind(self._venue, instruments, tuple(rest), time_ns)

    def report(self, result: Any) -> None:
        """Nothing is reported to the operator."""

    def tell_broken(self, match_number: int, reason: str, time_ns: int) -> None:
        """Nothing is told to the operator."""

    def tell_corrected(self, match_number: int, price: int, time_ns: int) -> None:
        """Nothing is told to the operator."""
