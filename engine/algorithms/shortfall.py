"""Implementation shortfall: the schedule of Almgren and Chriss, "Optimal Execution of Portfolio Transactions" (2000).

Of X shares to trade in N slices of length tau, with linear impact, this many are left after slice j (section 2.3):

    x_j = X sinh(kappa (T - t_j)) / sinh(kappa T)
    cosh(kappa tau) = 1 + kappa'^2 tau^2 / 2,   kappa'^2 = lambda sigma^2 / eta',   eta' = eta (1 - gamma tau / (2 eta))

The more averse to risk, the more is traded early; without aversion it is a straight line. Time is in trading days.
"""

from __future__ import annotations

import math

import numpy as np

from engine.algorithms.children import PATIENCE, elapsed, whole_lots, work
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view

LABEL = "Implementation shortfall"
SUMMARY = "Early enough to risk little, late enough to move the price little (Almgren-Chriss)."

MILLION = 1_000_000.0
HOUR_NS = 3_600_000_000_000.0
STRAIGHT = 1e-6  # below it the curve cannot be told from a line

PARAMETERS = [
    Parameter("slices", "Slices", "", 1, 1000, 20, step=1, help="how often the next part is released"),
    Parameter("risk_aversion", "Risk aversion", "per million of currency", 0.0, 10_000.0, 1.0, help="lambda"),
    Parameter("volatility", "Volatility", "currency a share, of a day", 0.0, 100_000.0, 0.95, help="sigma"),
    Parameter(
        "temporary_impact",
        "Temporary impact",
        "currency a share, for a million shares a day",
        0.000001,
        100_000.0,
        2.5,
        help="eta: what trading fast costs while it lasts",
    ),
    Parameter(
        "permanent_impact",
        "Permanent impact",
        "currency a share, for a million shares",
        0.0,
        100_000.0,
        0.25,
        help="gamma: how far the price stays away",
    ),
    Parameter("day_hours", "Trading day", "hours", 0.1, 24.0, 6.5, help="how long the volatility's day is"),
    PATIENCE,
]
STATE = np.dtype(
    [
        *PARENT_FIELDS,
        ("slices", "<f8"),
        ("risk_aversion", "<f8"),
        ("volatility", "<f8"),
        ("temporary_impact", "<f8"),
        ("permanent_impact", "<f8"),
        ("day_hours", "<f8"),
        ("patience", "<f8"),
    ]
)


@hot
def kappa_of(risk_aversion, volatility, temporary, permanent, tau):
    """kappa, per day: how fast the schedule falls. `tau` in days, the others in currency, shares and days."""
    remaining = temporary - 0.5 * permanent * tau
    if remaining <= 0.0:  # slices so long that nothing is gained by more than one
        return math.inf
    squared = risk_aversion * volatility * volatility / remaining
    grown = 1.0 + 0.5 * squared * tau * tau
    return math.log(grown + math.sqrt(grown * grown - 1.0)) / tau


@hot
def left(kappa, part, days):
    """What of X is left after `part` (0.0 to 1.0) of T = `days`. The quotient of sinh, written so that it never
    overflows."""
    whole = kappa * days
    if whole < STRAIGHT:
        return 1.0 - part
    if math.isinf(whole):
        return 0.0 if part > 0.0 else 1.0
    passed = whole * part
    return (math.exp(-passed) - math.exp(passed - 2.0 * whole)) / (1.0 - math.exp(-2.0 * whole))


@hot
def schedule(parent, own, clock_ns):
    """Shares that are to be done by now: each slice is released when it begins."""
    released = int(elapsed(parent, clock_ns) * own.slices) + 1
    if released >= own.slices:
        return parent.quantity
    days = (parent.end_ns - parent.start_ns) / (own.day_hours * HOUR_NS)
    kappa = kappa_of(
        own.risk_aversion / MILLION,
        own.volatility,
        own.temporary_impact / MILLION,
        own.permanent_impact / MILLION,
        days / own.slices,
    )
    return whole_lots(parent, int(parent.quantity * (1.0 - left(kappa, released / own.slices, days)) + 0.5))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    goal = schedule(parent, own, event.clock_ns)
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    return work(parent, view(legs, LEGS_PER_STRATEGY, LEG), event, goal, own.patience, 1.0, requests)
