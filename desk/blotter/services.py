"""What people see of orders and fills, and what they do by hand: enter and cancel an order."""

import time
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record, team_chain
from desk.blotter.canceling import ask_to_cancel
from desk.blotter.emulated import good_till_errors
from desk.blotter.entries import (
    CLIENT_ORDER_ID,
    CLIENT_ORDER_ID_RULE,
    LONGEST_VALID_MILLISECONDS,
    Entered,
    enter_once,
    refusal_sentence,
)
from desk.blotter.just_entered import wait_for_row
from desk.blotter.market_orders import market_errors
from desk.blotter.models import Denial, Fill, Order, OrderEntry, OrderEvent
from desk.blotter.second_person import why_it_waits
from desk.blotter.waiting import body_of, care_errors, wait_for_person
from desk.link import client
from desk.markets.models import Instrument, Venue
from desk.refusals import Conflict, EngineRefused, Invalid
from engine.messages.codes import OPEN_STATES, Side, TimeInForce
from engine.messages.control import SMART, CancelOrder, ReplaceOrder, Status, command
from engine.messages.prices import from_decimal, to_decimal

VALID_MILLISECONDS = 2_000
LARGEST_QUANTITY = 10**9
LARGEST_PRICE = 2**40
RELATED = ("strategy", "team", "instrument", "venue")


@dataclass(frozen=True)
class OrderTicket:
    """A manual order as asked for: `price` in the currency, `quantity` in shares; at venue SMART the router splits it.
    A market order has no price but a `protection` in basis points, one good till a time its end. The engine drops it
    when it is older than `valid_milliseconds`. With `care` it waits for a person, who reads the `instruction`."""

    client_order_id: str
    instrument: int
    venue: int
    side: Side
    quantity: int
    price: Decimal | None
    time_in_force: TimeInForce = TimeInForce.DAY
    valid_milliseconds: int = VALID_MILLISECONDS
    care: bool = False
    instruction: str = ""
    protection: int | None = None
    good_till_ns: int = 0


def visible_orders(user: User) -> QuerySet[Order]:
    """Orders that the person may see, the newest first."""
    return policy.visible(Order.objects.select_related(*RELATED), user)


def working_orders(user: User) -> QuerySet[Order]:
    """Those that can still be filled."""
    return visible_orders(user).filter(state__in=[state.value for state in OPEN_STATES])


def visible_fills(user: User) -> QuerySet[Fill]:
    """Fills that the person may see, the newest first."""
    return policy.visible(Fill.objects.select_related(*RELATED), user)


def visible_denials(user: User) -> QuerySet[Denial]:
    """Denials that the person may see, the newest first."""
    return policy.visible(Denial.objects.select_related(*RELATED), user)


def find_order(user: User, order_id: int) -> Order:
    """One order that the person may see, or NotFound. One that was just entered is waited for."""
    orders = Order.objects.select_related(*RELATED)
    return wait_for_row(lambda: policy.find_visible(orders, user, order_id=order_id), user, order_id=order_id)


def order_events(order: Order) -> QuerySet[OrderEvent]:
    """The life of an order, step by step."""
    return OrderEvent.objects.filter(order_id=order.order_id).order_by("sequence")


def enter_order(actor: User, ticket: OrderTicket) -> Entered:
    """Enter a manual order for the actor's team; the same ticket again gives the first entry and sends nothing.

    An entry whose outcome is unknown is asked about again with the id of its first command. Raises NotPermitted,
    Invalid, Conflict (client_order_id_reused), EngineRefused, EngineNotReached (the id is free again), OutcomeUnknown.
    """
    policy.require(policy.may_enter_order(actor, actor.team_id), "Only a trader with a team may enter orders.")
    body = checked_order(ticket)
    return enter_once(actor, ticket.client_order_id, body, wait_for_person(actor, body))


def find_entry(user: User, client_order_id: str) -> OrderEntry:
    """An order entry by the client's id, or NotFound."""
    return policy.find_visible(OrderEntry.objects.all(), user, client_order_id=client_order_id)


def cancel_order(actor: User, order_id: int) -> Status:
    """Ask the venue to cancel. The answer says that it was asked; the order's state says what came of it."""
    return ask_to_cancel(actor, find_order(actor, order_id), "order.cancel_asked", CancelOrder(order_id))


def may_replace(actor: User, order: Order) -> bool:
    """Whether the person may give the order other terms: a working one that no strategy or algorithm works."""
    by_hand = order.strategy_id is None and order.parent_id is None
    return order.working and by_hand and policy.may_enter_order(actor, order.team_id)


