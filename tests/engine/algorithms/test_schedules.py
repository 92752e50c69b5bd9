"""Schedules against published numbers and somebody else's arithmetic."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from engine.algorithms import shortfall, vwap
from engine.algorithms.children import elapsed

# Almgren and Chriss (2000), table 1: a million shares at 50 dollars in five days of one slice each.
PUBLISHED = {"risk_aversion": 1e-6, "volatility": 0.95, "temporary": 2.5e-6, "permanent": 2.5e-7, "tau": 1.0}
SHARES, DAYS, SLICES = 1_000_000, 5.0, 5


def optimal(risk_aversion: float, volatility: float, temporary: float, permanent: float, tau: float) -> list[float]:
    """What is left after each slice, as the solution of their difference equation (16) by linear algebra:
    (x[j-1] - 2 x[j] + x[j+1]) / tau^2 = kappa'^2 x[j]."""
    squared = risk_aversion * volatility**2 / (temporary - 0.5 * permanent * tau)
    inner = SLICES - 1
    matrix = np.diag([-2.0 - squared * tau**2] * inner) + np.diag([1.0] * (inner - 1), 1)
    matrix += np.diag([1.0] * (inner - 1), -1)
    right = np.zeros(inner)
    right[0] = -SHARES
    return [float(SHARES), *np.linalg.solve(matrix, right).tolist(), 0.0]


def test_kappa_is_the_published_one() -> None:
    assert shortfall.kappa_of(*PUBLISHED.values()) == pytest.approx(0.61, abs=0.005)  # "kappa is about 0.61 a day"


# The same example in a peer's library (DROP, org.drip.sample.almgrenchriss, its published output): by risk aversion a
# million of currency, what is left of 100 after each day; there the volatility of 30 % a year is not rounded.
PEER_VOLATILITY = 0.30 * 50.0 / math.sqrt(250.0)
PEER_LEFT = {
    0.001: [100.000, 79.955, 59.939, 39.947, 19.970, 0.0],
    0.250: [100.000, 70.550, 47.784, 29.545, 14.104, 0.0],
    0.500: [100.000, 63.724, 39.522, 22.809, 10.418, 0.0],
    1.000: [100.000, 54.238, 29.030, 14.822, 6.230, 0.0],
    2.000: [100.000, 42.907, 18.333, 7.654, 2.775, 0.0],
    4.000: [100.000, 31.212, 9.734, 3.013, 0.857, 0.0],
}
# Its efficient frontier, with 0.95: expected cost and variance in millions, half-life in days (1 / kappa).
PEER_FRONTIER = {
    0.001: (0.6625, 1.0812, 51.30),
    0.250: (0.6996, 0.7513, 3.26),
    0.500: (0.7681, 0.5634, 2.31),
    1.000: (0.9112, 0.3641, 1.65),
    2.000: (1.1407, 0.2019, 1.18),
    4.000: (1.4341, 0.0970, 0.86),
}
HALF_SPREAD = 0.0625


@pytest.mark.parametrize("risk_aversion", PEER_LEFT)
def test_what_is_left_is_a_peers_published_table(risk_aversion: float) -> None:
    terms = PUBLISHED | {"risk_aversion": risk_aversion * 1e-6, "volatility": PEER_VOLATILITY}
    kappa = shortfall.kappa_of(*terms.values())

    left = [round(100.0 * shortfall.left(kappa, at / SLICES, DAYS), 3) for at in range(SLICES + 1)]

    assert left == PEER_LEFT[risk_aversion]


@pytest.mark.parametrize("risk_aversion", PEER_FRONTIER)
def test_cost_and_risk_of_the_schedule_are_the_efficient_frontier(risk_aversion: float) -> None:
    """Their equations (4) and (5): E = gamma X^2 / 2 + epsilon X + (eta - gamma tau / 2) sum n^2 / tau, V = sigma^2 tau
    sum x^2."""
    kappa = shortfall.kappa_of(*(PUBLISHED | {"risk_aversion": risk_aversion * 1e-6}).values())
    left = np.array([SHARES * shortfall.left(kappa, at / SLICES, DAYS) for at in range(SLICES + 1)])
    temporary, permanent = PUBLISHED["temporary"], PUBLISHED["permanent"]

    traded = float(np.sum(np.diff(left) ** 2))
    cost = 0.5 * permanent * SHARES**2 + HALF_SPREAD * SHARES + (temporary - 0.5 * permanent) * traded
    variance = PUBLISHED["volatility"] ** 2 * float(np.sum(left[1:] ** 2))
    assert (round(cost / 1e6, 4), round(variance / 1e12, 4), round(1.0 / kappa, 2)) == PEER_FRONTIER[risk_aversion]


def test_what_is_left_solves_their_equation() -> None:
    kappa = shortfall.kappa_of(*PUBLISHED.values())

    left = [SHARES * shortfall.left(kappa, at / SLICES, DAYS) for at in range(SLICES + 1)]

    assert left == pytest.approx(optimal(**PUBLISHED), rel=1e-9, abs=1e-3)


@pytest.mark.parametrize("risk_aversion", [0.0, 1e-9, 1e-6, 2e-6, 1e-5, 1e-2])
def test_the_shape_for_any_aversion(risk_aversion: float) -> None:
    kappa = shortfall.kappa_of(*(PUBLISHED | {"risk_aversion": risk_aversion}).values())
    left = [shortfall.left(kappa, at / 20, DAYS) for at in range(21)]

    assert (left[0], left[-1]) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-12))
    assert all(later <= earlier for earlier, later in pairwise(left))
    assert all(value <= 1.0 - at / 20 + 1e-9 for at, value in enumerate(left))  # never behind a straight line
    if risk_aversion == 0.0:
        assert left == pytest.approx([1.0 - at / 20 for at in range(21)])


def test_slices_too_long_for_the_impact_are_one() -> None:
    assert shortfall.kappa_of(1e-6, 0.95, 1e-7, 1e-6, 1.0) == math.inf
    assert shortfall.left(math.inf, 0.5, 5.0) == 0.0


def test_a_given_curve_lies_over_the_day_and_an_order_takes_its_part_of_it() -> None:
    hour_ns = 3_600_000_000_000
    state = np.zeros(1, vwap.STATE).view(np.recarray)[0]
    state.quantity, state.lot_size = 1_000, 1
    state.opening, state.closing = 10.0, 20.0
    state.start_ns, state.end_ns = 10 * hour_ns, 13 * hour_ns  # of the ten hours the first three
    curve = np.zeros(1, vwap.CURVE).view(np.recarray)[0]
    curve.bucket = [1, 2, 1, 50, 50, 50, 50, 50, 50, 50]

    by_half_hour = [vwap.schedule(state, state, curve, 10 * hour_ns + at * hour_ns // 2) for at in range(7)]

    assert by_half_hour == [0, 125, 250, 500, 750, 875, 1_000]


def test_time_passes_from_nothing_to_all() -> None:
    state = np.zeros(1, vwap.STATE).view(np.recarray)[0]
    state.start_ns, state.end_ns = 100, 300

    assert [elapsed(state, at) for at in (0, 100, 150, 300, 400)] == [0.0, 0.0, 0.25, 1.0, 1.0]
