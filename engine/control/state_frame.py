"""The conflated state, read from the loop's tables (`engine.messages.state` has the layout). Reading never disturbs
the loop; numbers of one frame may be a moment apart from each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.algorithms import algorithm_label
from engine.build import build_hash
from engine.control.configuration import Configuration
from engine.control.latency_keeper import no_latency
from engine.control.listing_state import listing_state, market_state
from engine.hotpath import tables
from engine.hotpath.book_layout import OUTCOMES
from engine.hotpath.entries import middle_of
from engine.hotpath.itch_book import OUTCOME_NAMES
from engine.messages.codes import EngineState, ParentState, Scope, SessionState, Side, StrategyState
from engine.messages.state import LINES, STATE_VERSION

ON_DEMAND = frozenset({"R", "S"})  # lines that appear once they were needed
COUNTED = (
    "packets", "messages", "duplicates", "gaps", "lost", "malformed", "heartbeats", "recovered", "behind",
)  # fmt: skip
PARENT_NUMBERS = (
    "trader", "side", "quantity", "price", "start_ns", "end_ns", "filled", "scheduled", "volume", "auction_working",
    "auction_filled",
)  # fmt: skip
NOT_REFUSED = frozenset({"applied", "not_followed", "not_book"})


class StateFrame:
    """Makes the state of one engine."""

    def __init__(self, configuration: Configuration, epoch: int, mode: str) -> None:
        self._configuration, self._epoch, self._mode = configuration, epoch, mode
        self._memory = configuration.memory
        self.journal_sequence = lambda: 0
        self.recording_position = lambda: 0
        self.latency = no_latency

    def make(self) -> dict[str, Any]:
        """The state now."""
        core = self._memory.core[0]
        strategies = self._strategies()
        positions = self._positions()
        return {
            "version": STATE_VERSION,
            "epoch": self._epoch,
            "build_hash": build_hash(),
            "mode": self._mode.upper(),
            "engine_state": EngineState(int(core["state"])).name,
            "time_ns": int(core["clock_ns"]),
            "journal_sequence": self.journal_sequence(),
            "recording_position": self.recording_position(),
            "limits_version": self._configuration.limits_version,
            "limits_hash": self._configuration.limits_hash,
            "kills": [
                {"scope": Scope(scope).name, "scope_id": scope_id}
                for scope, scope_id in sorted(self._configuration.kills.copy())
            ],
            "refused": self._refused(),
            "venues": self._venues(),
            "feeds": self._feeds(),
            "strategies": strategies,
            "parents": self._parents(),
            "positions": positions,
            "tops": self._tops(),
            "pnl": self._with_today(_sum_pnl(positions), tables.FIRM_ACCOUNT),
            "latency": self.latency(),
            "alarms": self._alarms(),
        }

    def _refused(self) -> dict[str, int]:
        counts = self._memory.book.counts.reshape(-1, OUTCOMES).sum(axis=0)
        found = {name: int(counts[at]) for at, name in enumerate(OUTCOME_NAMES) if name not in NOT_REFUSED}
        return found | {"unknown_report": int(self._memory.core["unknown_reports"][0])}

    def _alarms(self) -> list[dict[str, Any]]:
        alarms = sorted(self._configuration.alarms.copy().items())
        return [{"name": name, "sentence": body.sentence, "since_ns": since_ns} for name, (body, since_ns) in alarms]

    def _venues(self) -> list[dict[str, Any]]:
        rows = []
        for number, body in sorted(self._configuration.venues.copy().items()):
            row = self._memory.venues[number]
            rows.append(
                {
                    "venue": number,
                    "name": body.name,
                    "protocol": body.protocol,
                    "session": SessionState(int(row["session"])).name,
                    "orders": int(row["orders"]),
                    "fills": int(row["fills"]),
                    "rejects": int(row["rejects"]),
                    "malformed": int(row["malformed"]),
                    "debug_packets": int(row["debug_packets"]),
                    "order_entry": "disabled" if row["entry_disabled"] else "enabled",
                    "why": self._configuration.complaints.get(number, ""),
                    "last_heard_ns": int(row["heard_ns"]) or None,
                }
                | market_state(self._memory.markets[number])
            )
        return rows

    def _feeds(self) -> list[dict[str, Any]]:
        rows = []
        for number, body in sorted(self._configuration.venues.copy().items()):
            venue = self._memory.venues[number]
            if venue["priced_by"] != number and not body.settings.get("feed_line_a"):
                continue  # it has no feed
            state = {"dirty": bool(venue["dirty"]), "ended": bool(venue["ended"])}
            for at, line in enumerate(LINES):
                row = self._memory.lines[number * tables.LINES + at]
                if line in ON_DEMAND and not row["packets"]:
                    continue
                behind = int(row["behind"])
                rows.append(
                    {"venue": number, "line": line}
                    | state
                    | {name: int(row[name]) for name in COUNTED}
                    | {"behind_mean_ns": int(row["behind_ns"]) // behind if behind else None}
                    | {"behind_most_ns": int(row["behind_most_ns"]) if behind else None}
                    | {"last_heard_ns": int(row["heard_ns"]) or None}
                )
        return rows

    def _strategies(self) -> list[dict[str, Any]]:
        rows = []
        for strategy, at in sorted(self._configuration.strategy_rows.copy().items()):
            row = self._memory.strategies[at]
            if not row["id"]:
                continue
            state = StrategyState(int(row["state"]) or StrategyState.STOPPED)
            if state == StrategyState.STOPPED and row["working"] > 0:
                state = StrategyState.STOPPING
            first = at * tables.LEGS_PER_STRATEGY
            pnl = _sum_pnl([self._leg(leg) for leg in self._memory.legs[first : first + int(row["leg_count"])]])
            own = self._memory.rows.get(at)
            signal = own["signal"][0] if own is not None and "signal" in (own.dtype.names or ()) else row["signal"]
            rows.append(
                {"strategy": strategy, "state": state.name, "signal": round(float(signal), 4)}
                | {name: int(row[name]) for name in ("orders", "fills", "denials", "working")}
                | self._with_today(pnl, int(row["account"]))
            )
        return rows

    def _parents(self) -> list[dict[str, Any]]:
        rows = []
        memory = self._memory
        for row in memory.parents[: int(memory.core["parent_count"][0])].tolist():
            own, strategy = memory.rows[row][0], memory.strategies[row]
            if not strategy["parent"]:
                continue
            legs = memory.legs[row * tables.LEGS_PER_STRATEGY :][: int(strategy["leg_count"])]
            side = "working_buy" if own["side"] == Side.BUY else "working_sell"
            working = legs[side].sum()
            if several := bool(own["several"]):
                working = (legs["working_buy"] + legs["working_sell"]).sum()
            rows.append(
                {
                    "parent": int(own["parent"]),
                    "strategy": int(memory.strategies[int(own["owner"])]["id"]),
                    "team": int(memory.accounts[int(strategy["team"])]["scope_id"]),
                    "instrument": int(legs["instrument"][0]) if len(legs) else 0,
                    "venues": [venue for venue in range(1, tables.VENUES) if int(own["venues"]) >> (venue - 1) & 1],
                    "algorithm": algorithm_label(int(strategy["kind"])),
                    "state": ParentState(int(own["state"])).name,
                    "working": int(working),
                    "average_price": int(own["value"]) // int(own["filled"]) if own["filled"] and not several else None,
                    "legs": self._legs_of(own, legs) if several else [],
                    "refusing": int(legs["denied"].max(initial=0)),
                }
                | {name: int(own[name]) for name in PARENT_NUMBERS}
            )
        return rows

    def _legs_of(self, own: Any, legs: Any) -> list[dict[str, int]]:
        """What each leg of a multi-leg order has done of its quantity."""
        return [
            {
                "instrument": int(leg["instrument"]),
                "side": int(own[f"side_{at}"]),
                "quantity": int(own[f"quantity_{at}"]),
                "filled": abs(int(leg["position"])),
                "unwound": min(int(leg["bought"]), int(leg["sold"])),
            }
            for at, leg in enumerate(legs, 1)
        ]

    def _with_today(self, pnl: dict[str, int], account: int) -> dict[str, int]:
        """The same with what of it was made since midnight UTC, from where the gate's daily loss counts too."""
        return pnl | {"today": pnl["net"] - int(self._memory.accounts[account]["day_start"])}

    def _positions(self) -> list[dict[str, Any]]:
        rows = []
        for strategy, at in sorted(self._configuration.strategy_rows.copy().items()):
            first = at * tables.LEGS_PER_STRATEGY
            legs = self._memory.legs[first : first + int(self._memory.strategies[at]["leg_count"])]
            traded = [leg for leg in legs if leg["bought"] or leg["sold"]]
            rows += [{"strategy": strategy, "venue": int(leg["venue"])} | self._leg(leg) for leg in traded]
        first = tables.FIRST_STRATEGY_ACCOUNT * self._memory.width
        manual = self._memory.cells[first : first + self._memory.width]
        for instrument in np.flatnonzero(manual["bought"] + manual["sold"]).tolist():
            cell = self._cell(manual[instrument], instrument, self._mark(instrument))
            rows.append({"strategy": 0, "venue": None} | cell)
        return rows

    def _leg(self, leg: Any) -> dict[str, Any]:
        instrument = int(leg["instrument"])
        return self._cell(leg, instrument, self._mark(instrument))

    def _cell(self, cell: Any, instrument: int, mark: int | None) -> dict[str, Any]:
        position, cost = int(cell["position"]), int(cell["cost"])
        value = position * mark if mark is not None else cost
        return {
            "instrument": instrument,
            "quantity": position,
            "average_price": cost // position if position else None,
            "mark": mark,
            "realised": int(cell["cash"]) + cost,
            "unrealised": value - cost,
            "fees": int(cell["fees"]),
        }

    def _mark(self, instrument: int) -> int | None:
        for venue in range(1, int(self._memory.core["venue_count"][0]) + 1):
            top = self._memory.book.tops[self._memory.listing(venue, instrument)]
            mark = int(middle_of(top["bid"], top["bid_quantity"], top["ask"], top["ask_quantity"]))
            if mark:
                return mark
        return int(self._memory.marks[instrument]) or None

    def _tops(self) -> list[dict[str, Any]]:
        rows = []
        for venue in sorted(self._configuration.venues.copy()):
            for instrument in self._configuration.names:
                top = self._memory.book.tops[self._memory.listing(venue, instrument)]
                sides = {name: int(top[name]) for name in ("bid", "bid_quantity", "ask", "ask_quantity")}
                if not sides["bid_quantity"]:
                    sides["bid"] = sides["bid_quantity"] = None  # type: ignore[assignment]
                if not sides["ask_quantity"]:
                    sides["ask"] = sides["ask_quantity"] = None  # type: ignore[assignment]
                status = self._memory.statuses[self._memory.listing(venue, instrument)]
                rows.append({"venue": venue, "instrument": instrument} | sides | listing_state(status))
        return rows


def _sum_pnl(rows: list[dict[str, Any]]) -> dict[str, int]:
    total = {name: sum(row[name] for row in rows) for name in ("realised", "unrealised", "fees")}
    return total | {"net": total["realised"] + total["unrealised"] - total["fees"]}
