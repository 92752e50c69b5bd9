"""Orders with a time in force that their venue does not have: the engine stands in for it with a parent order whose
algorithm emulates it. One order for people; its children are what the venue knows."""

from __future__ import annotations

from typing import Any

from engine.algorithms import ALGORITHMS, compiled_algorithm
from engine.control.configuration import Configuration, Refusal
from engine.hotpath.entries import check, enter, market_price
from engine.messages.codes import DenialReason, TimeInForce
from engine.messages.control import SMART, EnterOrder, EnterParent
from engine.messages.prices import FOREVER_NS
from engine.venues.fields import BEFORE_END, read_time_of_day

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
LONGEST_GOOD_TILL_NS = 366 * DAY_NS
GOOD_TILL = (TimeInForce.GTC, TimeInForce.GTD)
AUCTIONS = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
WITHOUT_HOURS = ("binance",)  # protocols of venues that never open
GONE = frozenset(map(ord, "QMEC"))  # system events after which the open is over
PEOPLE, NO_LEG = 0, -1
R = DenialReason
# What the gate refuses now and may pass later by itself: an order that waits for its venue anyway waits for that, too.
PASSING = frozenset(
    {
        R.ENGINE_NOT_ACTIVE, R.VENUE_DOWN, R.REFERENCE_MISSING, R.BOOK_DIRTY, R.ORDER_RATE, R.INSTRUMENT_HALTED,
        R.INSTRUMENT_PAUSED, R.QUOTATION_ONLY, R.OPERATIONAL_HALT, R.MARKET_WIDE_HALT, R.IPO_PENDING, R.MARKET_CLOSED,
    }
)  # fmt: skip


def emulation(configuration: Configuration, venue: int, time_in_force: int) -> str:
    """Name of the algorithm that emulates the time in force at the venue; empty: the venue has it, or nothing does."""
    names = [name for name, (_, module) in ALGORITHMS.items() if time_in_force in getattr(module, "EMULATES", ())]
    if not names or venue not in configuration.venues:
        return ""
    known = configuration.venues[venue]
    if time_in_force in GOOD_TILL and configuration.memory.venues[venue]["good_till"]:
        return ""
    if time_in_force in AUCTIONS and configuration.memory.venues[venue]["auctions"]:
        return ""
    if time_in_force == TimeInForce.AT_CLOSE and not known.settings.get("trading_end"):
        return ""
    if time_in_force == TimeInForce.AT_OPEN:
        begun = known.protocol in WITHOUT_HOURS or _phase(configuration, venue) in GONE
        return "" if begun else names[0]
    return names[0]


def _phase(configuration: Configuration, venue: int) -> int:
    """Letter of the last system event about the venue's hours, 0: none."""
    memory = configuration.memory
    whose = venue if memory.markets[venue]["heard"] else int(memory.venues[venue]["priced_by"])
    return int(memory.markets[whose]["phase"])


def check_good_till(body: EnterOrder, clock_ns: int) -> None:
    """Refusal unless an order has an end by the clock exactly when its time in force is GTD."""
    if body.time_in_force not in GOOD_TILL:
        if body.good_till_ns:
            raise Refusal("only an order good till a time (GTD) has one")
        return
    if body.venue == SMART:
        raise Refusal("an order that is good for longer than a day stays at one venue; name it")
    if body.protection:
        raise Refusal("a market order does not rest; it is IOC, FOK or DAY, or for the open or the close")
    if body.time_in_force == TimeInForce.GTC and body.good_till_ns:
        raise Refusal("an order good till canceled has no end; good till a time is GTD")
    longest = clock_ns + LONGEST_GOOD_TILL_NS
    if body.time_in_force == TimeInForce.GTD and not clock_ns < body.good_till_ns <= longest:
        raise Refusal("an order good till a time ends later than now, and within 366 days")


def emulated(configuration: Configuration, body: EnterOrder) -> EnterParent | None:
    """The parent order that stands for the order; None when the venue has its time in force."""
    name = emulation(configuration, body.venue, body.time_in_force)
    if not name:
        return None
    if not body.price and not body.protection:
        raise Refusal("an order needs a price; one without is a market order, with a protection")
    start_ns, end_ns = span(configuration, body.venue, body.time_in_force, body.good_till_ns)
    return EnterParent(
        client_order_id=body.client_order_id,
        strategy=PEOPLE,
        team=body.team,
        trader=body.trader,
        algorithm=name,
        kind_hash=compiled_algorithm(name).hash,
        instrument=body.instrument,
        venues=[body.venue],
        side=body.side,
        quantity=body.quantity,
        price=body.price,
        start_ns=start_ns,
        end_ns=end_ns,
        parameters={"protection": body.protection} if body.time_in_force in AUCTIONS else {},
    )


def span(configuration: Configuration, venue: int, time_in_force: int, good_till_ns: int = 0) -> tuple[int, int]:
    """From when to when what emulates an order works. Refusal for a close that is over."""
    clock_ns = int(configuration.memory.core["clock_ns"][0])
    if time_in_force == TimeInForce.AT_OPEN:
        return 0, clock_ns + DAY_NS
    if time_in_force != TimeInForce.AT_CLOSE:
        return 0, good_till_ns or FOREVER_NS
    settings = configuration.venues[venue].settings
    text = settings["trading_end"]
    end_ns = clock_ns - clock_ns % DAY_NS + read_time_of_day(text) * SECOND_NS
    if clock_ns >= end_ns:
        raise Refusal(f"trading at {configuration.venues[venue].name} has ended for today ({text} UTC)")
    return end_ns - int(settings.get("before_end") or BEFORE_END) * SECOND_NS, end_ns


def deny_emulated(configuration: Configuration, team: int, body: EnterOrder) -> int:
    """What the gate has against all of it as one order of the venue, and will have later: the denial, journalled, as
    minus its reason. 0: it may wait or go."""
    address = configuration.memory.address
    price = body.price
    if body.protection:
        price = int(market_price(address, body.venue, body.instrument, body.side, body.protection))
        if price <= 0:
            return 0  # nobody knows yet at what price it will go
    terms = (PEOPLE, team, NO_LEG, body.venue, body.instrument, body.side, price, body.quantity, TimeInForce.DAY)
    reason = int(check(address, *terms))
    return 0 if reason == R.NONE or reason in PASSING else int(enter(address, *terms))


def emulation_answer(body: EnterParent, entered: dict[str, Any]) -> dict[str, Any]:
    """The answer of an order that is emulated: its number is a parent order's."""
    return entered | {"emulated": body.algorithm}
