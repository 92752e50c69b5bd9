"""Where prices come from: a common factor, a walk per group, and a mean-reverting deviation per instrument.

Two instruments of a group share everything but their deviations, so the difference of their prices, each divided by its
opening price, always comes back: they cointegrate. Values move on a fixed grid of time and depend on the seed alone, so
two venues with one seed quote the same market.
"""

from __future__ import annotations

import numpy as np

from engine.native import hot, view
from engine.simulator.random_numbers import UNIT, draw_from

FAIR = np.dtype(
    [
        ("random", "<i8", 2),  # must stay first: its address is the state of `draw`
        ("time_ns", "<i8"),
        ("grid_ns", "<i8"),
        ("normals", "<i8"),
        ("rows", "<i8"),
        ("groups", "<i8"),
        ("instrument_count", "<i8"),
        ("group_count", "<i8"),
        ("factor", "<f8"),
        ("factor_step", "<f8"),
        ("group_step", "<f8"),
    ]
)
FAIR_ROW = np.dtype(
    [
        ("open_price", "<f8"),
        ("price", "<f8"),
        ("beta", "<f8"),
        ("deviation", "<f8"),
        ("keep", "<f8"),  # share of a deviation that is left after one step
        ("deviation_step", "<f8"),
        ("group", "<i8"),
    ]
)
GROUP = np.dtype([("walk", "<f8")])


@hot
def step_fair(fair):
    """Move every fair value by one step of the grid."""
    header = view(fair, 1, FAIR)[0]
    rows = view(header.rows, header.instrument_count + 1, FAIR_ROW)
    groups = view(header.groups, header.group_count, GROUP)
    header.factor += header.factor_step * draw_from(fair, header.normals) / UNIT
    for number in range(header.group_count):
        groups[number].walk += header.group_step * draw_from(fair, header.normals) / UNIT
    for number in range(1, header.instrument_count + 1):
        row = rows[number]
        row.deviation = row.keep * row.deviation + row.deviation_step * draw_from(fair, header.normals) / UNIT
        moved = row.beta * header.factor + groups[row.group].walk + row.deviation
        row.price = max(row.open_price * 0.05, row.open_price * (1.0 + moved))
    header.time_ns += header.grid_ns


@hot
def advance_fair(fair, time_ns):
    """Bring fair values up to `time_ns`."""
    header = view(fair, 1, FAIR)[0]
    while header.time_ns + header.grid_ns <= time_ns:
        step_fair(fair)
