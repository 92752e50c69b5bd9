"""A venue that takes orders in FIX 4.4; a session process beside the loop speaks to it (`fix44_start`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.messages.catalogue import VenueField, VenueKind
from engine.venues.fields import (
    Address,
    SnapshotSettings,
    check_settings,
    market_data_fields,
    parse_address,
    read_snapshot,
)

KIND = VenueKind(
    protocol="fix44",
    label="FIX 4.4",
    fields=[
        VenueField("order_address", "Order entry", "address", help="TCP address of the venue's FIX acceptor"),
        VenueField("sender_comp_id", "Our name", "text", help="SenderCompID(49) of what we send"),
        VenueField("target_comp_id", "Venue's name", "text", help="TargetCompID(56) of what we send"),
        VenueField("heartbeat_seconds", "Heartbeat", "integer", "5", "HeartBtInt(108), seconds"),
        VenueField("username", "User", "text", help="Username(553) of the Logon", optional=True),
        VenueField("password", "Password", "secret", help="Password(554) of the Logon", optional=True),
        VenueField("account", "Account", "text", help="Account(1) on every order", optional=True),
        *market_data_fields(),
    ],
)


@dataclass(frozen=True)
class Fix44Settings:
    """Typed settings. Fees in 1/10,000 per share; an absent feed address is None."""

    order_address: Address
    sender_comp_id: str
    target_comp_id: str
    heartbeat_seconds: int
    username: str
    password: str
    account: str
    feed_line_a: Address
    feed_line_b: Address | None
    retransmission: Address | None
    snapshot: SnapshotSettings | None
    maker_fee: int
    taker_fee: int


def read_settings(settings: Mapping[str, str]) -> Fix44Settings:
    """From the texts of a form. ValueError with a sentence."""
    values = check_settings(KIND, settings)
    heartbeat_seconds = int(values["heartbeat_seconds"])
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
        feed_line_a=parse_address(values["feed_line_a"]),
        feed_line_b=parse_address(values["feed_line_b"]) if values["feed_line_b"] else None,
        retransmission=parse_address(values["retransmission"]) if values["retransmission"] else None,
        snapshot=read_snapshot(values),
        maker_fee=int(values["maker_fee"]),
        taker_fee=int(values["taker_fee"]),
    )
