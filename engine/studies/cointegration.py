"""Whether two prices move together: hedge ratio, half-life of the spread, Engle-Granger and Johansen statistics."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from statsmodels.tools.sm_exceptions import CollinearityWarning
from statsmodels.tsa.stattools import coint
from statsmodels.tsa.vector_ar.vecm import coint_johansen

FEWEST_ROWS = 20


class NotComparable(Exception):
    """Two prices that no study can compare; the text says why."""


@dataclass(frozen=True)
class Cointegration:
    """The spread is `first - hedge_ratio * second`; it swings around `centre`, `spread_deviation` wide (currency).

    `half_life` in rows, infinite for a spread that does not return. `engle_granger_t` is the residual's augmented
    Dickey-Fuller t (first on second, with a constant), `cointegrated` whether it is below the 5 % critical value;
    `johansen_trace` the trace statistic of rank 0 (constant, one lagged difference).
    """

    rows: int
    hedge_ratio: float
    centre: float
    spread_deviation: float
    half_life: float
    engle_granger_t: float
    engle_granger_p: float
    johansen_trace: float
    cointegrated: bool


def compare(first: NDArray[np.float64], second: NDArray[np.float64], lags: int | None = None) -> Cointegration:
    """Study two price columns over the rows where both have a price. `lags` of the unit root test; None: by AIC."""
    both = np.isfinite(first) & np.isfinite(second)
    first, second = first[both], second[both]
    if len(first) < FEWEST_ROWS:
        raise NotComparable(f"only {len(first)} rows have both prices")
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        raise NotComparable("a price never moves")
    hedge_ratio, centre = np.polyfit(second, first, 1)
    spread = first - hedge_ratio * second
    if np.std(spread - centre) < 1e-12 * np.std(first):
        raise NotComparable("the prices are the same up to a factor")
    statistic, p_value, critical = _engle_granger(first, second, lags)
    return Cointegration(
        rows=len(first),
        hedge_ratio=float(hedge_ratio),
        centre=float(centre),
        spread_deviation=float(np.std(spread - centre, ddof=2)),
        half_life=half_life(spread),
        engle_granger_t=statistic,
        engle_granger_p=p_value,
        johansen_trace=float(coint_johansen(np.column_stack([first, second]), 0, 1).lr1[0]),
        cointegrated=statistic < critical,
    )


def half_life(spread: NDArray[np.float64]) -> float:
    """Rows until half of a deviation is gone, from the regression of the spread's changes on its level."""
    slope = float(np.polyfit(spread[:-1], np.diff(spread), 1)[0])
    return -math.log(2.0) / slope if slope < 0 else math.inf


def _engle_granger(
    first: NDArray[np.float64], second: NDArray[np.float64], lags: int | None
) -> tuple[float, float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", CollinearityWarning)
        try:
            found = coint(first, second, trend="c", maxlag=lags, autolag="aic" if lags is None else None)
        except CollinearityWarning as problem:
            raise NotComparable("the prices are the same up to a factor") from problem
    return float(found[0]), float(found[1]), float(found[2][1])
