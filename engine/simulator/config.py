"""The exchange's CONFIG file: TOML, read once, an unknown key is an error. `docs/simulator.md` explains every key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from engine.simulator.generator import Market

FIX_VERSIONS = {"fix42": "4.2", "fix44": "4.4", "fix50sp2": "5.0SP2"}
PROTOCOLS = ("ouch50", "ouch42", *FIX_VERSIONS)
LIT, MIDPOINT, BROKER = "lit", "midpoint", "broker"
KINDS = (LIT, MIDPOINT, BROKER)
FLAT_OUT = 0.0


class ConfigError(ValueError):
    """The CONFIG file is refused; the text says why."""


@dataclass(frozen=True)
class User:
    """Who may log in: an OUCH user and password, or the CompID of a FIX client."""

    name: str
    password: str = ""


@dataclass(frozen=True)
class VenueConfig:
    """One venue: ports 0 are chosen by the kernel and told in exchange.json."""

    name: str
    id: int
    protocol: str = "ouch50"
    host: str = "127.0.0.1"
    order_port: int = 0
    line_a: tuple[str, ...] = ()
    line_b: tuple[str, ...] = ()
    retransmission_port: int = 0
    retransmission_messages: int = 0
    """how many of the newest messages can be sent again; 0: all"""
    snapshot_port: int = 0
    drop_copy_port: int = -1
    """a second stream of all executions, SoupBinTCP; -1: none"""
    maker_fee: int = 0
    taker_fee: int = 0
    entry_latency_us: int = 0
    self_match: str = "allow"
    packet_interval_ms: int = 5
    cancel_on_disconnect: bool = False
    order_capacity: int = 65536
    users: tuple[User, ...] = ()
    comp_id: str = ""
    rate: float = 0.0
    """events per second of the generated market here; 0: as `[market]` says"""
    opening_cross_seconds: float = 0.0
    """lit: market hours begin with a cross so long after the session's start; 0: at once, without"""
    closing_cross_seconds: float = 0.0
    """lit: market hours end with a cross so long after the session's start; 0: at the end, where orders wait for it"""
    imbalance_seconds: float = 10.0
    """how long before a cross its imbalances are announced, once a second"""
    kind: str = LIT
    """lit: a book that everybody sees; midpoint: a dark pool; broker: orders that people fill"""
    reference: str = ""
    """midpoint, broker: the name of the lit venue whose prices count"""
    interest_rate: float = 20.0
    """midpoint: orders of others a second over all instruments"""
    interest_seconds: float = 5.0
    """midpoint: how long one of them waits"""
    fill_delay_ms: int = 0
    """broker: fills by itself after so long; 0: people fill by hand"""


@dataclass(frozen=True)
class Replay:
    """Recorded quotes as the market: LEAN files, one per instrument."""

    files: dict[str, str] = field(default_factory=dict)
    participant: str = "all"
    """an exchange letter of the file, such as N, or all"""
    first_time: str = "09:30:00"
    last_time: str = "16:00:00"


@dataclass(frozen=True)
class ScheduledOrder:
    """What the operator does at a time of the session: `order` as in `exchange --tell`."""

    at_seconds: float
    order: str
    venue: str = ""
    """a venue's name; without one, every venue"""


@dataclass(frozen=True)
class ExchangeConfig:
    """Everything one exchange process needs."""

    out: Path
    venues: tuple[VenueConfig, ...]
    instruments: Path | None = None
    session: str = ""
    speed: float = 1.0
    """1 as recorded, N times faster, 0 flat out"""
    lockstep: bool = False
    start_on_login: bool = False
    duration_seconds: float = 0.0
    """end of session after so much of the session's time; 0 never"""
    heartbeat_timeout_seconds: float = 15.0
    market: Market | None = None
    replay: Replay | None = None
    flow: Path | None = None
    schedule: tuple[ScheduledOrder, ...] = ()
    costs: Path | None = None
    """fitted costs: by how much the market moves after clients' orders that take; None: not at all"""


def read_config(path: Path) -> ExchangeConfig:
    """The config, checked. ConfigError has the sentence for the operator."""
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return parse_config(raw, path.parent)


