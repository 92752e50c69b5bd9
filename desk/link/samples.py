"""The P&L of the state frames, kept for the charts where it changed: of firm and teams each second, else each ten."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from desk.positions.models import PnlPoint
from desk.strategies.models import Strategy
from engine.messages.codes import Scope
from engine.messages.prices import to_decimal

SECOND_NS = 1_000_000_000
STRATEGY_SECONDS = 10
QUIET_SECONDS = 60  # an unchanged value is written again this often, so that a chart has no holes
SECONDS = {Scope.STRATEGY.value: STRATEGY_SECONDS}
Key = tuple[int, int]
Amounts = tuple[int, int, int]


class Sampler:
    """Remembers what was written last for each scope."""

    def __init__(self) -> None:
        self._second = 0
        self._written: dict[Key, tuple[int, Amounts]] = {}

    def take(self, state: dict[str, Any]) -> int:
        """Keep the P&L of a state frame; returns how many points were written."""
        second = int(state["time_ns"]) // SECOND_NS
        if second <= self._second:
            return 0
        self._second = second
        points = []
        for key, amounts in amounts_of(state).items():
            last_second, last_amounts = self._written.get(key, (0, None))
            least = QUIET_SECONDS if amounts == last_amounts else SECONDS.get(key[0], 1)
            if second - last_second < least:
                continue
            self._written[key] = (second, amounts)
            points.append(_point(second, key, amounts))
        PnlPoint.objects.bulk_create(points, ignore_conflicts=True)
        return len(points)


def amounts_of(state: dict[str, Any]) -> dict[Key, Amounts]:
    """Realised, unrealised and fees (1/10,000) of the firm, of each team and of each strategy in a frame."""
    rows = [row for row in state.get("strategies", []) if row["strategy"]]
    teams = dict(Strategy.objects.filter(pk__in=[row["strategy"] for row in rows]).values_list("pk", "team_id"))
    found: dict[Key, Amounts] = {(Scope.FIRM.value, 0): _amounts(state.get("pnl") or {})}
    by_team: defaultdict[int, list[Amounts]] = defaultdict(list)
    for row in rows:
        amounts = found[Scope.STRATEGY.value, row["strategy"]] = _amounts(row)
        if row["strategy"] in teams:
            by_team[teams[row["strategy"]]].append(amounts)
    for team, parts in by_team.items():
        realised, unrealised, fees = zip(*parts, strict=True)
        found[Scope.TEAM.value, team] = (sum(realised), sum(unrealised), sum(fees))
    return found


def _amounts(row: dict[str, Any]) -> Amounts:
    return int(row.get("realised") or 0), int(row.get("unrealised") or 0), int(row.get("fees") or 0)


def _point(second: int, key: Key, amounts: Amounts) -> PnlPoint:
    realised, unrealised, fees = (to_decimal(amount) for amount in amounts)
    return PnlPoint(
        time=datetime.fromtimestamp(second, UTC),
        scope=key[0],
        scope_id=key[1],
        realised=realised,
        unrealised=unrealised,
        fees=fees,
    )
