"""A venue that takes orders in OUCH 4.2 over SoupBinTCP, the dialect with tokens; the loop itself speaks to it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.venues.ouch50 import OuchSettings, ouch_kind, read_ouch_settings

KIND = ouch_kind("ouch42", "OUCH 4.2 over SoupBinTCP")


def read_settings(settings: Mapping[str, str]) -> OuchSettings:
    """From the texts of a form. ValueError with a sentence."""
    return read_ouch_settings(KIND, settings)
