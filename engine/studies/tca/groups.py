"""Sums of costs over what belongs together. Whole numbers, so that the rows of a grouping add up to the total.

A parent without a market at its decision has no price to be measured against: it is counted (`unpriced`), its costs are
left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.messages.tca import BY_FILL, BY_PARENT, COSTS, MARKED, MARKOUTS, NOT_EXECUTED, SUMS, keys_of
from engine.studies.tca.costs import Report

Array = np.ndarray[Any, Any]
FILL_SUMS = ("notional", "spread", "impact", "timing", "fees", "against_middle", *MARKOUTS, *MARKED)
Group = dict[str, Any]


def group(report: Report) -> list[Group]:
    """One row for each group and team of every grouping: `grouping`, `key`, `team` and SUMS."""
    made: list[Group] = []
    for grouping in BY_PARENT:
        made += _by_parent(report.parents, grouping, keys_of(report.parents, grouping))
    for grouping in BY_FILL:
        made += _by_fill(report, grouping)
    return made


def total(report: Report) -> list[Group]:
    """One row for each team."""
    return _by_parent(report.parents, "total", np.zeros(len(report.parents), np.int64))


def _parent_sums(parents: Array) -> dict[str, Array]:
    priced = parents["arrival_2"] > 0
    values = {name: np.where(priced, parents[name], 0) for name in SUMS if name in (parents.dtype.names or ())}
    for name in ("orders", "fills", "quantity", "filled"):
        values[name] = parents[name].astype(np.int64)
    values["parents"] = np.ones(len(parents), np.int64)
    values["unpriced"] = (~priced).astype(np.int64)
    return values


def _by_parent(parents: Array, grouping: str, keys: Array) -> list[Group]:
    return _rows(grouping, keys, parents["team"].astype(np.int64), _parent_sums(parents))


def _rows(grouping: str, keys: Array, teams: Array, values: dict[str, Array]) -> list[Group]:
    pairs, places = np.unique(np.stack([keys, teams], axis=1), axis=0, return_inverse=True)
    sums = {}
    for name, column in values.items():
        sums[name] = np.zeros(len(pairs), np.int64)
        np.add.at(sums[name], places.reshape(-1), column)
    return [
        {"grouping": grouping, "key": int(key), "team": int(team)}
        | {name: int(sums[name][at]) if name in sums else 0 for name in SUMS}
        for at, (key, team) in enumerate(pairs)
    ]


def _by_fill(report: Report, grouping: str) -> list[Group]:
    """Executed shares where they were executed; what was not executed in a row of its own."""
    fills, parents = report.fills, report.parents
    owner = parents[fills["parent_row"]]
    priced = owner["arrival_2"] > 0
    values = {name: np.where(priced, fills[name], 0) for name in FILL_SUMS}
    values["fills"] = np.ones(len(fills), np.int64)
    values["quantity"] = values["filled"] = fills["quantity"].astype(np.int64)
    values["paper"] = fills["quantity"] * owner["arrival_2"]
    values["shortfall"] = np.sum([values[name] for name in COSTS if name in values], axis=0)
    rest = np.maximum(parents["quantity"] - parents["filled"], 0)
    rest_values = {name: np.zeros(len(parents), np.int64) for name in values}
    rest_values |= {"quantity": rest, "paper": rest * parents["arrival_2"], "shortfall": parents["opportunity"]}
    together = {name: np.concatenate([values[name], rest_values[name]]) for name in values}
    together["opportunity"] = np.concatenate([np.zeros(len(fills), np.int64), parents["opportunity"]])
    keys = np.concatenate([fills[grouping].astype(np.int64), np.full(len(parents), NOT_EXECUTED)])
    teams = np.concatenate([owner["team"], parents["team"]]).astype(np.int64)
    return [row for row in _rows(grouping, keys, teams, together) if row["fills"] or row["quantity"]]
