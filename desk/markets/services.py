"""What people do with venues, and how reference data comes in."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record
from desk.link import client
from desk.markets.models import LAST_VENUE, Instrument, Pair, Venue
from desk.refusals import (
    Conflict,
    EngineNotReached,
    EngineRefused,
    Invalid,
    NotFound,
    OutcomeUnknown,
    check_all,
)
from desk.strategies.models import Strategy
from engine.messages.catalogue import VenueField, VenueKind
from engine.messages.codes import StrategyState
from engine.messages.control import DefineVenue, RemoveVenue, command
from engine.messages.instruments import Instrument as InstrumentRecord
from engine.messages.prices import to_decimal
from engine.messages.secrets import without_secrets

WHOLE = re.compile(r"-?[0-9]{1,12}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
LONGEST_SETTING = 200


def define_venue(
    actor: User, *, name: str, protocol: str, settings: dict[str, str], number: int | None = None
) -> Venue:
    """Add a venue, or change the one with `number`, and tell the running engine, which connects to it.

    `protocol` and `settings` as the engine's catalogue names them. The row is kept whatever the engine says: look at
    `answer` and `engine_answer`. Raises NotPermitted, Invalid, EngineNotReached (no catalogue to check against).
    """
    policy.require(policy.may_define_venue(actor), "Only risk managers and administrators define venues.")
    kind = find_venue_kind(protocol)
    name, checked = check_all(lambda: _checked_name(name), lambda: check_settings(kind, settings))
    with transaction.atomic():
        if number is None:
            number = _free_number()
        venue = Venue.objects.select_for_update().filter(number=number).first() or Venue(number=number, version=0)
        before = _definition(venue) if venue.version else None
        venue.name, venue.protocol, venue.settings = name, protocol, checked
        venue.enabled, venue.defined_by = True, actor
        venue.version += 1
        venue.answer, venue.engine_answer = Venue.Answer.UNSENT, ""
        _save(venue)
        record(actor, "venue.defined", f"venue {number}", before=before, after=_definition(venue))
    return send_venue(venue, actor.get_username())


def send_venue(venue: Venue, actor: str) -> Venue:
    """Send a venue's definition to the engine and keep what it answered."""
    body = DefineVenue(venue.number, venue.name, venue.protocol, venue.settings)
    try:
        client.apply(command(body, actor))
        venue.answer, venue.engine_answer = Venue.Answer.APPLIED, ""
    except EngineNotReached as refusal:
        venue.answer, venue.engine_answer = Venue.Answer.UNSENT, refusal.sentence
    except OutcomeUnknown as refusal:
        venue.answer, venue.engine_answer = Venue.Answer.UNKNOWN, refusal.sentence
    except EngineRefused as refusal:
        venue.answer, venue.engine_answer = Venue.Answer.REFUSED, refusal.sentence[:300]
    venue.save(update_fields=["answer", "engine_answer", "changed_at"])
    return venue


def remove_venue(actor: User, number: int, reason: str = "") -> Venue:
    """Cancel everything there, disconnect, and keep the row as disabled. Conflict while a strategy runs there."""
    policy.require(policy.may_define_venue(actor), "Only risk managers and administrators remove venues.")
    venue = Venue.objects.filter(number=number, enabled=True).first()
    if venue is None:
        raise NotFound("There is no such venue.")
    if Strategy.objects.filter(venue=venue, desired_state=StrategyState.RUNNING).exists():
        raise Conflict("Stop the strategies that trade there first.", code="venue_in_use")
    client.apply(command(RemoveVenue(number), actor.get_username()))
    with transaction.atomic():
        venue.enabled = False
        venue.version += 1
        venue.save()
        record(actor, "venue.removed", f"venue {number}", before=_definition(venue), reason=reason)
    return venue


def find_venue_kind(protocol: str) -> VenueKind:
    """The kind by its protocol, or Invalid: the running engine does not speak it."""
    for kind in client.catalogue().venue_kinds:
        if kind.protocol == protocol:
            return kind
    raise Invalid({"protocol": f"The running engine does not speak {protocol!r}."})


