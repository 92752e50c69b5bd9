"""Orders that wait for a second person, and the teams' rules that say which."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from desk.api.authentication import caller, caller_in_person
from desk.api.models import ApiScope
from desk.api.routes.limits import change_shape
from desk.api.routes.orders import entry_shape, order_ticket
from desk.api.routes.parents import parent_ticket
from desk.api.shapes import ChangeOut, Id, RejectionIn, ReleaseIn, RuleIn, RuleOut, WaitingOut
from desk.blotter import waiting
from desk.blotter.models import OrderEntry
from desk.blotter.parents import checked_parent
from desk.blotter.services import checked_order
from desk.refusals import Invalid
from desk.risk import review
from desk.risk.changes import reject_change

SHOWN = 100
router = Router(tags=["queue"])
rules = Router(tags=["queue"])


def waiting_shape(entry: OrderEntry) -> dict[str, Any]:
    assert entry.change is not None
    return entry_shape(entry) | {
        "team": entry.team.name,
        "entered_by": entry.entered_by.get_username(),
        "asked": entry.body,
        "released": entry.released_body,
        "change": change_shape(entry.change),
    }


@router.get("", response=list[WaitingOut])
def list_queue(request: HttpRequest) -> Any:
    """Orders that wait, the oldest first, then what became of the latest."""
    user = caller(request, ApiScope.READ)
    ended = waiting.queue_entries(user).exclude(change__state__in=waiting.WAITING)[:SHOWN]
    return [waiting_shape(entry) for entry in [*waiting.waiting_entries(user), *ended]]


@router.get("/{change_id}", response=WaitingOut)
def get_waiting(request: HttpRequest, change_id: Id) -> Any:
    return waiting_shape(waiting.find_waiting(caller(request, ApiScope.READ), change_id))


@router.post("/{change_id}/release", response=WaitingOut)
def release(request: HttpRequest, change_id: Id, body: ReleaseIn) -> Any:
    """A second person, signed in, lets it go: no key may. With `order` or `parent` those terms hold instead; they keep
    instrument, side, quantity and `client_order_id`, and price, venues and time within what was asked."""
    user = caller_in_person(request)
    if body.order and body.parent:
        raise Invalid({"order": "Say an order or a parent order, not both."})
    waiting.find_waiting(user, change_id)
    terms = None
    if body.order:
        terms = checked_order(order_ticket(body.order))
    elif body.parent:
        terms = checked_parent(parent_ticket(body.parent))
    waiting.release(user, change_id, body.diff_hash, terms)
    return waiting_shape(waiting.find_waiting(user, change_id))


@router.post("/{change_id}/return", response=WaitingOut)
def give_back(request: HttpRequest, change_id: Id, body: RejectionIn) -> Any:
    """Return it with a reason; who entered it takes it back."""
    user = caller(request, ApiScope.CANCEL)
    waiting.find_waiting(user, change_id)
    reject_change(user, change_id, body.note)
    return waiting_shape(waiting.find_waiting(user, change_id))


@router.post("/{change_id}/ask", response=WaitingOut)
def ask_again(request: HttpRequest, change_id: Id) -> Any:
    """What became of a release whose answer was lost: the same command again, which the engine applies once."""
    user = caller_in_person(request)
    waiting.ask_again(user, change_id)
    return waiting_shape(waiting.find_waiting(user, change_id))


@rules.get("", response=list[RuleOut])
def list_rules(request: HttpRequest) -> Any:
    """Which orders wait, team by team."""
    seen = review.visible_rules(caller(request, ApiScope.READ))
    return [{"team": team.name, "team_id": str(team.pk), **rule} for team, rule in seen]


@rules.post("", response={201: ChangeOut})
def propose_rule(request: HttpRequest, body: RuleIn) -> Any:
    """Propose another rule. What is stricter holds at once; what is looser waits for a second person, under
    `/limits/changes`."""
    user = caller(request, ApiScope.LIMITS_PROPOSE)
    bounds = {str(name): bound for name, bound in body.bounds.items()}
    return Status(201, change_shape(review.propose_rule(user, body.team_id, bounds, body.reason)))
