"""The engine's state frame cut into the rows of the STATE channels. Money and prices become decimal text here."""

from __future__ import annotations

from typing import Any

from desk.live.channels import FIRM
from desk.live.names import Names
from desk.live.state_channel import Rows
from engine.messages.codes import Side
from engine.messages.prices import FOREVER_NS

MONEY = frozenset(
    {"realised", "unrealised", "fees", "net", "today", "average_price", "mark", "bid", "ask", "value"}
    | {"collar_lower", "collar_upper", "last_price", "near_price"}
)
PNL = ("realised", "unrealised", "fees", "net", "today")
WINDOWS = ("minute", "day")


def decimal_text(value: int) -> str:
    """Integer price or money in 1/10,000 as decimal text with four places."""
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(int(value)), 10_000)
    return f"{sign}{whole}.{rest:04d}"


def channel_rows(state: dict[str, Any], names: Names) -> dict[str, Rows]:
    """Rows per channel name. A team's channel appears when the team has a strategy the engine knows."""
    channels: dict[str, Rows] = {
        "engine": {"engine": _engine_row(state)},
        "venues": {str(row["venue"]): dict(row) for row in state.get("venues", [])},
        "feeds": {f"{row['venue']}.{row['line']}": _feed_row(row, names) for row in state.get("feeds", [])},
        "latency": _latency_rows(state.get("latency") or {}),
        "alarms": {row["name"]: dict(row) for row in state.get("alarms", [])},
        "tops": {f"{row['venue']}.{row['instrument']}": _with_decimals(row) for row in state.get("tops", [])},
        f"pnl.{FIRM}": {"pnl": _with_decimals(state.get("pnl") or {})},
    }
    totals: dict[int, dict[str, int]] = {}
    for row in state.get("strategies", []):
        team = names.teams.get(row["strategy"], FIRM)
        net = row["realised"] + row["unrealised"] - row["fees"]
        row = {**row, "net": net, "today": row.get("today", net)}
        shown = _with_decimals(row)
        shown["name"] = names.strategy(row["strategy"])
        channels.setdefault(f"strategies.{team}", {})[str(row["strategy"])] = shown
        total = totals.setdefault(team, dict.fromkeys(PNL, 0))
        for column in PNL:
            total[column] += row[column]
    for team, total in totals.items():
        if team != FIRM:
            channels[f"pnl.{team}"] = {"pnl": _with_decimals(total)}
    for row in state.get("positions", []):
        team = names.teams.get(row["strategy"], FIRM)
        key = f"{row['strategy']}.{row['instrument']}.{row['venue']}"
        channels.setdefault(f"positions.{team}", {})[key] = _position_row(row, names)
    for row in state.get("parents", []):
        channels.setdefault(f"parents.{row['team']}", {})[str(row["parent"])] = _parent_row(row, names)
    return channels


def _parent_row(row: dict[str, Any], names: Names) -> dict[str, Any]:
    shown = _with_decimals(row)
    shown["price"] = decimal_text(row["price"]) if row["price"] else None
    shown["side"] = Side(row["side"]).name
    shown["end_ns"] = 0 if row["end_ns"] == FOREVER_NS else row["end_ns"]
    legs = row.get("legs") or [row]
    shown["instrument_name"] = " / ".join(names.instrument(leg["instrument"]) for leg in legs)
    for column in ("filled", "scheduled"):
        shown[f"{column}_percent"] = 100 * row[column] // row["quantity"]
    return shown


def _engine_row(state: dict[str, Any]) -> dict[str, Any]:
    columns = ("epoch", "build_hash", "mode", "engine_state", "journal_sequence", "recording_position")
    row = {column: state.get(column) for column in (*columns, "limits_version", "limits_hash")}
    row |= {f"refused_{name}": count for name, count in (state.get("refused") or {}).items()}
    row["kills"] = [f"{kill['scope']} {kill['scope_id']}" for kill in state.get("kills", [])]
    return row


def _latency_rows(latency: dict[str, Any]) -> Rows:
    """`engine` has the day's whole; a row for each stage has its quantiles of the last minute and of the day."""
    rows: Rows = {"engine": {name: value for name, value in latency.items() if name not in WINDOWS}}
    for window in WINDOWS:
        for stage, quantiles in latency.get(window, {}).items():
            row = rows.setdefault(stage, {})
            row |= {f"{window}_{name}": value for name, value in quantiles.items()}
    return rows


def _feed_row(row: dict[str, Any], names: Names) -> dict[str, Any]:
    return {**row, "venue_name": names.venue(row["venue"])}


def _position_row(row: dict[str, Any], names: Names) -> dict[str, Any]:
    mark = row.get("mark")
    net = row["realised"] + row["unrealised"] - row["fees"]
    shown = _with_decimals({**row, "net": net, "value": None if mark is None else mark * row["quantity"]})
    shown["strategy_name"] = names.strategy(row["strategy"])
    shown["instrument_name"] = names.instrument(row["instrument"])
    shown["venue_name"] = names.venue(row["venue"])
    return shown


def _with_decimals(row: dict[str, Any]) -> dict[str, Any]:
    return {
        column: decimal_text(value) if column in MONEY and value is not None else value for column, value in row.items()
    }
