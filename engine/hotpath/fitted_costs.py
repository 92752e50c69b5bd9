"""Costs as reports fitted them (docs/tca.md), in whole numbers: the square-root law and parts of a price.

The router and the simulated exchange use the same two functions, so that what one expects the other does.
"""

from __future__ import annotations

from engine.messages.costs import CostRow
from engine.native import hot

SCALE_UNITS = 1_000_000  # of a basis point, in the impact of one share
ROOT_UNITS = 1_000_000  # under the root: so the root itself has three decimals
MILLI_POINTS = 10_000_000  # 1/1,000 of a basis point in the whole
LARGEST_SCALE = 10_000 * SCALE_UNITS
MOST_SHARES = 1_000_000_000


def impact_scale(row: CostRow | None) -> int:
    """Impact of one share as `square_root_impact` takes it; 0 without a row."""
    return min(LARGEST_SCALE, round(row.impact_scale * SCALE_UNITS)) if row else 0


@hot
def whole_root(number):
    """The largest whole number whose square is not above `number`, for one that is not negative."""
    if number < 2:
        return number
    guess = number
    following = (guess + 1) // 2
    while following < guess:
        guess = following
        following = (guess + number // guess) // 2
    return guess


@hot
def square_root_impact(scale, quantity):
    """Impact of `quantity` shares in 1/1,000 of a basis point, at most the whole price; `scale` is that of one share in
    1/SCALE_UNITS of a basis point."""
    if scale <= 0 or quantity <= 0:
        return 0
    root = whole_root((quantity if quantity < MOST_SHARES else MOST_SHARES) * ROOT_UNITS)
    impact = (scale if scale < LARGEST_SCALE else LARGEST_SCALE) * root // SCALE_UNITS
    return impact if impact < MILLI_POINTS else MILLI_POINTS


@hot
def part_of_price(milli_points, price):
    """So many 1/1,000 of a basis point of a price, in 1/1,000 of a price unit, rounded towards nothing."""
    if milli_points < 0:
        return -(-milli_points * price // 10_000)
    return milli_points * price // 10_000