def replace_order(actor: User, order_id: int, price: Decimal, quantity: int) -> Status:
    """Ask the venue for another price and open quantity; the answer's body has the `order_id` it goes on under. Raises
    NotFound, NotPermitted, Conflict (order_not_working, order_worked, second_person_needed), Invalid, EngineRefused,
    OutcomeUnknown."""
    order = find_order(actor, order_id)
    policy.require(policy.may_enter_order(actor, order.team_id), "Your role may not change this order.")
    if not order.working:
        raise Conflict(f"This order is {order.get_state_display()}.", code="order_not_working")
    if not may_replace(actor, order):
        whose = "a parent order" if order.parent_id else "a strategy"
        raise Conflict(f"This order is worked by {whose}; cancel it instead.", code="order_worked")
    errors = _amount_errors(order.instrument, price, quantity)
    if errors:
        raise Invalid(errors, code="bad_tick" if list(errors) == ["price"] else "")
    entry, body = _first_entry(order), _as_replaced(order, price, quantity)
    if order.instrument and order.team_id and (why := why_it_waits(actor, body, instead_of=entry)):
        raise Conflict(f"{why} Cancel it and enter another one.", code="second_person_needed")
    after = {"price": str(price), "quantity": quantity}
    with transaction.atomic():
        chain = team_chain(order.team_id) if order.team_id else "firm"
        record(actor, "order.replace_asked", f"order {order_id}", after=after, chain=chain)
        if entry is not None and body["quantity"] > max(entry.body["quantity"], entry.raised_quantity or 0):
            entry.raised_quantity, entry.raised_at = body["quantity"], timezone.now()
            entry.save(update_fields=["raised_quantity", "raised_at"])
    status = client.send(command(ReplaceOrder(order_id, from_decimal(price), quantity), actor.get_username()))
    if not status.applied:
        code = str(status.body.get("denial", "order_refused")).lower()
        raise EngineRefused(refusal_sentence(status) or "The engine refused.", code=code)
    return status


def _first_entry(order: Order) -> OrderEntry | None:
    """The entry that the order began with, over all its replacements."""
    first: Order | None = order
    while first is not None and first.target_order_id:
        order, first = first, Order.objects.filter(order_id=first.target_order_id).first()
    return OrderEntry.objects.filter(order_id=(first or order).order_id).first()


def _as_replaced(order: Order, price: Decimal, quantity: int) -> dict[str, Any]:
    """The body that a ticket for the replacement would have."""
    return {
        "instrument": order.instrument_id,
        "venue": order.venue_id,
        "side": order.side,
        "quantity": quantity + order.filled_quantity,
        "price": str(price),
    }


def _amount_errors(instrument: Instrument | None, price: Decimal | None, quantity: int) -> dict[str, str]:
    errors: dict[str, str] = {}
    if quantity < 1 or (instrument and quantity % instrument.lot_size):
        errors["quantity"] = "The quantity must be a positive number of whole lots."
    elif quantity > LARGEST_QUANTITY:
        errors["quantity"] = f"The quantity is at most {LARGEST_QUANTITY:,}."
    if price is None:
        return errors
    try:
        asked = from_decimal(price)
        if asked <= 0 or (instrument and asked % from_decimal(instrument.tick_size)):
            errors["price"] = "The price must be a positive multiple of the tick size."
        elif asked > LARGEST_PRICE:
            errors["price"] = f"The price is at most {to_decimal(LARGEST_PRICE):,}."
    except ValueError as error:
        errors["price"] = f"{error}."
    return errors


def checked_order(ticket: OrderTicket) -> dict[str, Any]:
    """The body of the entry; Invalid names what is wrong."""
    errors = {}
    if not CLIENT_ORDER_ID.match(ticket.client_order_id):
        errors["client_order_id"] = CLIENT_ORDER_ID_RULE
    instrument = Instrument.objects.filter(pk=ticket.instrument).first()
    if instrument is None:
        errors["instrument"] = f"There is no instrument {ticket.instrument}."
    if ticket.venue == SMART:
        if ticket.time_in_force == TimeInForce.FOK:
            errors["time_in_force"] = (
                "The router works DAY, IOC and post-only orders; name a venue for a fill-or-kill order."
            )
        elif ticket.time_in_force in (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE):
            errors["time_in_force"] = "Each venue has auctions of its own; name one for an order at the open or close."
    elif not Venue.objects.filter(number=ticket.venue, enabled=True).exists():
        errors["venue"] = f"There is no venue {ticket.venue}."
    if not 1 <= ticket.valid_milliseconds <= LONGEST_VALID_MILLISECONDS:
        errors["valid_milliseconds"] = f"It must be from 1 to {LONGEST_VALID_MILLISECONDS}."
    errors |= _amount_errors(instrument, ticket.price, ticket.quantity) | care_errors(ticket.care, ticket.instruction)
    errors |= market_errors(ticket.price, ticket.protection, ticket.time_in_force)
    market, smart = ticket.protection is not None, ticket.venue == SMART
    errors |= good_till_errors(ticket.good_till_ns, ticket.time_in_force, time.time_ns(), market, smart)
    if errors:
        bad_tick = list(errors) == ["price"] and ticket.price is not None
        raise Invalid(errors, code="bad_tick" if bad_tick else "")
    return body_of(asdict(ticket) | {"price": None if ticket.price is None else str(ticket.price)})
