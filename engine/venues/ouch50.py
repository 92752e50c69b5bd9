"""A venue that takes orders in OUCH 5.0 over SoupBinTCP; the loop itself speaks to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.messages.catalogue import VenueField, VenueKind
from engine.venues.fields import (
    Address,
    SnapshotSettings,
    check_length,
    check_settings,
    market_data_fields,
    parse_address,
    read_market_data,
)


def ouch_kind(protocol: str, label: str, *more: VenueField) -> VenueKind:
    """A dialect of OUCH over SoupBinTCP: all have the same settings, but for `more`."""
    return VenueKind(
        protocol=protocol,
        label=label,
        fields=[
            VenueField("order_address", "Order entry", "address", help="TCP address of the SoupBinTCP server"),
            VenueField("user", "User", "text", help="at most 6 characters"),
            VenueField("password", "Password", "secret", help="at most 10 characters"),
            VenueField("firm", "Firm", "text", help="at most 4 characters, as the venue knows us", optional=True),
            *market_data_fields(post_only="1"),
            VenueField(
                "lockstep", "Lockstep", "integer", "0", "1: confirm every packet to a simulated exchange that waits"
            ),
            *more,
        ],
    )


KIND = ouch_kind(
    "ouch50",
    "OUCH 5.0 over SoupBinTCP",
    VenueField(
        "resend_within_ms",
        "Send again within",
        "integer",
        "5000",
        "milliseconds: an order that a lost connection kept from the venue leaves again if it is no older; 0: never",
    ),
)
LONGEST_RESEND_MS = 60_000


@dataclass(frozen=True)
class OuchSettings:
    """Typed settings. Fees in 1/10,000 per share; an absent feed address is None; `priced_by` 0: by its own book."""

    order_address: Address
    user: str
    password: str
    firm: str
    feed_line_a: Address | None
    feed_line_b: Address | None
    retransmission: Address | None
    snapshot: SnapshotSettings | None
    maker_fee: int
    taker_fee: int
    priced_by: int
    lockstep: bool
    minimum_quantity: int = 0
    midpoint: int = 0
    post_only: int = 1
    resend_within_ms: int = 0


def read_ouch_settings(kind: VenueKind, settings: Mapping[str, str]) -> OuchSettings:
    """From the texts of a form. ValueError with a sentence."""
    values = check_settings(kind, settings)
    for name, longest in (("user", 6), ("password", 10), ("firm", 4)):
        check_length(name, values[name], longest)
    resend_within_ms = int(values.get("resend_within_ms", "0"))
    if not 0 <= resend_within_ms <= LONGEST_RESEND_MS:
        raise ValueError(f"Send again within: from 0 to {LONGEST_RESEND_MS} milliseconds are allowed")
    return OuchSettings(
        order_address=parse_address(values["order_address"]),
        user=values["user"],
        password=values["password"],
        firm=values["firm"],
        **read_market_data(values),
        lockstep=values["lockstep"] == "1",
        resend_within_ms=resend_within_ms,
    )


def read_settings(settings: Mapping[str, str]) -> OuchSettings:
    """From the texts of a form. ValueError with a sentence."""
    return read_ouch_settings(KIND, settings)
