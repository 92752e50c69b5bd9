"""Settings of a venue as they come from a form: text by name, checked against the fields that its kind announces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.messages.catalogue import VenueField, VenueKind
from engine.messages.secrets import REFERENCE, is_reference

LONGEST_TEXT = 100
LARGEST_GAP = 1 << 40
BEFORE_END = 10  # seconds before the end of trading at which an order at the close goes out where there is no auction
MOST_BEFORE_END = 3_600


class Address(NamedTuple):
    """Where something listens."""

    host: str
    port: int


def parse_address(text: str) -> Address:
    """ "host:port" (IPv4 or a name) to an Address. ValueError with a sentence for anything else."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or " " in host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{text!r} is not an address like 127.0.0.1:9000")
    return Address(host, int(port))


def check_settings(kind: VenueKind, settings: Mapping[str, str]) -> dict[str, str]:
    """Every field of `kind` by name, stripped; absent means its announced default. ValueError names a wrong field."""
    names = {field.name for field in kind.fields}
    for name in settings:
        if name not in names:
            raise ValueError(f"{kind.label} has no setting {name!r}")
    texts = {field.name: str(settings.get(field.name, field.default)).strip() for field in kind.fields}
    return {field.name: _check(field, texts) for field in kind.fields}


def _check(field: VenueField, texts: Mapping[str, str]) -> str:
    value = texts[field.name]
    if not value:
        if field.optional or (field.unless and texts[field.unless] not in ("", "0")):
            return ""
        raise ValueError(f"{field.label} is missing")
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise ValueError(f"{field.label}: at most {LONGEST_TEXT} printable characters are allowed")
    if field.kind == "secret" and is_reference(value) and not REFERENCE.fullmatch(value):
        raise ValueError(f"{field.label}: file:NAME names one file of the secrets folder, without a path")
    if field.kind == "address":
        try:
            parse_address(value)
        except ValueError as error:
            raise ValueError(f"{field.label}: {error}") from None
    if field.kind == "integer" and not value.removeprefix("-").isdecimal():
        raise ValueError(f"{field.label}: {value!r} is not a whole number")
    return value


@dataclass(frozen=True)
class SnapshotSettings:
    """Where a venue's snapshots come from; taken at once when more than `after` messages are missing."""

    address: Address
    user: str
    password: str
    after: int


def read_snapshot(values: Mapping[str, str]) -> SnapshotSettings | None:
    """From checked settings; None for a venue without snapshots. ValueError with a sentence."""
    _check_login(values, "snapshot")
    after = int(values["snapshot_after"])
    if not 1 <= after <= LARGEST_GAP:
        raise ValueError(f"Snapshot after: from 1 to {LARGEST_GAP} messages are allowed")
    if not values["snapshot"]:
        return None
    address = parse_address(values["snapshot"])
    return SnapshotSettings(address, values["snapshot_user"], values["snapshot_password"], after)


def _check_login(values: Mapping[str, str], whose: str) -> None:
    for name, longest in ((f"{whose}_user", 6), (f"{whose}_password", 10)):
        check_length(name, values[name], longest)


def check_length(name: str, value: str, longest: int) -> None:
    """ValueError for what a SoupBinTCP field cannot hold; of a file's name nobody knows yet what it stands for."""
    if not is_reference(value) and (len(value) > longest or not value.isascii()):
        raise ValueError(f"{name} has at most {longest} ASCII characters")


def read_time_of_day(text: str) -> int:
    """HH:MM or HH:MM:SS as seconds since midnight. ValueError with a sentence."""
    parts = text.split(":")
    numbers = [int(part) for part in parts if len(part) == 2 and part.isascii() and part.isdigit()]
    if len(numbers) != len(parts) or len(parts) not in (2, 3) or numbers[0] > 23 or max(numbers[1:]) > 59:
        raise ValueError("Trading ends: a time of day is written as 20:00 or 20:00:00, in UTC")
    return sum(number * unit for number, unit in zip(numbers, (3600, 60, 1), strict=False))


