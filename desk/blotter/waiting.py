"""Orders that wait for a person: care orders, and those over what the team's rule lets one person enter alone.

Each is an entry with a change (`desk.risk.models.ChangeRequest`) whose `after` is the order. A second person lets it go
as it stands, or with other terms within what was asked, or returns it; nobody else than that person's step sends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record
from desk.blotter.emulated import GOOD_TILL
from desk.blotter.entries import ALGORITHM, command_of, keep_answer, refusal_sentence
from desk.blotter.models import OrderEntry
from desk.blotter.second_person import decider
from desk.link import client
from desk.refusals import Conflict, EngineNotReached, EngineRefused, Invalid, NotFound
from desk.risk.agreed import agree, carry_out, identity_of
from desk.risk.changes import LIFETIME, LONGEST_REASON, chain_of, diff_hash_of, expire_changes
from desk.risk.models import ChangeRequest
from engine.messages.codes import Scope, Side, TimeInForce
from engine.messages.control import SMART, Command, Status, command
from engine.messages.prices import FOREVER_NS

CARE_LIFETIME = timedelta(hours=8)
NS_PER_SECOND = 1_000_000_000
DAY_NS = 86_400 * NS_PER_SECOND
NO_INSTRUCTION = "Care: a person decides when and how."
ORDER, State, Outcome = ChangeRequest.Kind.ORDER, ChangeRequest.State, OrderEntry.Outcome
KEPT = ("instrument", "side", "quantity")
WAITING = (State.PROPOSED, State.APPROVED)


def body_of(terms: dict[str, Any]) -> dict[str, Any]:
    """A ticket's terms as an entry keeps them: what concerns a person, or legs, only where it is asked for."""
    unsaid = set() if terms["care"] else {"care", "instruction"}
    if terms.get("protection") is None:
        unsaid.add("protection")
    unsaid |= {name for name in ("legs", "good_till_ns") if not terms.get(name)}
    return {name: value for name, value in terms.items() if name not in unsaid}


def care_errors(care: bool, instruction: str) -> dict[str, str]:
    """What is wrong with what a ticket says to a person."""
    if instruction and not care:
        return {
            "instruction": "An instruction is for the person who works a care order; choose care, or leave it empty."
        }
    if len(instruction) > LONGEST_REASON or not all(sign.isprintable() or sign in "\r\n\t" for sign in instruction):
        return {"instruction": f"An instruction has at most {LONGEST_REASON} printable characters."}
    return {}


def wait_for_person(actor: User, body: dict[str, Any]) -> Callable[[OrderEntry], None]:
    """What makes a new entry of this body wait if it has to, in the transaction that makes it. Raises as `decider`."""
    if body.get("care"):
        return lambda entry: _wait(entry, "care", body["instruction"].strip() or NO_INSTRUCTION, CARE_LIFETIME)
    if OrderEntry.objects.filter(client_order_id=body["client_order_id"]).exists():
        return lambda _entry: None
    decide = decider(actor, body)

    def look(entry: OrderEntry) -> None:
        why = decide(entry)
        if why:
            _wait(entry, "rule", why, LIFETIME)

    return look


def _wait(entry: OrderEntry, cause: str, why: str, lifetime: timedelta) -> None:
    expires_at = timezone.now() + lifetime
    if end_ns := entry.body.get("end_ns") or entry.body.get("good_till_ns"):
        expires_at = min(expires_at, datetime.fromtimestamp(end_ns / 1e9, UTC))
    before = {"waits": cause}
    change = ChangeRequest.objects.create(
        kind=ORDER,
        scope=Scope.TEAM,
        scope_id=entry.team_id,
        before=before,
        after=entry.body,
        diff_hash=diff_hash_of(ORDER, Scope.TEAM, entry.team_id, before, entry.body, why),
        loosens=True,
        reason=why,
        proposer=entry.entered_by,
        expires_at=expires_at,
    )
    entry.outcome, entry.change, entry.command_id = Outcome.WAITING, change, identity_of(change)
    entry.save(update_fields=["outcome", "change", "command_id"])
    _tell(entry.entered_by, "order.waiting", entry, reason=why)


def waiting_entries(user: User) -> QuerySet[OrderEntry]:
    """Orders that wait, or whose release nobody has heard the end of, that the person may see; the oldest first."""
    expire_changes()
    return queue_entries(user).filter(change__state__in=WAITING).order_by("entered_at")


def queue_entries(user: User) -> QuerySet[OrderEntry]:
    """Every order that waited or waits and that the person may see, the newest first."""
    rows = OrderEntry.objects.exclude(change=None).select_related(
        "team", "entered_by", "change", "change__approver", "change__proposer"
    )
    return policy.visible(rows, user)


def find_waiting(user: User, change_id: int) -> OrderEntry:
    """One of them by the number of its change, or NotFound."""
    expire_changes()
    return policy.find_visible(queue_entries(user), user, change_id=change_id)


