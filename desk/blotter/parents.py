"""Parent orders: entered by people, worked by the engine's algorithms, canceled; and how far their children are."""

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    DecimalField,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, Least

from desk.accounts import policy
from desk.accounts.models import User
from desk.blotter.canceling import ask_to_cancel
from desk.blotter.entries import (
    CLIENT_ORDER_ID,
    CLIENT_ORDER_ID_RULE,
    LONGEST_VALID_MILLISECONDS,
    Entered,
    enter_once,
)
from desk.blotter.just_entered import wait_for_row
from desk.blotter.legs import LegTerms, as_body, check_legs
from desk.blotter.models import Fill, Order, OrderEntry, Parent
from desk.blotter.waiting import body_of, care_errors, wait_for_person
from desk.link import client
from desk.markets.models import Instrument, Venue
from desk.refusals import Invalid
from desk.strategies.definitions import check_parameters
from engine.messages.catalogue import AlgorithmKind, Catalogue
from engine.messages.codes import OPEN_STATES, OrderState, Side, TimeInForce
from engine.messages.control import CancelParent, Status
from engine.messages.prices import from_decimal, to_decimal

VALID_MILLISECONDS = 2_000
LARGEST_QUANTITY = 1 << 24
LARGEST_PRICE = 2**37
MOST_VENUES = 4
LONGEST_SECONDS = 7 * 86_400
RELATED = ("strategy", "team", "trader", "instrument")
SUM_OF_ARRAY = "(SELECT COALESCE(SUM(part), 0)::bigint FROM UNNEST(%(expressions)s) AS part)"
MONEY = DecimalField(max_digits=24, decimal_places=4)


@dataclass(frozen=True)
class ParentTicket:
    """A parent order as asked for: `price` None without a limit; it begins at `start_ns` (0: now) and ends at `end_ns`,
    or `seconds` after it began when that is 0. With `care` it waits for a person, who reads the `instruction`.
    Of a multi-leg order its `legs` say the other terms too (`legs.of_the_whole`)."""

    client_order_id: str
    algorithm: str
    instrument: int
    venues: list[int]
    side: Side
    quantity: int
    price: Decimal | None
    parameters: dict[str, Any]
    start_ns: int = 0
    end_ns: int = 0
    seconds: int = 0
    valid_milliseconds: int = VALID_MILLISECONDS
    care: bool = False
    instruction: str = ""
    legs: list[LegTerms] = field(default_factory=list)


def with_progress(rows: QuerySet[Parent]) -> QuerySet[Parent]:
    """With what the children did: `filled_quantity`, net of `unwound_quantity` (shares of a leg that were traded and
    given back), `filled_value`, `fees`, and `progress` in percent."""
    children = Order.objects.filter(parent_id=OuterRef("pk")).order_by().values("parent_id")

    def total(column: str, field: Any) -> Any:
        return Coalesce(Subquery(children.annotate(total=Sum(column)).values("total")), Value(0), output_field=field)

    sides = {side.name: Coalesce(Sum("filled_quantity", filter=Q(side=side)), Value(0)) for side in Side}
    by_leg = children.values("parent_id", "instrument_id").annotate(**sides)
    given_back = ArraySubquery(by_leg.annotate(back=Least(*sides)).values("back"))
    counted = rows.annotate(
        unwound_quantity=Func(given_back, template=SUM_OF_ARRAY, output_field=BigIntegerField()),
        traded_quantity=total("filled_quantity", BigIntegerField()),
        filled_value=total("filled_value", MONEY),
        fees=total("fees", MONEY),
    )
    # What was given back was traded twice: away from the goal and back.
    net = counted.annotate(filled_quantity=F("traded_quantity") - 2 * F("unwound_quantity"))
    return net.annotate(
        progress=ExpressionWrapper(F("filled_quantity") * 100 / F("quantity"), BigIntegerField()),
    )


def average_price(parent: Any) -> Decimal | None:
    """Of what is filled; None while nothing is, and of several instruments."""
    filled = 0 if parent.legs else parent.filled_quantity
    return (parent.filled_value / filled).quantize(Decimal("0.0001")) if filled else None


