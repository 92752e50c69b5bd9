"""Order sessions that people run: connected, disconnected, and their sequence numbers set, which takes two people."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record
from desk.blotter.models import Order
from desk.link import client
from desk.markets.models import Venue
from desk.refusals import Conflict, Invalid, NotFound
from desk.risk.agreed import agree, carry_out
from desk.risk.changes import LIFETIME, check_reason, diff_hash_of
from desk.risk.models import ChangeRequest
from engine.messages.codes import Scope
from engine.messages.control import ConnectVenue, DisconnectVenue, ResetSession, ViewSession, command

State, SESSION = ChangeRequest.State, ChangeRequest.Kind.SESSION
SHOWN_MESSAGES, LOOKED_AT = 40, 200
OF_THE_SESSION = 0
LARGEST, LONGEST = 1 << 31, 12
ONLY_RISK = "Only risk managers and administrators run sessions."


def view_session(actor: User, number: int) -> dict[str, Any]:
    """What the engine sees of a venue's order session (`engine.control.session_view`); a viewer gets its state, a
    trader the messages of the session itself and of the own team's orders.

    Raises NotFound, EngineNotReached, EngineRefused, OutcomeUnknown.
    """
    venue = _venue(number)
    seen = client.apply(command(ViewSession(venue.number, LOOKED_AT), actor.get_username())).body
    if policy.may_see_session(actor):
        return seen | {"messages": _visible(actor, seen["messages"])[:SHOWN_MESSAGES]}
    return {name: seen.get(name) for name in ("session", "connected", "why", "protocol")}


def _visible(actor: User, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A message that does not tell its order may be any team's."""
    if policy.sees_every_team(actor):
        return messages
    orders = Order.objects.filter(order_id__in={message["order"] for message in messages})
    own = {OF_THE_SESSION, *policy.visible(orders, actor).values_list("order_id", flat=True)}
    return [message for message in messages if message["order"] in own]


def connect(actor: User, number: int) -> Venue:
    """Have the engine keep the session up again."""
    policy.require(policy.may_run_session(actor), ONLY_RISK)
    venue = _venue(number)
    status = client.apply(command(ConnectVenue(venue.number), actor.get_username()))
    with transaction.atomic():
        record(actor, "session.connected", f"venue {venue.number}", after={"journal": status.journal_sequence})
    return venue


def disconnect(actor: User, number: int, reason: str) -> Venue:
    """Log out and stay away; what rests at the venue stays there."""
    policy.require(policy.may_run_session(actor), ONLY_RISK)
    check_reason(reason)
    venue = _venue(number)
    status = client.apply(command(DisconnectVenue(venue.number, reason), actor.get_username()))
    after = {"journal": status.journal_sequence}
    with transaction.atomic():
        record(actor, "session.disconnected", f"venue {venue.number}", after=after, reason=reason)
    return venue


def propose_reset(actor: User, number: int, next_inbound: str, next_outbound: str, reason: str) -> ChangeRequest:
    """Ask for other sequence numbers; a risk manager approves. Raises Invalid, Conflict, and as `view_session`."""
    policy.require(policy.may_run_session(actor), ONLY_RISK)
    venue = _venue(number)
    after = {
        "next_inbound": _number(next_inbound, "next_inbound"),
        "next_outbound": _number(next_outbound, "next_outbound"),
    }
    check_reason(reason)
    seen = view_session(actor, number)
    if not seen["numbered"]:
        raise Conflict("The numbers of this session are the venue's; there is nothing to reset.", code="not_numbered")
    before = {name: str(seen[name] or "") for name in after}
    with transaction.atomic():
        waiting = ChangeRequest.objects.filter(kind=SESSION, scope_id=venue.number, state=State.PROPOSED)
        if waiting.filter(expires_at__gt=timezone.now()).exists():
            raise Conflict("Other numbers of this session wait for approval already.", code="change_waits")
        change = ChangeRequest.objects.create(
            kind=SESSION,
            scope=Scope.VENUE,
            scope_id=venue.number,
            before=before,
            after=after,
            diff_hash=diff_hash_of(SESSION, Scope.VENUE, venue.number, before, after, reason),
            loosens=True,
            reason=reason,
            proposer=actor,
            expires_at=timezone.now() + LIFETIME,
        )
        record(actor, "session.proposed", f"venue {venue.number}", before=before, after=after, reason=reason)
    return change


def approve_session(actor: User, change_id: int, diff_hash: str) -> ChangeRequest:
    """A second person agrees and the engine sets the numbers of the disconnected session.

    Raises NotPermitted, Conflict, EngineNotReached (still open), EngineRefused (closed), OutcomeUnknown (approve
    again).
    """
    change = agree(actor, change_id, SESSION, diff_hash, lambda one: _approved(actor, one))
    numbers = {name: int(text) for name, text in change.after.items()}
    body = ResetSession(venue=change.scope_id, reason=change.reason, approver=actor.get_username(), **numbers)
    status = carry_out(change, body)
    with transaction.atomic():
        change.state = State.APPLIED
        change.save(update_fields=["state"])
        record(actor, "session.applied", f"venue {change.scope_id}", after={"journal": status.journal_sequence})
    return change


def _approved(actor: User, change: ChangeRequest) -> None:
    record(actor, "session.approved", f"venue {change.scope_id}", after=change.after, reason=change.reason)


def _number(text: str, name: str) -> str:
    text = text.strip().replace(",", "")
    if not text.isascii() or not text.isdecimal() or len(text) > LONGEST or not 0 < int(text) <= LARGEST:
        raise Invalid({name: f"A sequence number is a whole number from 1 to {LARGEST:,}."})
    return str(int(text))


def _venue(number: int) -> Venue:
    venue = Venue.objects.filter(number=number, enabled=True).first()
    if venue is None:
        raise NotFound("There is no such venue.")
    return venue
