"""Venues and instruments."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from desk.accounts import policy
from desk.api.authentication import caller
from desk.api.lookups import instrument_id, venue_number
from desk.api.market_shapes import TopOut
from desk.api.models import ApiScope
from desk.api.shapes import InstrumentOut, VenueIn, VenueOut, money
from desk.link.state import newest_state
from desk.markets import services
from desk.markets.models import LAST_VENUE, Instrument, Venue
from desk.refusals import NotFound
from engine.messages.prices import to_decimal
from engine.messages.secrets import without_secrets

router = Router(tags=["markets"])
PRICES = frozenset({"bid", "ask", "collar_lower", "collar_upper", "last_price", "near_price"})
VenueNumber = Annotated[int, Field(ge=1, le=LAST_VENUE)]


def shape(venue: Venue) -> dict[str, Any]:
    settings = without_secrets(venue.settings)
    return {
        "number": venue.number,
        "name": venue.name,
        "protocol": venue.protocol,
        "settings": settings,
        "enabled": venue.enabled,
        "version": venue.version,
        "answer": venue.answer,
        "engine_answer": venue.engine_answer,
    }


@router.get("/instruments", response=list[InstrumentOut])
def list_instruments(request: HttpRequest) -> Any:
    caller(request, ApiScope.READ)
    return [
        {
            "id": str(row.pk),
            "name": row.name,
            "tick_size": money(row.tick_size),
            "lot_size": row.lot_size,
            "currency": row.currency,
        }
        for row in Instrument.objects.all()
    ]


@router.get("/tops", response=list[TopOut])
def list_tops(request: HttpRequest, instrument: str | None = None, venue: str | None = None) -> Any:
    """The market as the engine sees it now, a row for each instrument and venue: best prices, status, collars."""
    caller(request, ApiScope.READ)
    instruments = dict(Instrument.objects.values_list("pk", "name"))
    venues = dict(Venue.objects.values_list("pk", "name"))
    wanted = None if instrument is None else instrument_id(instrument)
    where = None if venue is None else venue_number(venue)
    state = newest_state()
    hours = {row["venue"]: row["market"] for row in state["venues"]}
    return [
        {name: _shown(name, value) for name, value in row.items()}
        | {
            "instrument": instruments.get(row["instrument"], str(row["instrument"])),
            "venue": venues.get(row["venue"], str(row["venue"])),
            "market": hours.get(row["venue"]),
        }
        for row in state["tops"]
        if wanted in (None, row["instrument"]) and where in (None, row["venue"])
    ]


def _shown(name: str, value: Any) -> Any:
    """A number of the engine as text; the rest as it is."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    return money(to_decimal(value)) if name in PRICES else str(value)


@router.get("/venues", response=list[VenueOut])
def list_venues(request: HttpRequest) -> Any:
    caller(request, ApiScope.READ)
    return [shape(row) for row in Venue.objects.all()]


@router.post("/venues", response={201: VenueOut})
def define_venue(request: HttpRequest, body: VenueIn) -> Any:
    """Add a venue under the first free number. The row is kept whatever the engine answers: see `answer`."""
    user = caller(request, ApiScope.VENUES)
    venue = services.define_venue(user, name=body.name, protocol=body.protocol, settings=body.settings)
    return Status(201, shape(venue))


@router.put("/venues/{number}", response=VenueOut)
def change_venue(request: HttpRequest, number: VenueNumber, body: VenueIn) -> Any:
    """Change a venue; the engine connects anew."""
    user = caller(request, ApiScope.VENUES)
    policy.require(policy.may_define_venue(user), "Only risk managers and administrators define venues.")
    if not Venue.objects.filter(number=number).exists():
        raise NotFound("There is no such venue.")
    changed = services.define_venue(user, number=number, name=body.name, protocol=body.protocol, settings=body.settings)
    return shape(changed)


@router.delete("/venues/{number}", response={204: None})
def remove_venue(request: HttpRequest, number: VenueNumber) -> Any:
    """Cancel everything there and disconnect."""
    services.remove_venue(caller(request, ApiScope.VENUES), number)
    return Status(204, None)
