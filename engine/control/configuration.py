"""What people decided, as the loop runs it: venues, strategies, limits, kills. Changed by commands only, between
batches.

The same functions run live and in a replay, so they read no clock and no file: time is the loop's, the rest is the
command.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.hotpath import tables
from engine.hotpath.memory import EngineMemory
from engine.messages.catalogue import Parameter
from engine.messages.codes import Scope, StrategyState
from engine.messages.control import Alarm, DefineVenue, RaiseBreak, StartStrategy
from engine.messages.risk import LimitsRow, content_hash
from engine.native import address_of, touched
from engine.protocols import ouch42_encode, ouch50_encode
from engine.strategies import Kind, compiled_kind
from engine.venues import VenueSettings
from engine.venues.session_log import SessionLog

LIMIT_FIELDS = ("order_quantity", "order_value", "collar_basis_points", "position", "orders_per_second", "daily_loss")
SECOND_NS = 1_000_000_000
LARGEST_NUMBER = 1 << 31
PROTOCOLS = {
    "ouch50": tables.OUCH50,
    "ouch42": tables.OUCH42,
    "fix44": tables.RING,
    "binance": tables.RING,
    "fix": tables.FIX,
}
WITH_AUCTIONS = ("ouch50", "ouch42", "fix44", "fix")  # those of them that have a book of their own
LARGEST_PRICES = {"ouch50": ouch50_encode.LARGEST_PRICE, "ouch42": ouch42_encode.LARGEST_PRICE}


class Refusal(Exception):
    """A command that the engine does not do, as a sentence for the person who gave it."""


@dataclass
class Configuration:
    """Tables of what is configured, beside the memory that the loop reads."""

    memory: EngineMemory
    names: dict[int, str]  # instrument id: name
    venues: dict[int, DefineVenue] = field(default_factory=dict)
    strategies: dict[int, StartStrategy] = field(default_factory=dict)
    strategy_rows: dict[int, int] = field(default_factory=dict)
    team_accounts: dict[int, int] = field(default_factory=dict)
    limits: list[LimitsRow] = field(default_factory=list)
    kills: set[tuple[int, int]] = field(default_factory=set)
    alarms: dict[str, tuple[Alarm, int]] = field(default_factory=dict)  # those that are on, and since when (ns)
    breaks: dict[str, RaiseBreak] = field(default_factory=dict)  # those that nobody has resolved, by name
    disconnected: set[int] = field(default_factory=set)  # venues that people keep disconnected
    resets: dict[int, tuple[str, int, int]] = field(default_factory=dict)  # command, next inbound, next outbound
    outbound_numbers: dict[int, int] = field(default_factory=dict)  # FIX in the loop: next sent, for people
    session_logs: dict[int, SessionLog] = field(default_factory=dict)  # of the loop's own sessions, for people
    costs_hash: str = ""  # of the fitted costs that the router reckons with; empty: none
    complaints: dict[int, str] = field(default_factory=dict)  # why a venue has no session, as a sentence, for people

    @property
    def limits_version(self) -> int:
        """Number of the limits in force; 0 before the first."""
        return int(self.memory.core["limits_version"][0])

    @property
    def limits_hash(self) -> str:
        """Content hash of the limits in force."""
        return content_hash(self.limits)

    def session_log(self, venue: int) -> SessionLog:
        """What a venue's session said while the loop did not have it."""
        return self.session_logs.setdefault(venue, SessionLog())

    def team_account(self, team: int) -> int:
        """Account index of a team, taken at first use (`check_room` came before)."""
        if team not in self.team_accounts:
            index = len(self.team_accounts) + 1
            self.team_accounts[team] = index
            account = self.memory.accounts[index]
            account["scope"], account["scope_id"] = Scope.TEAM, team
            account["killed"] = (Scope.TEAM, team) in self.kills
            self._bind_limits(index)
        return self.team_accounts[team]

    def strategy_row(self, strategy: int) -> int:
        """Row of a strategy, taken at first use (`check_room` came before)."""
        if strategy not in self.strategy_rows:
            row = len(self.strategy_rows) + 1
            self.strategy_rows[strategy] = row
            self.clear_row(row)
            account = self.memory.accounts[tables.FIRST_STRATEGY_ACCOUNT + row]
            account["scope"], account["scope_id"] = Scope.STRATEGY, strategy
            account["killed"] = (Scope.STRATEGY, strategy) in self.kills
            self._bind_limits(tables.FIRST_STRATEGY_ACCOUNT + row)
        return self.strategy_rows[strategy]

    def check_room(self, team: int, strategy: int = 0) -> None:
        """Refusal when a team or strategy has a number that records cannot carry, or when all rows are taken."""
        if not 0 < team < LARGEST_NUMBER or not 0 <= strategy < LARGEST_NUMBER:
            raise Refusal("a strategy and its team have positive numbers below 2^31")
        if team not in self.team_accounts and len(self.team_accounts) >= tables.TEAMS:
            raise Refusal(f"the engine has room for {tables.TEAMS} teams")
        last = len(self.memory.strategies) - 1
        if strategy and strategy not in self.strategy_rows:
            following = len(self.strategy_rows) + 1
            if following > last or self.memory.strategies[following]["parent"]:
                raise Refusal(f"the engine has room for {last} strategies and parent orders")

    def clear_row(self, row: int) -> None:
        """Nothing of what a row was used for before is left."""
        memory = self.memory
        account = memory.strategies[row]["account"]
        memory.strategies[row] = np.zeros((), tables.STRATEGY)
        memory.strategies[row]["account"] = account
        first = row * tables.LEGS_PER_STRATEGY
        memory.legs[first : first + tables.LEGS_PER_STRATEGY] = np.zeros((), tables.LEG)

    def count_breaks(self, instrument: int) -> int:
        """Bring the gate what is open in an instrument; how many that is."""
        count = sum(found.instrument == instrument for found in self.breaks.values())
        self.memory.instruments[instrument]["breaks"] = count
        return count

    def bind_limits(self, version: int, rows: list[LimitsRow]) -> None:
        """Make a whole snapshot the one that the gate reads."""
        self.limits = rows
        used = [0, *self.team_accounts.values()]
        used += [tables.FIRST_STRATEGY_ACCOUNT + row for row in self.strategy_rows.values()]
        for index in used:
            self._bind_limits(index)
        self.memory.core["limits_version"] = version
        # What was denied may be allowed now: nobody waits for the end of a long pause.
        self.memory.legs["denied"] = self.memory.legs["retry_after_ns"] = 0

    def _bind_limits(self, index: int) -> None:
        account = self.memory.accounts[index]
        found = next((r for r in self.limits if (r.scope, r.scope_id) == (account["scope"], account["scope_id"])), None)
        for name in LIMIT_FIELDS:
            account[name] = getattr(found, name) if found else -1
        account["rate_interval_ns"] = SECOND_NS // max(int(account["orders_per_second"]), 1)

    def bind_venue(self, body: DefineVenue, settings: VenueSettings) -> None:
        """Make a venue known to the loop; its sockets are opened by the cold path."""
        self.venues[body.venue] = body
        row = self.memory.venues[body.venue]
        row["protocol"] = PROTOCOLS[body.protocol]
        row["maker_fee"], row["taker_fee"] = settings.maker_fee, settings.taker_fee
        row["minimum_quantity"] = getattr(settings, "minimum_quantity", 0)
        row["midpoint"] = getattr(settings, "midpoint", 0)
        row["post_only"] = getattr(settings, "post_only", 1)
        row["good_till"] = getattr(settings, "good_till", 0)
        row["resend_ns"] = getattr(settings, "resend_within_ms", 0) * 1_000_000
        row["lockstep"] = getattr(settings, "lockstep", False)
        row["auctions"] = body.protocol in WITH_AUCTIONS and settings.priced_by in (0, body.venue)
        row["largest_price"] = LARGEST_PRICES.get(body.protocol, 0)
        row["firm"] = int.from_bytes(getattr(settings, "firm", "").upper().encode().ljust(4), "little")
        row["killed"] = (Scope.VENUE, body.venue) in self.kills
        priced_by = settings.priced_by or body.venue
        if row["priced_by"] != priced_by:
            row["priced_by"] = priced_by
            self._watch_again(body.venue)

    def _watch_again(self, venue: int) -> None:
        """The legs whose orders go to a venue look at the book that prices it now."""
        legs = self.memory.legs
        for index in ((legs["venue"] == venue) & (legs["instrument"] > 0)).nonzero()[0].tolist():
            self._watch(legs[index])
        self.memory.subscribe()

    def bind_strategy(self, body: StartStrategy, kind: Kind, values: dict[str, float]) -> None:
        """Put a checked strategy into its row and let it run. Positions of its legs stay."""
        memory = self.memory
        row = self.strategy_row(body.strategy)
        state = touched(1, kind.module.STATE)
        for name, value in values.items():
            state[name] = value
        memory.rows[row] = state
        strategy = memory.strategies[row]
        strategy["id"], strategy["kind"], strategy["entry"] = body.strategy, kind.number, kind.entry
        strategy["team"] = self.team_account(body.team)
        strategy["row"] = address_of(state)
        strategy["leg_count"] = len(body.instruments)
        for at, instrument in enumerate(body.instruments):
            self.bind_leg(row * tables.LEGS_PER_STRATEGY + at, row, body.venue, instrument)
        self.strategies[body.strategy] = body
        strategy["state"] = StrategyState.RUNNING
        memory.subscribe()

    def bind_leg(self, index: int, row: int, venue: int, instrument: int) -> None:
        """Let a leg of a row watch and trade an instrument on a venue."""
        memory = self.memory
        leg = memory.legs[index]
        leg["instrument"], leg["venue"], leg["strategy"] = instrument, venue, row
        self._watch(leg)
        leg["attempts"] = leg["retry_after_ns"] = leg["denied"] = leg["canceling"] = 0

    def _watch(self, leg: Any) -> None:
        memory = self.memory
        leg["watched"] = memory.venues[int(leg["venue"])]["priced_by"]
        leg["listing"] = memory.listing(int(leg["watched"]), int(leg["instrument"]))
        top = memory.book.tops[int(leg["listing"])]
        for name in ("bid", "bid_quantity", "ask", "ask_quantity"):
            leg[name] = top[name]

    def check_strategy(self, body: StartStrategy) -> tuple[Kind, dict[str, float]]:
        """The compiled kind and the parameter values, or a Refusal that names what is wrong."""
        try:
            kind = compiled_kind(body.kind)
        except KeyError:
            raise Refusal(f"this engine has no strategy kind {body.kind!r}") from None
        if body.kind_hash != kind.hash:
            raise Refusal(f"{body.kind} of this engine is {kind.hash}, not {body.kind_hash}; open the form again")
        if body.strategy <= 0:
            raise Refusal("a strategy has a positive number")
        self.check_room(body.team, body.strategy)
        self._check_legs(body, len(kind.module.INSTRUMENT_LABELS))
        if (Scope.STRATEGY, body.strategy) in self.kills:
            raise Refusal(f"strategy {body.strategy} was killed; somebody has to re-arm it first")
        return kind, check_parameters(kind.module.PARAMETERS, body.parameters, getattr(kind.module, "BELOW", ()))

    def _check_legs(self, body: StartStrategy, expected: int) -> None:
        if body.venue not in self.venues:
            raise Refusal(f"venue {body.venue} is not defined")
        if len(body.instruments) != expected or len(set(body.instruments)) != expected:
            raise Refusal(f"{body.kind} needs {expected} different instruments")
        for instrument in body.instruments:
            if instrument not in self.names:
                raise Refusal(f"instrument {instrument} is not known")
        row = self.strategy_rows.get(body.strategy)
        if row is None:
            return
        if self.memory.strategies[row]["state"] == StrategyState.RUNNING and self.strategies[body.strategy] != body:
            raise Refusal(f"strategy {body.strategy} is running with another definition; stop it first")
        for at in range(tables.LEGS_PER_STRATEGY):
            leg = self.memory.legs[row * tables.LEGS_PER_STRATEGY + at]
            kept = at < len(body.instruments) and leg["instrument"] == body.instruments[at]
            kept = kept and self.team_accounts.get(body.team) == self.memory.strategies[row]["team"]
            if (leg["position"] != 0 or leg["open_orders"] != 0) and not kept:
                name = self.names[int(leg["instrument"])]
                raise Refusal(f"strategy {body.strategy} still holds {int(leg['position'])} {name}; close that first")


def check_parameters(
    parameters: list[Parameter], given: dict[str, Any], below: Iterable[tuple[str, str]] = ()
) -> dict[str, float]:
    """Values by name, every one present, finite, within its hard bounds and below what it must be below; Refusal
    otherwise."""
    for name in given:
        if name not in {parameter.name for parameter in parameters}:
            raise Refusal(f"there is no parameter {name!r}")
    values = {}
    for parameter in parameters:
        value = given.get(parameter.name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refusal(f"{parameter.label} must be a number")
        if not parameter.low <= value <= parameter.high:
            raise Refusal(f"{parameter.label} is {value:g}; it must be from {parameter.low:g} to {parameter.high:g}")
        if parameter.step == 1 and value != int(value):
            raise Refusal(f"{parameter.label} must be a whole number")
        values[parameter.name] = float(value)
    labels = {parameter.name: parameter.label for parameter in parameters}
    for low, high in below:
        if values[low] >= values[high]:
            raise Refusal(f"{labels[low]} ({values[low]:g}) must be below {labels[high]} ({values[high]:g})")
    return values
