"""`fit_costs`: the square-root impact coefficient and the share of the spread that fills pay, by venue and instrument.

Impact of a parent in basis points = coefficient x volatility of the session x sqrt(executed / session's volume), by
least squares through the origin over the shares that took, each parent weighted by what it traded. docs/tca.md has
formulas and sources.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.messages.codes import Liquidity
from engine.messages.costs import CostRow
from engine.messages.tca import DAY_NS
from engine.studies.tca.costs import Report
from engine.studies.tca.market import Series
from engine.studies.tca.orders import Order

Array = np.ndarray[Any, Any]
ADDED, REMOVED = int(Liquidity.ADDED), int(Liquidity.REMOVED)
BASIS_POINTS = 10_000
LEAST_PARENTS = 3  # fewer say nothing about a coefficient
ADVERSE_HORIZON = 1  # of HORIZONS_NS: ten seconds
NS_PER_US = 1000


def volatility_basis_points(series: Series) -> float:
    """Standard deviation of a day's return: the root of the summed squared returns of the middle, second by second; of
    several days (UTC) their average."""
    if len(series.times) < 2:
        return 0.0
    seconds = np.arange(series.times[0], series.times[-1] + 1, 1_000_000_000)
    middles = series.after(seconds).astype(np.float64)
    middles = middles[middles > 0]
    returns = np.diff(np.log(middles))
    days = len(np.unique(seconds // DAY_NS))
    return float(np.sqrt(np.sum(returns**2) / days)) * BASIS_POINTS


def fit_costs(report: Report, series: dict[int, Series], orders: Iterable[Order] = ()) -> list[CostRow]:
    """Rows for each venue and instrument that has fills, for each venue, each instrument, and everything. `orders` say
    how long their venues took to answer."""
    answered = [(row.venue, row.instrument, row.answered_ns - row.sent_ns) for row in orders if row.answered_ns]
    waits = np.array(answered, np.int64).reshape(-1, 3)
    fills = report.fills
    priced = (fills["middle_2"] > 0) & (report.parents["arrival_2"][fills["parent_row"]] > 0)
    fills = fills[priced]
    volatility = {instrument: volatility_basis_points(market) for instrument, market in series.items()}
    pairs = np.unique(np.stack([fills["venue"], fills["instrument"]], axis=1).astype(np.int64), axis=0).tolist()
    keys = {(0, 0)} | {key for venue, at in pairs for key in ((venue, at), (venue, 0), (0, at))}
    return [_row(report, fills, key, volatility, waits) for key in sorted(keys) if len(fills)]


def _row(report: Report, fills: Array, key: tuple[int, int], volatility: dict[int, float], waits: Array) -> CostRow:
    venue, instrument = key
    waited = waits[((waits[:, 0] == venue) | (venue == 0)) & ((waits[:, 1] == instrument) | (instrument == 0)), 2]
    own = fills[((fills["venue"] == venue) | (venue == 0)) & ((fills["instrument"] == instrument) | (instrument == 0))]
    quantity, notional = int(own["quantity"].sum()), float(own["notional"].sum())
    half_spread = float((own["quantity"] * own["spread_width"]).sum())
    coefficient, error = _impact(report, own[own["liquidity"] == REMOVED], volatility)
    used = np.unique(own["instrument"]).tolist()
    volumes = report.parents["session_volume"][own["parent_row"]]
    return CostRow(
        venue=venue,
        instrument=instrument,
        fills=len(own),
        quantity=quantity,
        half_spread_basis_points=half_spread / notional * BASIS_POINTS,
        spread_share=float(own["spread"].sum()) / half_spread if half_spread else 0.0,
        added_share=float(own["quantity"][own["liquidity"] == ADDED].sum()) / quantity,
        impact_coefficient=coefficient,
        impact_error=error,
        volatility_basis_points=float(np.mean([volatility[at] for at in used])),
        volume=int(np.mean(volumes)),
        fee_basis_points=float(own["fees"].sum()) / notional * BASIS_POINTS,
        adverse_basis_points=_adverse(own[own["liquidity"] == ADDED]),
        latency_us=round(float(np.median(waited)) / NS_PER_US) if len(waited) else 0,
    )


def _adverse(fills: Array) -> float:
    """How far the middle had moved against these fills ten seconds later: what they had cost against the middle before,
    less the cost against the one after. 0 when the recording goes no further."""
    known = fills[fills[f"marked_{ADVERSE_HORIZON}"] > 0]
    moved = -float(known["against_middle"].sum()) - float(known[f"markout_{ADVERSE_HORIZON}"].sum())
    return moved / float(known["notional"].sum()) * BASIS_POINTS if len(known) else 0.0


def _impact(report: Report, fills: Array, volatility: dict[int, float]) -> tuple[float, float]:
    """Coefficient and its standard error over the parents of these fills, which took; 0 and 0 for too few."""
    rows, places = np.unique(fills["parent_row"], return_inverse=True)
    sums = {}
    for name in ("impact", "notional", "quantity"):
        sums[name] = np.zeros(len(rows))
        np.add.at(sums[name], places, fills[name])
    parents = report.parents[rows]
    session = np.array([volatility[at] for at in parents["instrument"].tolist()])
    volume = parents["session_volume"]
    regressor = session * np.sqrt(sums["quantity"] / np.maximum(volume, 1))
    known = (volume > 0) & (regressor > 0)
    if int(known.sum()) < LEAST_PARENTS:
        return 0.0, 0.0
    x, weight = regressor[known], sums["notional"][known]
    y = sums["impact"][known] / weight * BASIS_POINTS
    squares = float((weight * x * x).sum())
    coefficient = float((weight * x * y).sum()) / squares
    residuals = weight * (y - coefficient * x) ** 2
    error = float(np.sqrt(residuals.sum() / (len(x) - 1) / squares))
    return coefficient, error