def release(actor: User, change_id: int, diff_hash: str, terms: dict[str, Any] | None = None) -> ChangeRequest:
    """A second person lets it go: what was shown (`diff_hash`), or in its place checked `terms` within it.

    Raises NotFound, NotPermitted, Invalid (terms beyond what was asked), Conflict, EngineNotReached (it waits again),
    EngineRefused (it is over), OutcomeUnknown (`ask_again` tells).
    """
    released = "It was released already; ask again what became of it."
    # Before anything looks at the time: one whose answer was lost never expires, somebody has to hear of its end.
    if find_waiting(actor, change_id).outcome == Outcome.UNKNOWN:
        raise Conflict(released, code="change_approved")

    def note(change: ChangeRequest) -> None:
        entry = OrderEntry.objects.select_for_update().get(change=change)
        if entry.outcome != Outcome.WAITING:
            raise Conflict(released, code="change_approved")
        if not policy.may_enter_order(change.proposer, entry.team_id):
            raise Conflict(f"{change.proposer} may not enter orders for {entry.team} any more.", code="proposer_gone")
        if terms is not None:
            check_within(entry.body, terms)
            entry.released_body = terms
        entry.released_at, entry.outcome = timezone.now(), Outcome.UNKNOWN
        entry.save(update_fields=["released_body", "released_at", "outcome"])
        _tell(actor, "order.released", entry, reason=change.reason)

    change = agree(actor, change_id, ORDER, diff_hash, note)
    entry = OrderEntry.objects.get(change=change)
    try:
        carry_out(change, command_of(entry), lambda made: _apply(entry, made))
    except EngineNotReached:
        entry.outcome, entry.released_at, entry.released_body = Outcome.WAITING, None, None
        entry.save(update_fields=["outcome", "released_at", "released_body"])
        raise
    return _finish(actor, change, entry)


def release_as_asked(actor: User, change_id: int, diff_hash: str) -> ChangeRequest:
    """`release` without other terms, as every kind of change is approved."""
    return release(actor, change_id, diff_hash)


def ask_again(actor: User, change_id: int) -> ChangeRequest:
    """What became of a release whose answer was lost: the same command once more, which the engine applies once.

    Raises NotFound, NotPermitted, Conflict (nothing is open), EngineNotReached, EngineRefused, OutcomeUnknown.
    """
    entry = find_waiting(actor, change_id)
    change = entry.change
    assert change is not None
    policy.require(policy.may_reject(actor, change), "Only who asked, or who may release it, asks again.")
    if change.state != State.APPROVED:
        raise Conflict(f"This order is {change.get_state_display()}.", code=f"change_{change.state}")
    try:
        _apply(entry, command(command_of(entry), entry.entered_by.get_username(), entry.command_id))
    except EngineRefused as refusal:
        change.state, change.note = State.REJECTED, refusal.sentence[:300]
        change.save(update_fields=["state", "note"])
        raise
    return _finish(actor, change, entry)


def _apply(entry: OrderEntry, made: Command) -> Status:
    status = client.send(made)
    keep_answer(entry, status)
    if not status.applied:
        raise EngineRefused(refusal_sentence(status) or "The engine refused.", code=entry.refusal_code)
    return status


def _finish(actor: User, change: ChangeRequest, entry: OrderEntry) -> ChangeRequest:
    with transaction.atomic():
        change.state = State.APPLIED
        change.save(update_fields=["state"])
        _tell(actor, "order.applied", entry)
    return change


def _tell(actor: User, action: str, entry: OrderEntry, reason: str = "") -> None:
    """An entry of the audit trail with what was asked and what goes, or went, out."""
    assert entry.change is not None
    subject = f"{'parent order' if ALGORITHM in entry.body else 'order'} {entry.client_order_id}"
    after = entry.terms | {"journal": entry.journal_sequence}
    record(actor, action, subject, before=entry.body, after=after, reason=reason, chain=chain_of(entry.change))


def check_within(asked: dict[str, Any], terms: dict[str, Any]) -> None:
    """Invalid unless `terms` keep to what was asked: the same shares, no worse price, no other venue, no later end."""
    if asked.get("legs"):
        raise Invalid({"legs": "A multi-leg order is released as it was asked for, or returned."})
    errors = {name: f"The {name} stays as it was asked for." for name in KEPT if asked[name] != terms[name]}
    if terms["client_order_id"] != asked["client_order_id"]:
        raise NotFound("There is no such order.")
    if asked.get("protection") and not 1 <= (terms.get("protection") or 0) <= asked["protection"]:
        errors["protection"] = f"It stays a market order, protected by at most {asked['protection']} basis points."
    if asked["price"]:
        limit, price = Decimal(asked["price"]), Decimal(terms["price"] or 0)
        if not price or (price > limit if asked["side"] == Side.BUY else price < limit):
            errors["price"] = f"The price may not be worse than {limit:f}, which was asked for."
    allowed, wanted = _venues(asked), _venues(terms)
    if allowed != {SMART} and not wanted <= allowed:
        errors["venues"] = "It was not asked for at that venue."
    now_ns = time.time_ns()
    (begin_ns, end_ns), (first_ns, last_ns) = _span(asked, now_ns), _span(terms, now_ns)
    if first_ns < begin_ns or last_ns > end_ns:
        errors["seconds"] = "It may not begin earlier or last longer than was asked for."
    if errors:
        raise Invalid(errors)


def _span(body: dict[str, Any], now_ns: int) -> tuple[int, int]:
    """When it would begin and end, released now; a plain order that is not immediate lasts a day at most, or as long as
    it is good for."""
    if ALGORITHM not in body:
        if body["time_in_force"] in GOOD_TILL:
            return now_ns, body.get("good_till_ns") or FOREVER_NS
        immediate = body["time_in_force"] in (TimeInForce.IOC, TimeInForce.FOK)
        return now_ns, now_ns + (0 if immediate else DAY_NS)
    begin_ns = max(body["start_ns"], now_ns)
    return begin_ns, body["end_ns"] or begin_ns + body["seconds"] * NS_PER_SECOND


def _venues(body: dict[str, Any]) -> set[int]:
    return set(body.get("venues") or [body["venue"]])