def visible_parents(user: User) -> QuerySet[Parent]:
    """Parent orders that the person may see, the newest first, with their progress."""
    return with_progress(policy.visible(Parent.objects.select_related(*RELATED), user))


def find_parent(user: User, parent_id: int) -> Parent:
    """One that the person may see, or NotFound. One that was just entered is waited for."""
    parents = with_progress(Parent.objects.select_related(*RELATED))
    return wait_for_row(lambda: policy.find_visible(parents, user, parent_id=parent_id), user, parent_id=parent_id)


def children_of(parent: Parent) -> QuerySet[Order]:
    """Its children, the newest first."""
    return Order.objects.select_related("venue", "instrument", "strategy").filter(parent_id=parent.pk)


def auction_sentence(parent: Parent) -> str:
    """What became of its children at the open and at the close; empty when it has none."""
    rows = children_of(parent).filter(time_in_force__in=(TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE))
    found = [row for row in rows if row.state != OrderState.DENIED]
    if not found:
        return ""
    asked, filled = sum(row.quantity for row in found), sum(row.filled_quantity for row in found)
    if any(OrderState(row.state) in OPEN_STATES for row in found):
        return f"{asked - filled:,} shares wait for the auction."
    missed = "" if filled == asked else f" {asked - filled:,} were not: they came back to the order."
    return f"{filled:,} of {asked:,} shares were filled in the auction.{missed}"


def fills_of(parent: Parent) -> QuerySet[Fill]:
    """The fills of its children, the newest first."""
    numbers = Order.objects.filter(parent_id=parent.pk).values("order_id")
    return Fill.objects.select_related("venue", "instrument", "strategy").filter(order_id__in=numbers)


def venue_names() -> dict[int, str]:
    """Names by number."""
    return dict(Venue.objects.values_list("number", "name"))


def terms_of(parent: Parent) -> list[tuple[str, str, float | str]]:
    """Label, unit and value of each parameter of an order that somebody entered here; empty for any other."""
    entry = OrderEntry.objects.filter(parent_id=parent.pk).first()
    if entry is None:
        return []
    known = client.known_catalogue()
    kinds = known.algorithm_kinds if known else []
    known_ones = {row.name: row for kind in kinds if kind.number == parent.kind for row in kind.parameters}
    found: list[tuple[str, str, float | str]] = []
    for name, value in entry.terms.get("parameters", {}).items():
        row = known_ones.get(name)
        found.append((row.label, *row.told(value)) if row else (name, "", value))
    return found


def enter_parent(actor: User, ticket: ParentTicket) -> Entered:
    """Enter a parent order for the actor's team, once. Raises as `services.enter_order`."""
    policy.require(policy.may_enter_order(actor, actor.team_id), "Only a trader with a team may enter orders.")
    body = checked_parent(ticket)
    return enter_once(actor, ticket.client_order_id, body, wait_for_person(actor, body))


def cancel_parent(actor: User, parent_id: int) -> Status:
    """Ask for no more children and cancel the open ones; the state says when it has ended."""
    return ask_to_cancel(actor, find_parent(actor, parent_id), "parent.cancel_asked", CancelParent(parent_id))


def find_algorithm(announced: Catalogue, name: str) -> AlgorithmKind:
    """The algorithm by name, or Invalid: the running engine does not know it."""
    for kind in announced.algorithm_kinds:
        if kind.name == name and not kind.emulates:
            return kind
    raise Invalid({"algorithm": f"The running engine knows no algorithm {name!r}."})


def algorithm_labels() -> dict[int, str]:
    """What people call each algorithm, by its number; empty while no engine has said."""
    known = client.known_catalogue()
    return {kind.number: kind.label for kind in known.algorithm_kinds} if known else {}


def algorithm_names() -> dict[int, str]:
    """The catalogue's name of each algorithm, by its number; empty while no engine has said."""
    known = client.known_catalogue()
    return {kind.number: kind.name for kind in known.algorithm_kinds} if known else {}


