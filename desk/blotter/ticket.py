"""The manual ticket as a form: a limit or market order, or a parent order, whose part of it is made from the
catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import QuerySet

from desk.blotter.emulated import read_good_till
from desk.blotter.legs import leg_fields, of_the_whole, read_legs
from desk.blotter.market_orders import LIMIT, MARKET, default_protection, read_protection
from desk.blotter.parents import MOST_VENUES, ParentTicket, find_algorithm
from desk.blotter.services import OrderTicket
from desk.fields import Field, filled, other_errors
from desk.markets.models import Instrument, Venue
from desk.refusals import Invalid
from desk.strategies.forms import parameter_field
from engine.messages.catalogue import AlgorithmKind, Catalogue
from engine.messages.codes import Side, TimeInForce
from engine.messages.control import SMART

PLAIN = (LIMIT, MARKET)  # no algorithm
METHODS = ((LIMIT, "Limit order"), (MARKET, "Market order"))
EVERYWHERE = "all"
SIDES = (("buy", "Buy"), ("sell", "Sell"))
MOST_DIGITS = 12
CARE = "care"
RESTING = (TimeInForce.POST_ONLY, TimeInForce.GTC, TimeInForce.GTD)  # what no market order does
GOOD_TILL_FIELD = Field(
    "good_till",
    "Good till",
    unit="YYYY-MM-DD HH:MM, UTC",
    required=False,
    help="Only with GTD. GTC and GTD stay over the venue's day; where it has day orders only, the desk keeps them.",
)
HANDLING = [
    Field(
        "handling", "Sent", "select", choices=(("now", "At once"), (CARE, "Care: it waits for a person")), value="now"
    ),
    Field(
        "instruction",
        "Instruction",
        "textarea",
        required=False,
        wide=True,
        help="For a care order: what the person who lets it go should know.",
    ),
]


@dataclass(frozen=True)
class TicketForm:
    """What the form shows. `algorithm` is None for a limit or market order; `errors` are sentences about the whole."""

    methods: list[tuple[str, str]]
    method: str
    algorithm: AlgorithmKind | None
    client_order_id: str
    terms: list[Field]
    times: list[Field]
    parameters: list[Field]
    handling: list[Field]
    errors: list[str]


def make_ticket(
    announced: Catalogue, typed: Mapping[str, str], errors: Mapping[str, str] | None = None, *, release: bool = False
) -> TicketForm:
    """The form with what was typed; with `release` that of who lets a waiting order go, who hands it to nobody else.
    Invalid for a method that the running engine does not know."""
    errors = dict(errors or {})
    method = typed.get("method") or LIMIT
    algorithm = None if method in PLAIN else find_algorithm(announced, method)
    listed = tuple((str(pk), name) for pk, name in Instrument.objects.order_by("name").values_list("pk", "name"))
    kept = [
        Field("instrument", "Instrument", "select", choices=listed, blank="Choose"),
        Field("side", "Side", "select", choices=SIDES, blank="Choose"),
        Field("quantity", "Quantity", unit="shares", inputmode="numeric"),
    ]
    price = _protection_field() if method == MARKET else _price_field(algorithm)
    terms = [*([] if release else kept), price, _venue_field(algorithm)]
    if algorithm is not None and algorithm.most_legs:
        venues = tuple((str(venue.pk), venue.name) for venue in enabled_venues())
        terms = leg_fields(algorithm.most_legs, listed, venues)
    times = _time_fields(algorithm, method)
    parameters = [parameter_field(parameter) for parameter in algorithm.parameters] if algorithm else []
    handling = [] if release else HANDLING
    shown = [*terms, *times, *parameters, *handling]
    return TicketForm(
        methods=[*METHODS, *((kind.name, kind.label) for kind in announced.algorithm_kinds if not kind.emulates)],
        method=method,
        algorithm=algorithm,
        client_order_id=typed.get("client_order_id", ""),
        terms=filled(terms, typed, errors),
        times=filled(times, typed, errors),
        parameters=filled(parameters, typed, errors),
        handling=filled(handling, typed, errors),
        errors=other_errors(shown, errors),
    )


def enabled_venues() -> QuerySet[Venue]:
    """Where an order may go."""
    return Venue.objects.filter(enabled=True)


def _price_field(algorithm: AlgorithmKind | None) -> Field:
    if algorithm is None:
        return Field("price", "Limit price", unit="USD", inputmode="decimal")
    needed = algorithm.needs_price
    told = "It waits for this price." if needed else "Never passed. Empty: no limit."
    return Field("price", "Limit price", unit="USD", inputmode="decimal", required=needed, help=told)


def _protection_field() -> Field:
    told = f"How far beyond the touch it may trade; it leaves as that limit. Empty: {default_protection():,}."
    return Field("protection", "Protection", unit="basis points", inputmode="numeric", required=False, help=told)


def _venue_field(algorithm: AlgorithmKind | None) -> Field:
    venues = tuple((str(venue.pk), venue.name) for venue in enabled_venues())
    if algorithm is None:
        smart = ((str(SMART), "Smart: over all venues"),) if len(venues) > 1 else ()
        return Field("venue", "Venue", "select", choices=(*venues, *smart), value=venues[0][0] if venues else "")
    several = len(venues) > 1
    choices = ((EVERYWHERE, "Best of all venues"), *venues) if several else venues
    help_text = f"Each child goes where the price is best, among the first {MOST_VENUES}." if several else ""
    return Field("venues", "Venues", "select", choices=choices, value=choices[0][0] if choices else "", help=help_text)


def _time_fields(algorithm: AlgorithmKind | None, method: str) -> list[Field]:
    if algorithm is None:
        market = method == MARKET
        members = [member for member in TimeInForce if not (market and member in RESTING)]
        words = tuple((member.name.lower(), member.name.replace("_", " ")) for member in members)
        in_force = Field("time_in_force", "Time in force", "select", choices=words, value="ioc" if market else "day")
        return [in_force] if market else [in_force, GOOD_TILL_FIELD]
    clock = "HH:MM or HH:MM:SS, UTC"
    return [
        Field("begins", "Begins", unit=clock, required=False, help="Empty: now."),
        Field("minutes", "Lasts", value="30", unit="minutes", inputmode="decimal", required=False),
        Field("ends", "Ends", unit=clock, required=False, help="In place of how long it lasts."),
    ]


def read_ticket(announced: Catalogue, typed: Mapping[str, str], now: datetime) -> OrderTicket | ParentTicket:
    """The ticket from what was typed; Invalid names each field that cannot be read. `now` in UTC."""
    errors: dict[str, str] = {}
    method = typed.get("method") or LIMIT
    algorithm = None if method in PLAIN else find_algorithm(announced, method)
    if algorithm is not None and algorithm.most_legs:
        return _read_several(algorithm, typed, now)
    instrument = typed.get("instrument", "")
    if not _is_number(instrument):
        errors["instrument"] = "Choose the instrument."
    side = typed.get("side", "")
    if side not in dict(SIDES):
        errors["side"] = "Choose the side."
    quantity = typed.get("quantity", "").replace(",", "").strip()
    if not _is_number(quantity):
        errors["quantity"] = "The quantity is a whole number of shares."
    market = method == MARKET
    price = None if market else _price(typed.get("price", ""), algorithm, errors)
    protection = read_protection(typed.get("protection", ""), errors) if market else None
    venues = _venues(typed, algorithm is not None, errors)
    times: dict[str, Any] = _times(typed, now, errors) if algorithm else {}
    in_force = typed.get("time_in_force", "").upper()
    if algorithm is None and in_force not in TimeInForce.__members__:
        errors["time_in_force"] = "Choose the time in force."
    good_till_ns = read_good_till("" if algorithm else typed.get("good_till", ""), in_force, errors)
    if errors:
        raise Invalid(errors)
    common: dict[str, Any] = {
        "client_order_id": typed.get("client_order_id", ""),
        "instrument": int(instrument),
        "side": Side[side.upper()],
        "quantity": int(quantity),
        **_handling(typed),
    }
    if algorithm is None:
        plain: dict[str, Any] = {"venue": venues[0], "price": price, "time_in_force": TimeInForce[in_force]}
        return OrderTicket(**common, **plain, protection=protection, good_till_ns=good_till_ns)
    parameters = {parameter.name: typed.get(parameter.name, "") for parameter in algorithm.parameters}
    return ParentTicket(**common, **times, venues=venues, price=price, algorithm=algorithm.name, parameters=parameters)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def _handling(typed: Mapping[str, str]) -> dict[str, Any]:
    return {"care": typed.get("handling") == CARE, "instruction": typed.get("instruction", "").strip()}


def _read_several(algorithm: AlgorithmKind, typed: Mapping[str, str], now: datetime) -> ParentTicket:
    """A multi-leg ticket from what was typed."""
    errors: dict[str, str] = {}
    times = _times(typed, now, errors)
    try:
        legs = read_legs(typed, algorithm.most_legs)
    except Invalid as invalid:
        raise Invalid(dict(invalid.errors) | errors) from None
    if errors:
        raise Invalid(errors)
    parameters = {parameter.name: typed.get(parameter.name, "") for parameter in algorithm.parameters}
    return ParentTicket(
        client_order_id=typed.get("client_order_id", ""),
        algorithm=algorithm.name,
        parameters=parameters,
        **of_the_whole(legs),
        **times,  # type: ignore[arg-type]
        **_handling(typed),
    )


def _price(text: str, algorithm: AlgorithmKind | None, errors: dict[str, str]) -> Decimal | None:
    text = text.replace(",", "").strip()
    if not text and algorithm is not None and not algorithm.needs_price:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        errors["price"] = "The limit price is a number." if text else "The limit price is missing."
        return None
    if not price.is_finite():
        errors["price"] = "The limit price is a number."
    return price


def _venues(typed: Mapping[str, str], several: bool, errors: dict[str, str]) -> list[int]:
    name = "venues" if several else "venue"
    text = typed.get(name, "")
    if several and text == EVERYWHERE:
        return list(enabled_venues().values_list("pk", flat=True)[:MOST_VENUES])
    if not _is_number(text):
        errors[name] = "Choose a venue."
        return []
    return [int(text)]


def _times(typed: Mapping[str, str], now: datetime, errors: dict[str, str]) -> dict[str, int]:
    """`start_ns`, `end_ns` and `seconds` of a parent order; a time of day that has passed is tomorrow's."""
    begins = _moment(typed.get("begins", ""), "begins", now, errors)
    ends = _moment(typed.get("ends", ""), "ends", begins or now, errors)
    found = {"start_ns": _nanoseconds(begins), "end_ns": _nanoseconds(ends), "seconds": 0}
    if ends is not None:
        return found
    try:
        minutes = Decimal(typed.get("minutes", "").strip())
        if not 0 < minutes <= 7 * 24 * 60:
            raise InvalidOperation
        found["seconds"] = max(round(minutes * 60), 1)
    except InvalidOperation:
        errors.setdefault("minutes", "Say how many minutes it lasts, at most seven days of them, or when it ends.")
    return found


def _moment(text: str, name: str, after: datetime, errors: dict[str, str]) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    for form in ("%H:%M", "%H:%M:%S"):
        try:
            clock = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        moment = after.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
        return moment if moment > after else moment + timedelta(days=1)
    errors[name] = "A time of day is written as 14:30 or 14:30:00, in UTC."
    return None


def _nanoseconds(moment: datetime | None) -> int:
    return 0 if moment is None else round(moment.timestamp()) * 1_000_000_000
