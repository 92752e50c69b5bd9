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


def ouch_kind(protocol: str, label: str) -> VenueKind:
    """A dialect of OUCH over SoupBinTCP: its settings are the same in all."""
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
        ],
    )


KIND = ouch_kind("ouch50", "OUCH 5.0 over SoupBinTCP")


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


def read_ouch_settings(kind: VenueKind, settings: Mapping[str, str]) -> OuchSettings:
    """From the texts of a form. ValueError with a sentence."""
    values = check_settings(kind, settings)
    for name, longest in (("user", 6), ("password", 10), ("firm", 4)):
        check_length(name, values[name], longest)
    return OuchSettings(
        order_address=parse_address(values["order_address"]),
        user=values["user"],
        password=values["password"],
        firm=values["firm"],
        **read_market_data(values),
        lockstep=values["lockstep"] == "1",
    )


def read_settings(settings: Mapping[str, str]) -> OuchSettings:
    """From the texts of a form. ValueError with a sentence."""
    return read_ouch_settings(KIND, settings)
