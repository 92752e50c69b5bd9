"""From a config to a simulation: instruments, books, sources, accounts."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from engine.hotpath.fitted_costs import impact_scale
from engine.messages.costs import Places, by_place, nearest, read_costs, tells_impact
from engine.messages.instruments import Instrument, read_instruments
from engine.simulator.broker import BrokerDesk
from engine.simulator.config import BROKER, FIX_VERSIONS, LIT, ConfigError, ExchangeConfig, VenueConfig
from engine.simulator.feed import Feed
from engine.simulator.fix_account import FixAccount
from engine.simulator.floor_orders import FloorOrderError
from engine.simulator.generator import Generator, default_instruments
from engine.simulator.history import History
from engine.simulator.layout import BookMemory, SelfMatch
from engine.simulator.midpoint_pool import MidpointDesk
from engine.simulator.oracle import Oracle
from engine.simulator.ouch42_account import Ouch42Account
from engine.simulator.ouch_account import OuchAccount
from engine.simulator.replay import read_quotes
from engine.simulator.simulation import Simulation
from engine.simulator.sources import NoFlow, RecordedFlow, Source, read_flow
from engine.simulator.venue import Fees, Venue

DAY_NS = 86_400_000_000_000


def listed_instruments(config: ExchangeConfig) -> list[Instrument]:
    """What the exchange lists: the instruments file, or the built-in forty."""
    if config.instruments is not None:
        try:
            return read_instruments(config.instruments)
        except (OSError, ValueError) as error:
            raise ConfigError(f"instruments: {error}") from None
    return default_instruments()


def session_name(now: datetime) -> str:
    """Ten characters that differ from every earlier session's."""
    return now.strftime("%m%d%H%M%S")