def parse_config(raw: dict[str, Any], base: Path) -> ExchangeConfig:
    """The config from a parsed TOML document; relative paths count from `base`."""
    raw = dict(raw)
    venues = []
    for entry in raw.pop("venues", []):
        users = tuple(_build(User, user, "user") for user in entry.pop("users", []))
        lines = {key: tuple(entry.pop(key, ())) for key in ("line_a", "line_b")}
        venues.append(_build(VenueConfig, entry | lines | {"users": users}, "venue"))
    for key in ("instruments", "flow", "out", "costs"):
        if key in raw:
            raw[key] = base / raw[key]
    if raw.get("speed") == "flat":
        raw["speed"] = FLAT_OUT
    if "market" in raw:
        raw["market"] = _build(Market, raw["market"], "market")
    if "replay" in raw:
        raw["replay"] = _build(Replay, raw["replay"], "replay")
    if "schedule" in raw:
        raw["schedule"] = tuple(_build(ScheduledOrder, entry, "schedule") for entry in raw["schedule"])
    config = _build(ExchangeConfig, raw | {"venues": tuple(venues)}, "exchange")
    _check(config)
    return config


Kind = TypeVar("Kind")


def _build(kind: type[Kind], values: dict[str, Any], what: str) -> Kind:
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"{what}: there is no setting {unknown[0]!r}; there are {', '.join(sorted(known))}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{what}: {error}") from None


def _check(config: ExchangeConfig) -> None:
    if not config.venues:
        raise ConfigError("at least one venue is needed")
    if sum(source is not None for source in (config.market, config.replay, config.flow)) > 1:
        raise ConfigError("market, replay and flow exclude each other")
    if len(config.session) > 10:
        raise ConfigError("a session has at most 10 characters")
    if config.speed < 0:
        raise ConfigError("speed is 1, a factor, or 0 (or 'flat') for flat out")
    for venue in config.venues:
        if venue.protocol not in PROTOCOLS:
            raise ConfigError(f"venue {venue.name}: protocol is one of {', '.join(PROTOCOLS)}")
        if venue.self_match not in ("allow", "cancel_resting", "cancel_incoming"):
            raise ConfigError(f"venue {venue.name}: self_match is allow, cancel_resting or cancel_incoming")
        if venue.retransmission_messages < 0:
            raise ConfigError(f"venue {venue.name}: retransmission_messages is a count, 0 for all")
        if config.lockstep and venue.protocol in FIX_VERSIONS:
            raise ConfigError(f"venue {venue.name}: lockstep needs OUCH")
        _check_kind(venue, config.venues)
    names = {venue.name for venue in config.venues}
    for entry in config.schedule:
        if entry.venue and entry.venue not in names:
            raise ConfigError(f"schedule: there is no venue {entry.venue!r}")
        if entry.at_seconds < 0:
            raise ConfigError("schedule: at_seconds counts from the session's start")
    for key in ("id", "name"):
        if len({getattr(venue, key) for venue in config.venues}) != len(config.venues):
            raise ConfigError(f"two venues have the same {key}")


def _check_kind(venue: VenueConfig, venues: tuple[VenueConfig, ...]) -> None:
    if venue.kind not in KINDS:
        raise ConfigError(f"venue {venue.name}: kind is one of {', '.join(KINDS)}")
    if min(venue.rate, venue.interest_rate, venue.interest_seconds, venue.fill_delay_ms) < 0:
        raise ConfigError(
            f"venue {venue.name}: rate, interest_rate, interest_seconds and fill_delay_ms are not negative"
        )
    if min(venue.opening_cross_seconds, venue.closing_cross_seconds, venue.imbalance_seconds) < 0:
        raise ConfigError(f"venue {venue.name}: seconds of a cross count from the session's start")
    if 0 < venue.closing_cross_seconds <= venue.opening_cross_seconds:
        raise ConfigError(f"venue {venue.name}: the closing cross comes after the opening cross")
    if venue.kind == LIT:
        return
    if venue.opening_cross_seconds or venue.closing_cross_seconds:
        raise ConfigError(f"venue {venue.name}: a {venue.kind} venue has no crosses")
    earlier = venues[: venues.index(venue)]
    if venue.reference not in {other.name for other in earlier if other.kind == LIT}:
        raise ConfigError(f"venue {venue.name}: reference is the name of a lit venue that stands before it")
    if venue.protocol not in FIX_VERSIONS:
        raise ConfigError(f"venue {venue.name}: a {venue.kind} venue takes orders in FIX")