def check_settings(kind: VenueKind, settings: dict[str, Any]) -> dict[str, str]:
    """Every field of the kind, as text; Invalid names those that are missing, unknown or malformed."""
    names = {field.name for field in kind.fields}
    errors = {name: f"{kind.label} has no setting {name!r}." for name in settings if name not in names}
    checked: dict[str, str] = {}
    for field in kind.fields:
        text = str(settings.get(field.name, field.default)).strip()
        spared = field.unless and str(settings.get(field.unless, "")).strip() not in ("", "0")
        sentence = "" if spared and not text else _wrong_setting(field, text)
        if sentence:
            errors[field.name] = sentence
        checked[field.name] = text
    if errors:
        raise Invalid(errors)
    return checked


def install_instruments(records: Iterable[InstrumentRecord]) -> int:
    """Reference data from an instruments file; existing rows are brought up to date. Returns how many there are."""
    fields = ["name", "tick_size", "lot_size", "multiplier", "currency", "open_price"]
    rows = []
    for row in records:
        values = {name: value for name, value in asdict(row).items() if name in ("id", *fields)}
        values |= {"tick_size": to_decimal(row.tick_size), "open_price": to_decimal(row.open_price)}
        rows.append(Instrument(**values))
    Instrument.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=fields)
    return len(rows)


def install_volumes(hourly: dict[str, int]) -> int:
    """Shares traded in an hour, by the instrument's name; names that are not known are left out. Returns how many rows
    have one now."""
    known = list(Instrument.objects.filter(name__in=hourly))
    for row in known:
        row.hourly_volume = hourly[row.name]
    Instrument.objects.bulk_update(known, ["hourly_volume"])
    return len(known)


def install_pairs(rows: Iterable[dict[str, Any]]) -> int:
    """Pairs by the field names of `Pair`, `first` and `second` as instrument ids; replaces those of the same source."""
    names = {"first": "first_id", "second": "second_id"}
    pairs = [Pair(**{names.get(key, key): value for key, value in row.items()}) for row in rows]
    fields = ["hedge_ratio", "centre", "spread_deviation", "half_life", "engle_granger_t"]
    Pair.objects.bulk_create(
        pairs, update_conflicts=True, unique_fields=["first", "second", "source"], update_fields=fields
    )
    return len(pairs)


def _wrong_setting(field: VenueField, text: str) -> str:
    """Why the engine would refuse this value, "" when it would not."""
    if len(text) > LONGEST_SETTING or not text.isprintable():
        return f"{field.label}: at most {LONGEST_SETTING} printable characters are allowed."
    if not text:
        return "" if field.optional else f"{field.label} is missing."
    if field.kind == "integer" and not WHOLE.fullmatch(text):
        return f"{field.label} must be a whole number."
    if field.kind == "address":
        host, _, port = text.rpartition(":")
        if not HOST.fullmatch(host) or not (port.isascii() and port.isdigit()):
            return f"{field.label} must look like host:port."
        if not 1 <= int(port) <= 65535:
            return f"{field.label}: a port is a number from 1 to 65535."
    return ""


def _free_number() -> int:
    taken = set(Venue.objects.values_list("number", flat=True))
    for number in range(1, LAST_VENUE + 1):
        if number not in taken:
            return number
    raise Conflict(f"There are {LAST_VENUE} venues already.", code="venues_full")


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 16:
        raise Invalid({"name": "A name has 1 to 16 characters."})
    return name


def _definition(venue: Venue) -> dict[str, Any]:
    settings = without_secrets(venue.settings)
    return {"name": venue.name, "protocol": venue.protocol, "settings": settings, "version": venue.version}


def _save(venue: Venue) -> None:
    try:
        with transaction.atomic():
            venue.save()
    except IntegrityError:
        raise Invalid({"name": f"There is a venue named {venue.name!r} already."}, code="name_taken") from None