def read_market_data(values: Mapping[str, str]) -> dict[str, Any]:
    """What `market_data_fields` asks for, typed, from checked settings. ValueError with a sentence."""
    routed = {name: int(values[name]) for name in ("minimum_quantity", "midpoint", "post_only")}
    if "good_till" in values:
        routed["good_till"] = int(values["good_till"])
        if routed["good_till"] not in (0, 1):
            raise ValueError("Good till is 0 or 1")
    if routed["post_only"] not in (0, 1):
        raise ValueError("Post only is 0 or 1")
    if routed["minimum_quantity"] < 0 or routed["midpoint"] not in (0, 1):
        raise ValueError("Minimum quantity is a number of shares, Midpoint is 0 or 1")
    if routed["midpoint"] and not int(values["priced_by"]):
        raise ValueError("Midpoint: Priced by has to name the venue of whose prices it is the middle")
    _check_login(values, "drop_copy")
    if values["trading_end"]:
        read_time_of_day(values["trading_end"])
    if not 0 <= int(values["before_end"]) <= MOST_BEFORE_END:
        raise ValueError(f"Before the end: from 0 to {MOST_BEFORE_END} seconds are allowed")
    addresses = {name: values[name] for name in ("feed_line_a", "feed_line_b", "retransmission")}
    return {name: parse_address(text) if text else None for name, text in addresses.items()} | {
        "snapshot": read_snapshot(values),
        "maker_fee": int(values["maker_fee"]),
        "taker_fee": int(values["taker_fee"]),
        "priced_by": int(values["priced_by"]),
        **routed,
    }


def market_data_fields(snapshots: bool = True, post_only: str = "0") -> list[VenueField]:
    """The feed of a venue, ITCH 5.0 in MoldUDP64, whatever its order entry speaks; and its fees.

    `snapshots`: also what only a venue with an ITCH feed of its own, or without any, can have.
    """
    unless = "priced_by" if snapshots else ""
    return [
        VenueField(
            "feed_line_a", "Feed line A", "address", help="UDP address where its first copy arrives", unless=unless
        ),
        VenueField("feed_line_b", "Feed line B", "address", help="the second copy", optional=True),
        VenueField("retransmission", "Retransmission", "address", help="where lost packets are asked", optional=True),
        *((*SNAPSHOT_FIELDS, *DROP_COPY_FIELDS) if snapshots else ()),
        *([_post_only_field(post_only)] if snapshots else ()),
        *(HOURS_FIELDS if snapshots else ()),
        VenueField("maker_fee", "Maker fee", "integer", "0", "per share, in 1/10,000; negative for a rebate"),
        VenueField("taker_fee", "Taker fee", "integer", "0", "per share, in 1/10,000"),
    ]


def _post_only_field(default: str) -> VenueField:
    told = "1: it knows post-only orders; 0: the engine sends one only while it would not trade"
    return VenueField("post_only", "Post only", "integer", default, told)


GOOD_TILL_FIELD = VenueField(
    "good_till", "Good till", "integer", "1", "1: it keeps orders good till canceled or a time itself; 0: the desk does"
)
HOURS_FIELDS = (
    VenueField(
        "trading_end",
        "Trading ends",
        "text",
        help="HH:MM, UTC: when an order at the close goes out, if the venue has no auction; empty: none is taken",
        optional=True,
    ),
    VenueField("before_end", "Before the end", "integer", str(BEFORE_END), "so many seconds before it goes out"),
)
DROP_COPY_FIELDS = (
    VenueField(
        "drop_copy", "Drop copy", "address", help="TCP address of a second stream of our executions", optional=True
    ),
    VenueField("drop_copy_user", "Drop copy user", "text", help="at most 6 characters", optional=True),
    VenueField("drop_copy_password", "Drop copy password", "secret", help="at most 10 characters", optional=True),
)
SNAPSHOT_FIELDS = (
    VenueField(
        "priced_by",
        "Priced by",
        "integer",
        "0",
        "number of the venue whose book prices orders here, for a dark pool or a broker; 0: its own",
    ),
    VenueField("midpoint", "Midpoint", "integer", "0", "1: it shows nothing and trades at the middle of those prices"),
    VenueField("minimum_quantity", "Minimum quantity", "integer", "0", "shares that an order there has at least"),
    VenueField("snapshot", "Snapshot", "address", help="TCP address of the GLIMPSE server", optional=True),
    VenueField("snapshot_user", "Snapshot user", "text", help="at most 6 characters", optional=True),
    VenueField("snapshot_password", "Snapshot password", "secret", help="at most 10 characters", optional=True),
    VenueField(
        "snapshot_after", "Snapshot after", "integer", "100000", "so many missing messages are not asked for again"
    ),
)
