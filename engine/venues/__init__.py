"""Venue kinds: which protocol over which transport. A new one is a short file beside these and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.messages.catalogue import VenueKind
from engine.venues import binance, fix, fix44, ouch42, ouch50

VENUES: dict[str, VenueKind] = {
    ouch50.KIND.protocol: ouch50.KIND,
    ouch42.KIND.protocol: ouch42.KIND,
    fix44.KIND.protocol: fix44.KIND,
    binance.KIND.protocol: binance.KIND,
    fix.KIND.protocol: fix.KIND,
}


VenueSettings = ouch50.OuchSettings | fix44.Fix44Settings | binance.BinanceSettings | fix.NativeFixSettings


def read_venue(protocol: str, settings: Mapping[str, str]) -> VenueSettings:
    """Typed settings of a venue of this kind.

    KeyError for an unknown protocol, ValueError with a sentence for a wrong setting.
    """
    return READERS[protocol](settings)


READERS: dict[str, Callable[[Mapping[str, str]], VenueSettings]] = {
    ouch50.KIND.protocol: ouch50.read_settings,
    ouch42.KIND.protocol: ouch42.read_settings,
    fix44.KIND.protocol: fix44.read_settings,
    binance.KIND.protocol: binance.read_settings,
    fix.KIND.protocol: fix.read_settings,
}


def why_not_on_paper(protocol: str, settings: Mapping[str, str]) -> str:
    """Why an engine in paper mode does not connect to such a venue, as a sentence; "" when it may."""
    host = binance.real_money(settings) if protocol == binance.KIND.protocol else ""
    return f"{host} trades for real money and this engine is in paper mode; use the test network" if host else ""
