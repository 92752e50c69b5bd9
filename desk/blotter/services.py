"""What people see of orders and fills, and what they do by hand: enter and cancel an order."""

import hashlib
import json
import re
import time
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record, team_chain
from desk.blotter.models import Denial, Fill, Order, OrderEntry, OrderEvent
from desk.blotter.sentences import denial_sentence
from desk.link import client
from desk.markets.models import Instrument, Venue
from desk.refusals import Conflict, EngineNotReached, Invalid
from engine.messages.codes import OPEN_STATES, DenialReason, LimitName, Scope, Side, TimeInForce
from engine.messages.control import CancelOrder, EnterOrder, Status, command
from engine.messages.prices import from_decimal, to_decimal

CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9._-]{1,36}\Z")
CLIENT_ORDER_ID_RULE = "A client order id has 1 to 36 letters, digits, dots, underscores or hyphens."
VALID_MILLISECONDS = 2_000
LONGEST_VALID_MILLISECONDS = 60_000
LARGEST_QUANTITY = 10**9
LARGEST_PRICE = 2**40
RELATED = ("strategy", "team", "instrument", "venue")


@dataclass(frozen=True)
class OrderTicket:
    """A manual order as asked for: `price` in the currency, `quantity` in shares. The engine drops it when it is older
    than `valid_milliseconds`."""

    client_order_id: str
    instrument: int
    venue: int
    side: Side
    quantity: int
    price: Decimal
    time_in_force: TimeInForce = TimeInForce.DAY
    valid_milliseconds: int = VALID_MILLISECONDS


@dataclass(frozen=True)
class Entered:
    """The entry of an order; `replayed` when this ticket had been entered before and nothing was sent now."""

    entry: OrderEntry
    replayed: bool


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
    """One order that the person may see, or NotFound."""
    return policy.find_visible(Order.objects.select_related(*RELATED), user, order_id=order_id)


def order_events(order: Order) -> QuerySet[OrderEvent]:
    """The life of an order, step by step."""
    return OrderEvent.objects.filter(order_id=order.order_id).order_by("sequence")


def enter_order(actor: User, ticket: OrderTicket) -> Entered:
    """Enter a manual order for the actor's team; the same ticket again gives the first entry and sends nothing.

    An entry whose outcome is unknown is asked about again with the id of its first command. Raises NotPermitted,
    Invalid, Conflict (client_order_id_reused), EngineRefused, EngineNotReached (the id is free again), OutcomeUnknown.
    """
    policy.require(policy.may_enter_order(actor, actor.team_id), "Only a trader with a team may enter orders.")
    assert actor.team_id is not None
    body = _checked_body(ticket)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    try:
        with transaction.atomic():
            entry = OrderEntry.objects.create(
                client_order_id=ticket.client_order_id,
                body=body,
                body_hash=digest,
                command_id=uuid4().hex,
                team_id=actor.team_id,
                entered_by=actor,
            )
            subject = f"order {ticket.client_order_id}"
            record(actor, "order.entered", subject, after=body, chain=team_chain(entry.team_id))
    except IntegrityError:
        return _entered_before(actor, ticket, digest)
    return Entered(_send_entry(entry, ticket.valid_milliseconds), replayed=False)


def check_client_order_id(text: str) -> None:
    """Invalid unless it is one."""
    if not CLIENT_ORDER_ID.match(text):
        raise Invalid({"client_order_id": CLIENT_ORDER_ID_RULE})


def find_entry(user: User, client_order_id: str) -> OrderEntry:
    """An order entry by the client's id, or NotFound."""
    return policy.find_visible(OrderEntry.objects.all(), user, client_order_id=client_order_id)


def cancel_order(actor: User, order_id: int) -> Status:
    """Ask the venue to cancel. The answer says that it was asked; the order's state says what came of it."""
    order = find_order(actor, order_id)
    policy.require(policy.may_cancel_order(actor, order.team_id), "Your role may not cancel this order.")
    if not order.working:
        raise Conflict(f"This order is {order.get_state_display()}.", code="order_not_working")
    with transaction.atomic():
        chain = team_chain(order.team_id) if order.team_id else "firm"
        record(actor, "order.cancel_asked", f"order {order_id}", chain=chain)
    return client.apply(command(CancelOrder(order_id), actor.get_username()))