class Assembly:
    """A simulation and what it was made from. `start_ns` is the session's first instant in its own time."""

    def __init__(self, config: ExchangeConfig, start_ns: int = 0, log: bool = True, record_capacity: int = 0) -> None:
        self.config = config
        self.instruments = listed_instruments(config)
        self.recorded, self.midnight_ns = self._read_recorded()
        self.start_ns = start_ns
        if len(self.recorded):
            self.start_ns = int(self.recorded[0]["time_ns"])
        elif not start_ns:
            self.start_ns = time.time_ns()
        if not self.midnight_ns:
            self.midnight_ns = self.start_ns - self.start_ns % DAY_NS
        self.session = config.session or session_name(datetime.now(UTC))
        self._impacts = self._read_costs()
        self.oracle = Oracle(config.out / "oracle.jsonl" if log else None)
        self.generators: list[Generator] = []
        self._by_name: dict[str, BookMemory] = {}
        self._log = log
        self._record_capacity = record_capacity
        self.venues = [self._venue(venue, number) for number, venue in enumerate(config.venues, start=1)]
        self.simulation = Simulation(self.venues)
        self._schedule()
        self._schedule_crosses()

    def _schedule(self) -> None:
        for entry in self.config.schedule:
            for settings, venue in zip(self.config.venues, self.venues, strict=True):
                if entry.venue not in ("", settings.name):
                    continue
                try:
                    venue.floor.check(entry.order)
                except FloorOrderError as error:
                    raise ConfigError(f"schedule: {error}") from None
                self.simulation.schedule(venue, entry.order, self.start_ns + round(entry.at_seconds * 1e9))

    def _schedule_crosses(self) -> None:
        """What the crosses of the configuration are to the operator: imbalances once a second, hours, the cross."""
        for settings, venue in zip(self.config.venues, self.venues, strict=True):
            venue.opens_with_cross = settings.opening_cross_seconds > 0
            crosses = ((settings.opening_cross_seconds, "open", "Q"), (settings.closing_cross_seconds, "close", "M"))
            for at_seconds, word, event in crosses:
                if at_seconds == 0:
                    continue
                due_ns = self.start_ns + round(at_seconds * 1e9)
                for before in range(int(min(settings.imbalance_seconds, at_seconds)), 0, -1):
                    self.simulation.schedule(venue, f"indicate all {word}", due_ns - before * 1_000_000_000)
                self.simulation.schedule(venue, f"hours {event}", due_ns)
                self.simulation.schedule(venue, f"auction all {word}", due_ns)

    def _read_recorded(self) -> tuple[np.ndarray, int]:
        config = self.config
        if config.flow is not None:
            return read_flow(config.flow), 0
        if config.replay is not None:
            ids = {instrument.name: instrument.id for instrument in self.instruments}
            return read_quotes(config.replay, ids)
        return np.zeros(0, np.dtype("<i8")), 0

    def _read_costs(self) -> Places:
        """Of the rows that say something of impact."""
        if self.config.costs is None:
            return {}
        try:
            return by_place(read_costs(self.config.costs), tells_impact)
        except ValueError as error:
            raise ConfigError(f"costs: {error}") from None

    def _venue(self, settings: VenueConfig, number: int) -> Venue:
        memory = BookMemory(
            self.instruments,
            order_capacity=settings.order_capacity,
            level_capacity=settings.order_capacity // 2,
            owner_count=max(len(settings.users), 1),
            midnight_ns=self.midnight_ns,
            self_match=SelfMatch[settings.self_match.upper()],
        )
        for listed in self.instruments:
            scale = impact_scale(nearest(self._impacts, settings.id, listed.id))
            memory.instruments[listed.id]["impact_scale"] = scale
        desk = self._held_desk(settings, memory, number)
        history = History(self.config.out / f"{settings.name.lower()}.feed") if self._log else None
        venue = Venue(
            settings.name,
            settings.id,
            memory,
            self.instruments,
            Feed(self.session, history=history, resend_messages=settings.retransmission_messages),
            Fees(settings.maker_fee, settings.taker_fee),
            self.oracle,
            settings.packet_interval_ms * 1_000_000,
            settings.entry_latency_us * 1000,
            desk,
        )
        for owner, user in enumerate(settings.users, start=1):
            if settings.protocol in FIX_VERSIONS:
                venue.admit(FixAccount(venue.desk, owner, user.name, FIX_VERSIONS[settings.protocol]))
            else:
                account = Ouch42Account if settings.protocol == "ouch42" else OuchAccount
                venue.admit(account(venue.desk, owner, user.name, user.password, self.midnight_ns))
        venue.source = desk or self._source(memory, number, settings.rate)
        self._by_name[settings.name] = memory
        return venue

    def _held_desk(self, settings: VenueConfig, memory: BookMemory, number: int) -> MidpointDesk | BrokerDesk | None:
        """Of a venue without a book."""
        if settings.kind == LIT:
            return None
        reference = self._by_name[settings.reference]
        if settings.kind == BROKER:
            return BrokerDesk(memory, self.instruments, reference, settings.fill_delay_ms * 1_000_000)
        seed = (self.config.market.seed if self.config.market else 0) * 1000 + number
        waits_ns = round(settings.interest_seconds * 1e9)
        rate = settings.interest_rate
        return MidpointDesk(memory, self.instruments, reference, seed, rate, waits_ns, self.start_ns)

    def _source(self, memory: BookMemory, number: int, rate: float) -> Source:
        if len(self.recorded):
            return RecordedFlow(memory, self.recorded)
        if self.config.market is None:
            return NoFlow()
        market = replace(self.config.market, rate=rate) if rate else self.config.market
        generator = Generator(memory, self.instruments, market, self.start_ns, number, self._record_capacity)
        self.generators.append(generator)
        return generator

    def open(self) -> None:
        """Publish the session's start, with the generated books filled."""
        for generator in self.generators:
            generator.open_books()
        self.simulation.open(self.start_ns)


def with_out(config: ExchangeConfig, out: Path) -> ExchangeConfig:
    """The same exchange writing elsewhere."""
    return replace(config, out=out)
