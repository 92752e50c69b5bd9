"""A venue that takes orders in FIX 4.2, 4.4 or 5.0 SP2; the loop itself speaks to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.messages.catalogue import VenueField, VenueKind
from engine.protocols.fix44 import PASSWORD, USERNAME
from engine.protocols.fix_bounds import BEGIN_STRINGS, LONGEST_NAME
from engine.protocols.fix_sender import FixSettings
from engine.venues.fields import (
    GOOD_TILL_FIELD,
    Address,
    SnapshotSettings,
    check_settings,
    market_data_fields,
    parse_address,
    read_market_data,
)

RAW_DATA_LENGTH, RAW_DATA = 95, 96

KIND = VenueKind(
    protocol="fix",
    label="FIX 4.2, 4.4, 5.0 SP2 in the loop",
    fields=[
        VenueField("version", "Version", "text", "4.4", help="4.2, 4.4 or 5.0SP2"),
        VenueField("order_address", "Order entry", "address", help="TCP address of the venue's FIX acceptor"),
        VenueField("sender_comp_id", "Our name", "text", help="SenderCompID(49) of what we send"),
        VenueField("target_comp_id", "Venue's name", "text", help="TargetCompID(56) of what we send"),
        VenueField("heartbeat_seconds", "Heartbeat", "integer", "5", "HeartBtInt(108), seconds"),
        VenueField("username", "User", "text", help="Username(553) of the Logon", optional=True),
        VenueField("password", "Password", "secret", help="Password(554) of the Logon", optional=True),
        VenueField("account", "Account", "text", help="Account(1) on every order", optional=True),
        VenueField("reset_numbers", "Reset numbers", "integer", "0", "1: ResetSeqNumFlag(141) at every logon"),
        VenueField("daily_numbers", "Daily numbers", "integer", "1", "1: they begin again at midnight UTC; 0: never"),
        *market_data_fields(),
        GOOD_TILL_FIELD,
    ],
)


@dataclass(frozen=True)
class NativeFixSettings:
    """Typed settings. Fees in 1/10,000 per share; an absent feed address is None; `priced_by` 0: by its own book."""

    session: FixSettings
    order_address: Address
    account: str
    daily_numbers: bool
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


def read_settings(settings: Mapping[str, str]) -> NativeFixSettings:
    """From the texts of a form. ValueError with a sentence."""
    values = check_settings(KIND, settings)
    version, heartbeat_seconds = values["version"], int(values["heartbeat_seconds"])
    if version not in BEGIN_STRINGS:
        raise ValueError(f"Version is {', '.join(BEGIN_STRINGS)}, not {version!r}")
    if not 1 <= heartbeat_seconds <= 300:
        raise ValueError("Heartbeat is 1 to 300 seconds")
    for name in ("sender_comp_id", "target_comp_id", "account"):
        if len(values[name]) > LONGEST_NAME or not values[name].isascii():
            raise ValueError(f"{name} has at most {LONGEST_NAME} ASCII characters")
    session = FixSettings(
        version=version,
        sender=values["sender_comp_id"],
        target=values["target_comp_id"],
        heartbeat_seconds=heartbeat_seconds,
        initiator=True,
        asks_reset=values["reset_numbers"] == "1",
        credentials=_credentials(version, values["username"], values["password"]),
    )
    return NativeFixSettings(
        session=session,
        order_address=parse_address(values["order_address"]),
        account=values["account"],
        daily_numbers=values["daily_numbers"] == "1",
        **read_market_data(values),
    )


def _credentials(version: str, username: str, password: str) -> tuple[tuple[int, str], ...]:
    """What a Logon(A) says of who we are. FIX 4.2 has no field for it: there the password travels as RawData(96)."""
    if version != "4.2":
        return tuple((tag, value) for tag, value in ((USERNAME, username), (PASSWORD, password)) if value)
    return ((RAW_DATA_LENGTH, str(len(password))), (RAW_DATA, password)) if password else ()
