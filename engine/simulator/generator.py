"""Memory and settings of the generated market: `Generator` drives one book from a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.messages.instruments import Instrument
from engine.native import address_of, touched
from engine.simulator.fair_values import FAIR, FAIR_ROW, GROUP
from engine.simulator.flow import GENERATOR, LIVE_CAPACITY, open_books, run_until
from engine.simulator.layout import FLOW, REQUEST, BookMemory
from engine.simulator.random_numbers import gap_table, normal_table, seeded_state

SECTORS = ("BNK", "OIL", "TEC", "RTL", "UTL", "AIR", "PHR", "INS", "CHP", "FOO")
NEVER_NS = (1 << 63) - 1


@dataclass(frozen=True)
class Market:
    """The generated market. Steps and deviations are shares of the opening price; a group is cointegrated."""

    seed: int = 1
    rate: float = 800.0
    """events per second over all instruments"""
    group_size: int = 4
    depth: int = 40
    """orders per instrument that the flow keeps in the book"""
    half_spread_ticks: float = 0.6
    grid_ms: int = 50
    factor_volatility: float = 0.0001
    """of the common factor, per square root of a second"""
    group_volatility: float = 0.0001
    deviation: float = 0.0005
    """standard deviation of an instrument's own, mean-reverting part"""
    half_life_seconds: float = 40.0


def default_instruments(count: int = 40, group_size: int = 4) -> list[Instrument]:
    """Made-up instruments in groups: BNKA, BNKB, ..., prices from 60 to 110."""
    made = []
    for number in range(count):
        group, member = divmod(number, group_size)
        name = SECTORS[group % len(SECTORS)] + (str(group // len(SECTORS)) if group >= len(SECTORS) else "")
        price = 600_000 + number * 7919 % 50 * 10_000 + 5_000
        made.append(Instrument(number + 1, name + chr(ord("A") + member), open_price=price))
    return made


class Generator:
    """A seeded source of order flow for one book. `flow_stream` tells venues with one seed apart."""

    def __init__(
        self,
        memory: BookMemory,
        instruments: Sequence[Instrument],
        market: Market,
        start_ns: int,
        flow_stream: int = 1,
        record_capacity: int = 0,
    ) -> None:
        self._book = memory.address
        self.fair = touched(1, FAIR)
        self.rows = touched(max(i.id for i in instruments) + 1, FAIR_ROW)
        self.groups = touched(len(instruments) // market.group_size + 1, GROUP)
        self._normals, self._gaps = normal_table(), gap_table()
        self._live = touched((len(self.rows)) * (LIVE_CAPACITY + 1), np.dtype("<i8"))
        self._request = touched(1, REQUEST)
        self.flow = touched(max(record_capacity, 1), FLOW)
        self._set_fair(instruments, market, start_ns)
        self.state = touched(1, GENERATOR)
        row = self.state[0]
        row["random"], row["next_time_ns"] = seeded_state(market.seed, 1000 + flow_stream), start_ns
        row["mean_gap_ns"] = round(1e9 / market.rate)
        row["gaps"], row["fair"] = address_of(self._gaps), address_of(self.fair)
        row["live"], row["request"] = address_of(self._live), address_of(self._request)
        row["depth"], row["instrument_count"] = market.depth, len(instruments)
        row["next_user_reference"] = 1
        row["record"] = address_of(self.flow) if record_capacity else 0
        row["record_capacity"], row["half_spread_ticks"] = record_capacity, market.half_spread_ticks
        self._address = address_of(self.state)
        self._next_time_ns = self.state["next_time_ns"]

    def _set_fair(self, instruments: Sequence[Instrument], market: Market, start_ns: int) -> None:
        step_seconds = market.grid_ms / 1000
        keep = 0.5 ** (step_seconds / market.half_life_seconds)
        row = self.fair[0]
        row["random"], row["grid_ns"] = seeded_state(market.seed, 1), market.grid_ms * 1_000_000
        row["time_ns"] = start_ns
        row["normals"], row["rows"], row["groups"] = (
            address_of(self._normals),
            address_of(self.rows),
            address_of(self.groups),
        )
        row["instrument_count"], row["group_count"] = len(instruments), len(self.groups)
        row["factor_step"] = market.factor_volatility * math.sqrt(step_seconds)
        row["group_step"] = market.group_volatility * math.sqrt(step_seconds)
        for number, instrument in enumerate(instruments):
            fair = self.rows[instrument.id]
            fair["open_price"] = fair["price"] = instrument.open_price
            fair["group"], fair["beta"] = number // market.group_size, 0.8 + 0.1 * (number // market.group_size % 5)
            fair["keep"], fair["deviation_step"] = keep, market.deviation * math.sqrt(1 - keep * keep)

    def open_books(self) -> None:
        """Fill the books to the wanted depth at the start of the session."""
        open_books(self._address, self._book)

    @property
    def next_time_ns(self) -> int:
        """Time of the next event."""
        return int(self._next_time_ns.item(0))

    def run_until(self, time_ns: int, message_limit: int = 1 << 30) -> int:
        """Every event up to `time_ns`; returns how many."""
        return int(run_until(self._address, self._book, time_ns, message_limit))

    def recorded_flow(self) -> np.ndarray:
        """The requests made so far, FLOW records."""
        return self.flow[: int(self.state[0]["record_count"])]
