"""What the legs of a multi-leg order may still trade: each leg's part of the whole, and no leg too far before another.

A leg's terms are its side, quantity, limit price (0: none), lot and tick. Quantities of two legs are compared by the
part that each is of its own whole, in whole numbers: `done x quantity of the other / own quantity`, rounded down. What
is open may be filled, so it counts as done for the leg that is ahead and as not done for the one that is behind.
"""

from __future__ import annotations

import numpy as np

from engine.hotpath.tables import LEGS_PER_STRATEGY
from engine.messages.codes import Side
from engine.native import hot

BUY, SELL = int(Side.BUY), int(Side.SELL)
TERM_NAMES = ("side", "quantity", "price", "lot", "tick")
TERM = np.dtype([(name, "<i8") for name in TERM_NAMES])
# The same as single fields, for an algorithm's own record.
TERM_FIELDS = [(f"{name}_{at}", "<i8") for at in range(1, LEGS_PER_STRATEGY + 1) for name in TERM_NAMES]


@hot
def done(term, leg):
    """Shares that the leg has traded towards its quantity."""
    return leg.position if term.side == BUY else -leg.position


@hot
def under_way(term, leg):
    """Shares in open children of the leg's own side."""
    return leg.working_buy if term.side == BUY else leg.working_sell


@hot
def given_back(term, leg):
    """Shares in open children of the other side, which take back what was traded."""
    return leg.working_sell if term.side == BUY else leg.working_buy


@hot
def matching(term, other, shares):
    """How much of this leg matches so many shares of the other."""
    return shares * term.quantity // other.quantity


@hot
def lots(term, quantity):
    """The quantity without a broken lot; never negative."""
    return quantity - quantity % term.lot if quantity > 0 else 0


@hot
def room(parent, terms, legs, at, most_unhedged):
    """Shares that leg `at` may ask for without being more than `most_unhedged` (shares of the first leg) before any
    other, whatever becomes of what is open."""
    term = terms[at]
    most = term.quantity
    for other in range(parent.leg_count):
        if other != at:
            certain = done(terms[other], legs[other]) - given_back(terms[other], legs[other])
            bound = matching(term, terms[other], certain) + matching(term, terms[0], most_unhedged)
            most = min(most, bound)
    left = most - done(term, legs[at]) - under_way(term, legs[at])
    return lots(term, min(left, parent.largest))


@hot
def behind(terms, legs, at):
    """Shares by which leg `at` is behind the first one, in whole lots, if what is open of it is not filled."""
    term = terms[at]
    first = done(terms[0], legs[0])
    goal = term.quantity if first >= terms[0].quantity else matching(term, terms[0], first)
    return lots(term, goal - done(term, legs[at]))


@hot
def last_leg(parent, terms, legs):
    """The leg of whose whole the least is done."""
    found = 0
    for at in range(1, parent.leg_count):
        mine = done(terms[at], legs[at]) * terms[found].quantity
        if mine < done(terms[found], legs[found]) * terms[at].quantity:
            found = at
    return found


@hot
def excess(terms, legs, at, last):
    """Shares of leg `at` beyond what matches leg `last`, in whole lots, that are not being given back yet."""
    term = terms[at]
    matched = -(-done(terms[last], legs[last]) * term.quantity // terms[last].quantity)
    return lots(term, done(term, legs[at]) - given_back(term, legs[at]) - matched)
