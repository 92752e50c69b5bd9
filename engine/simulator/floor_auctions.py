"""What the operator of the simulated exchange does about crosses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.simulator.floor_clients import NoSuchOrder

if TYPE_CHECKING:
    from engine.simulator.venue import Venue


def hold(venue: Venue, instruments: Iterable[int], cross: int, time_ns: int) -> None:
    """Hold a cross of each instrument now. NoSuchOrder or CrossOver before anything has happened."""
    _check(venue, instruments, cross)
    for instrument in instruments:
        venue.auctions.hold(instrument, cross, time_ns)


def indicate(venue: Venue, instruments: Iterable[int], cross: int, time_ns: int) -> None:
    """Announce the imbalance of a cross that is to come."""
    _check(venue, instruments, cross)
    for instrument in instruments:
        venue.auctions.indicate(instrument, cross, time_ns)


def _check(venue: Venue, instruments: Iterable[int], cross: int) -> None:
    if not venue.desk.has_crosses:
        raise NoSuchOrder(f"{venue.name} shows no book: it holds no crosses")
    for instrument in instruments:
        venue.auctions.check(instrument, cross)
