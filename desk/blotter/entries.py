"""Orders and parent orders entered once, whatever the network and the double click do.

An entry is a row under the client's id before anything is sent. The same ticket again gives the first entry; one whose
outcome is unknown is asked about again with the id of its first command, which the engine applies once.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from desk.accounts.models import User
from desk.audit.services import record, team_chain
from desk.blotter.legs import as_command
from desk.blotter.models import OrderEntry
from desk.blotter.sentences import denial_sentence
from desk.link import client
from desk.refusals import Conflict, EngineNotReached, Invalid
from engine.messages.codes import DenialReason, LimitName, Scope
from engine.messages.control import EnterOrder, EnterParent, Status, command
from engine.messages.prices import from_decimal

CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9._-]{1,36}\Z")
CLIENT_ORDER_ID_RULE = "A client order id has 1 to 36 letters, digits, dots, underscores or hyphens."
LONGEST_VALID_MILLISECONDS = 60_000
ALGORITHM = "algorithm"  # a body that has it is of a parent order


@dataclass(frozen=True)
class Entered:
    """The entry of an order; `replayed` when this ticket had been entered before and nothing was sent now."""

    entry: OrderEntry
    replayed: bool


def check_client_order_id(text: str) -> None:
    """Invalid unless it is one."""
    if not CLIENT_ORDER_ID.match(text):
        raise Invalid({"client_order_id": CLIENT_ORDER_ID_RULE})


def enter_once(actor: User, client_order_id: str, body: dict[str, Any], look: Callable[[OrderEntry], None]) -> Entered:
    """Enter a checked ticket for the actor's team. `look` is called in the transaction that makes the entry and may
    make it wait for a person instead of being sent. Raises Conflict (client_order_id_reused), EngineNotReached (the id
    is free again), OutcomeUnknown; what the engine refused is an entry whose outcome says so."""
    asked = {name: value for name, value in body.items() if name != "kind_hash"}  # that is the engine's, not asked for
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    parent = ALGORITHM in body
    assert actor.team_id is not None
    try:
        with transaction.atomic():
            entry = OrderEntry.objects.create(
                client_order_id=client_order_id,
                body=body,
                body_hash=digest,
                command_id=uuid4().hex,
                team_id=actor.team_id,
                entered_by=actor,
            )
            subject = f"{'parent order' if parent else 'order'} {client_order_id}"
            action = "parent.entered" if parent else "order.entered"
            record(actor, action, subject, after=body, chain=team_chain(entry.team_id))
            look(entry)
    except IntegrityError:
        return _entered_before(actor, client_order_id, digest)
    waits = entry.outcome == OrderEntry.Outcome.WAITING
    return Entered(entry if waits else _send(entry), replayed=False)


def refusal_sentence(status: Status) -> str:
    """The engine's sentence; for a denial of the risk gate the one that names what was measured against what."""
    denial = str(status.body.get("denial", ""))
    if status.applied or denial not in DenialReason.__members__:
        return status.reason
    return measured_sentence(status.body)


def measured_sentence(denial: dict[str, Any]) -> str:
    """A denial of the risk gate, told by its names and numbers, as a sentence."""
    limit, scope = str(denial.get("limit_name", "")), str(denial.get("scope", ""))
    return denial_sentence(
        DenialReason[denial["denial"]],
        LimitName[limit] if limit in LimitName.__members__ else 0,
        Scope[scope] if scope in Scope.__members__ else 0,
        int(denial.get("measured", 0)),
        int(denial.get("bound", 0)),
    )


def _entered_before(actor: User, client_order_id: str, digest: str) -> Entered:
    entry = OrderEntry.objects.get(client_order_id=client_order_id)
    if entry.body_hash != digest or entry.team_id != actor.team_id:
        raise Conflict(
            f"The client order id {client_order_id} belongs to another order.", code="client_order_id_reused"
        )
    # What a person released is asked about again in the queue, by its change.
    if entry.outcome == OrderEntry.Outcome.UNKNOWN and entry.change_id is None:
        entry = _send(entry)
    return Entered(entry, replayed=True)


def _send(entry: OrderEntry) -> OrderEntry:
    try:
        status = client.send(command(command_of(entry), entry.entered_by.get_username(), entry.command_id))
    except EngineNotReached:
        if time.time_ns() > _expires_ns(entry):
            entry.outcome, entry.reason = OrderEntry.Outcome.REFUSED, "It expired before the engine was reached."
            entry.save(update_fields=["outcome", "reason"])
        raise
    return keep_answer(entry, status)


def keep_answer(entry: OrderEntry, status: Status) -> OrderEntry:
    """What the engine said to it."""
    entry.outcome = OrderEntry.Outcome.SENT if status.applied else OrderEntry.Outcome.REFUSED
    entry.reason = refusal_sentence(status)[:300]
    entry.refusal_code = "" if status.applied else str(status.body.get("denial", "order_refused")).lower()
    entry.order_id = status.body.get("order_id")
    entry.parent_id = status.body.get("parent_id")
    entry.journal_sequence = status.journal_sequence
    entry.save(update_fields=["outcome", "reason", "refusal_code", "order_id", "parent_id", "journal_sequence"])
    return entry


def command_of(entry: OrderEntry) -> EnterOrder | EnterParent:
    """The body of its command, the same however often it is made."""
    return _parent_of(entry) if ALGORITHM in entry.terms else _order_of(entry)


def _begun_ms(entry: OrderEntry) -> float:
    return (entry.released_at or entry.entered_at).timestamp() * 1000


def _expires_ns(entry: OrderEntry) -> int:
    """It counts from the first entry, or the release: a late retry must not make an old order young again."""
    return int(_begun_ms(entry) + entry.terms["valid_milliseconds"]) * 1_000_000


def _order_of(entry: OrderEntry) -> EnterOrder:
    body = entry.terms
    return EnterOrder(
        client_order_id=entry.client_order_id,
        team=entry.team_id,
        instrument=body["instrument"],
        venue=body["venue"],
        side=body["side"],
        quantity=body["quantity"],
        price=from_decimal(Decimal(body["price"])) if body["price"] else 0,
        time_in_force=body["time_in_force"],
        expires_ns=_expires_ns(entry),
        protection=body.get("protection", 0),
        good_till_ns=body.get("good_till_ns", 0),
        trader=entry.entered_by_id,
    )


def _parent_of(entry: OrderEntry) -> EnterParent:
    """Times that the ticket left to "now" count from its first entry, so that a retry is the same order."""
    body = entry.terms
    begun_ns = int(_begun_ms(entry)) * 1_000_000
    start_ns = body["start_ns"] or begun_ns
    return EnterParent(
        client_order_id=entry.client_order_id,
        strategy=0,
        team=entry.team_id,
        trader=entry.entered_by_id,
        algorithm=body[ALGORITHM],
        kind_hash=body["kind_hash"],
        instrument=body["instrument"],
        venues=body["venues"],
        side=body["side"],
        quantity=body["quantity"],
        price=from_decimal(Decimal(body["price"])) if body["price"] else 0,
        start_ns=start_ns,
        end_ns=body["end_ns"] or start_ns + body["seconds"] * 1_000_000_000,
        parameters=body["parameters"],
        legs=as_command(body.get("legs", [])),
        expires_ns=_expires_ns(entry),
    )