def _checked_body(ticket: OrderTicket) -> dict[str, Any]:
    errors = {}
    if not CLIENT_ORDER_ID.match(ticket.client_order_id):
        errors["client_order_id"] = CLIENT_ORDER_ID_RULE
    instrument = Instrument.objects.filter(pk=ticket.instrument).first()
    if instrument is None:
        errors["instrument"] = f"There is no instrument {ticket.instrument}."
    if not Venue.objects.filter(number=ticket.venue, enabled=True).exists():
        errors["venue"] = f"There is no venue {ticket.venue}."
    if not 1 <= ticket.valid_milliseconds <= LONGEST_VALID_MILLISECONDS:
        errors["valid_milliseconds"] = f"It must be from 1 to {LONGEST_VALID_MILLISECONDS}."
    if ticket.quantity < 1 or (instrument and ticket.quantity % instrument.lot_size):
        errors["quantity"] = "The quantity must be a positive number of whole lots."
    elif ticket.quantity > LARGEST_QUANTITY:
        errors["quantity"] = f"The quantity is at most {LARGEST_QUANTITY:,}."
    try:
        price = from_decimal(ticket.price)
        if price <= 0 or (instrument and price % from_decimal(instrument.tick_size)):
            errors["price"] = "The price must be a positive multiple of the tick size."
        elif price > LARGEST_PRICE:
            errors["price"] = f"The price is at most {to_decimal(LARGEST_PRICE):,}."
    except ValueError as error:
        errors["price"] = f"{error}."
    if errors:
        raise Invalid(errors, code="bad_tick" if list(errors) == ["price"] else "")
    return {key: str(value) if key == "price" else value for key, value in asdict(ticket).items()}


def _entered_before(actor: User, ticket: OrderTicket, digest: str) -> Entered:
    entry = OrderEntry.objects.get(client_order_id=ticket.client_order_id)
    if entry.body_hash != digest or entry.team_id != actor.team_id:
        raise Conflict(
            f"The client order id {ticket.client_order_id} belongs to another order.", code="client_order_id_reused"
        )
    if entry.outcome == OrderEntry.Outcome.UNKNOWN:
        entry = _send_entry(entry, ticket.valid_milliseconds)
    return Entered(entry, replayed=True)


def _send_entry(entry: OrderEntry, valid_milliseconds: int) -> OrderEntry:
    body = entry.body
    # The expiry counts from the first entry: a late retry must not make an old order young again.
    expires_ns = int(entry.entered_at.timestamp() * 1000 + valid_milliseconds) * 1_000_000
    made = EnterOrder(
        client_order_id=entry.client_order_id,
        team=entry.team_id,
        instrument=body["instrument"],
        venue=body["venue"],
        side=body["side"],
        quantity=body["quantity"],
        price=from_decimal(Decimal(body["price"])),
        time_in_force=body["time_in_force"],
        expires_ns=expires_ns,
    )
    try:
        status = client.send(command(made, entry.entered_by.get_username(), entry.command_id))
    except EngineNotReached:
        if time.time_ns() > expires_ns:
            entry.outcome, entry.reason = OrderEntry.Outcome.REFUSED, "It expired before the engine was reached."
            entry.save(update_fields=["outcome", "reason"])
        raise
    entry.outcome = OrderEntry.Outcome.SENT if status.applied else OrderEntry.Outcome.REFUSED
    entry.reason = _reason(status)[:300]
    entry.refusal_code = "" if status.applied else str(status.body.get("denial", "order_refused")).lower()
    entry.order_id = status.body.get("order_id")
    entry.journal_sequence = status.journal_sequence
    entry.save(update_fields=["outcome", "reason", "refusal_code", "order_id", "journal_sequence"])
    return entry


def _reason(status: Status) -> str:
    """The engine's sentence; for a denial of the risk gate the one that names what was measured against what."""
    denial = str(status.body.get("denial", ""))
    if status.applied or denial not in DenialReason.__members__:
        return status.reason
    limit, scope = str(status.body.get("limit_name", "")), str(status.body.get("scope", ""))
    return denial_sentence(
        DenialReason[denial],
        LimitName[limit] if limit in LimitName.__members__ else 0,
        Scope[scope] if scope in Scope.__members__ else 0,
        int(status.body.get("measured", 0)),
        int(status.body.get("bound", 0)),
    )