def checked_parent(ticket: ParentTicket) -> dict[str, Any]:
    """The body of the entry, with the hash of the algorithm as it is announced; Invalid names what is wrong."""
    errors: dict[str, str] = {}
    if not CLIENT_ORDER_ID.match(ticket.client_order_id):
        errors["client_order_id"] = CLIENT_ORDER_ID_RULE
    if not ticket.legs:
        instrument = Instrument.objects.filter(pk=ticket.instrument).first()
        if instrument is None:
            errors["instrument"] = f"There is no instrument {ticket.instrument}."
        _check_venues(ticket, errors)
        _check_amounts(ticket, instrument, errors)
    _check_times(ticket, errors)
    errors |= care_errors(ticket.care, ticket.instruction)
    kind, parameters = None, {}
    try:
        kind = find_algorithm(client.catalogue(), ticket.algorithm)
        parameters = check_parameters(kind, ticket.parameters)
        errors |= _check_legs(ticket, kind)
        if kind.needs_price and ticket.price is None:
            errors.setdefault("price", f"{kind.label} needs a limit price.")
    except Invalid as invalid:
        errors = dict(invalid.errors) | errors
    if errors or kind is None:
        off_tick = list(errors) == ["price"] and ticket.price is not None
        raise Invalid(errors, code="bad_tick" if off_tick else "")
    terms = asdict(ticket) | {"kind_hash": kind.hash, "parameters": parameters}
    body = body_of(terms | {"legs": as_body(terms["legs"])})
    return body | {"price": None if ticket.price is None else str(ticket.price)}


def _check_legs(ticket: ParentTicket, kind: AlgorithmKind) -> dict[str, str]:
    if kind.most_legs:
        return check_legs(ticket.legs, kind.most_legs)
    return (
        {"legs": f"{kind.label} works one instrument; a multi-leg order has an algorithm of its own."}
        if ticket.legs
        else {}
    )


def _check_venues(ticket: ParentTicket, errors: dict[str, str]) -> None:
    known = set(Venue.objects.filter(pk__in=ticket.venues, enabled=True).values_list("pk", flat=True))
    if not 1 <= len(ticket.venues) <= MOST_VENUES or len(set(ticket.venues)) != len(ticket.venues):
        errors["venues"] = f"A parent order names 1 to {MOST_VENUES} different venues."
    elif missing := [number for number in ticket.venues if number not in known]:
        errors["venues"] = f"There is no venue {missing[0]}."


def _check_amounts(ticket: ParentTicket, instrument: Instrument | None, errors: dict[str, str]) -> None:
    if ticket.quantity < 1 or (instrument and ticket.quantity % instrument.lot_size):
        errors["quantity"] = "The quantity must be a positive number of whole lots."
    elif ticket.quantity > LARGEST_QUANTITY:
        errors["quantity"] = f"The quantity is at most {LARGEST_QUANTITY:,}."
    if ticket.price is None:
        return
    try:
        price = from_decimal(ticket.price)
        if price <= 0 or (instrument and price % from_decimal(instrument.tick_size)):
            errors["price"] = "The price must be a positive multiple of the tick size, or empty for no limit."
        elif price > LARGEST_PRICE:
            errors["price"] = f"The price is at most {to_decimal(LARGEST_PRICE):,}."
    except ValueError as error:
        errors["price"] = f"{error}."


def _check_times(ticket: ParentTicket, errors: dict[str, str]) -> None:
    if not 1 <= ticket.valid_milliseconds <= LONGEST_VALID_MILLISECONDS:
        errors["valid_milliseconds"] = f"It must be from 1 to {LONGEST_VALID_MILLISECONDS}."
    if min(ticket.start_ns, ticket.end_ns, ticket.seconds) < 0 or (ticket.end_ns == 0) == (ticket.seconds == 0):
        errors["seconds"] = "Say either when it ends or how long it lasts."
    elif ticket.seconds > LONGEST_SECONDS:
        errors["seconds"] = "A parent order lasts at most seven days."
    elif ticket.end_ns and ticket.end_ns <= ticket.start_ns:
        errors["end"] = "It must end after it begins."
