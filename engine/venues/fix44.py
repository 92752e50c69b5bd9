"""A venue that takes orders in FIX, through QuickFIX in a session process beside the loop (`fix44_start`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.messages.catalogue import VenueField, VenueKind
from engine.protocols.fix_bounds import BEGIN_STRINGS
from engine.venues.fields import (
    GOOD_TILL_FIELD,
    Address,
    SnapshotSettings,
    check_settings,
    market_data_fields,
    parse_address,
    read_market_data,
)
from engine.venues.fix44_dialect import check_dialect_name

KIND = VenueKind(
    protocol="fix44",
    label="FIX 4.4, 4.2, 5.0 SP2 through QuickFIX",
    fields=[
        VenueField("version", "Version", "text", "4.4", help="4.2, 4.4 or 5.0SP2"),
        VenueField("order_address", "Order entry", "address", help="TCP address of the venue's FIX acceptor"),
        VenueField("sender_comp_id", "Our name", "text", help="SenderCompID(49) of what we send"),
        VenueField("target_comp_id", "Venue's name", "text", help="TargetCompID(56) of what we send"),
        VenueField("heartbeat_seconds", "Heartbeat", "integer", "5", "HeartBtInt(108), seconds"),
        VenueField("username", "User", "text", help="Username(553) of the Logon", optional=True),
        VenueField("password", "Password", "secret", help="Password(554) of the Logon", optional=True),
        VenueField("account", "Account", "text", help="Account(1) on every order", optional=True),
        VenueField(
            "dialect",
            "Dialect",
            "text",
            help="name of a file in dialects/ that says how this venue differs",
            optional=True,
        ),
        *market_data_fields(),
        GOOD_TILL_FIELD,
    ],
)


@dataclass(frozen=True)
class Fix44Settings:
    """Typed settings. Fees in 1/10,000 per share; an absent feed address is None; `priced_by` 0: by its own book."""

    order_address: Address
    sender_comp_id: str
    target_comp_id: str
    heartbeat_seconds: int
    username: str
    password: str
    account: str
    version: str
    dialect: str
    feed_line_a: Address | None
    feed_line_b: Address | None
    retransmission: Address | None
    snapshot: SnapshotSettings | None
    maker_fee: int
    taker_fee: int
    priced_by: int
    minimum_quantity: int = 0
    midpoint: int = 0
    post_only: int = 0
    good_till: int = 1


def read_settings(settings: Mapping[str, str]) -> Fix44Settings:
    """From the texts of a form. ValueError with a sentence."""
    values = check_settings(KIND, settings)
    heartbeat_seconds = int(values["heartbeat_seconds"])
    if values["version"] not in BEGIN_STRINGS:
        raise ValueError(f"Version is {', '.join(BEGIN_STRINGS)}, not {values['version']!r}")
    if not 1 <= heartbeat_seconds <= 300:
        raise ValueError("Heartbeat is 1 to 300 seconds")
    return Fix44Settings(
        order_address=parse_address(values["order_address"]),
        sender_comp_id=values["sender_comp_id"],
        target_comp_id=values["target_comp_id"],
        heartbeat_seconds=heartbeat_seconds,
        username=values["username"],
        password=values["password"],
        account=values["account"],
        version=values["version"],
        dialect=check_dialect_name(values["dialect"]),
        **read_market_data(values),
    )
