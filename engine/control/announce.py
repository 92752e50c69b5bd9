"""The catalogue: what this running engine can do and knows, for the desk's forms."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.algorithms import announced_algorithms
from engine.build import build_hash
from engine.control.configuration import Configuration
from engine.messages.catalogue import Catalogue
from engine.messages.instruments import Instrument
from engine.strategies import announced_kinds
from engine.venues import VENUES


def catalogue(
    configuration: Configuration,
    instruments: list[Instrument],
    epoch: int,
    mode: str,
    runtime: list[dict[str, Any]] | None = None,
) -> Catalogue:
    """As it is now. Secrets of venues are left out."""
    venues = []
    for number, venue in sorted(configuration.venues.items()):
        secret = {field.name for field in VENUES[venue.protocol].fields if field.kind == "secret"}
        settings = {name: value for name, value in venue.settings.items() if name not in secret}
        venues.append({"venue": number, "name": venue.name, "protocol": venue.protocol, "settings": settings})
    return Catalogue(
        build_hash=build_hash(),
        epoch=epoch,
        mode=mode.upper(),
        limits_version=configuration.limits_version,
        limits_hash=configuration.limits_hash,
        strategy_kinds=announced_kinds(),
        algorithm_kinds=announced_algorithms(),
        venue_kinds=list(VENUES.values()),
        instruments=[asdict(row) for row in instruments],
        venues=venues,
        runtime=runtime or [],
    )
