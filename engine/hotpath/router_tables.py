"""What the router looks at, and what it leaves: a child, a row for each venue, and what was learned about the venue.

Prices are integers in 1/10,000 of the currency, quantities shares. Costs are per share in 1/1,000 of a price unit,
against the middle of the best displayed prices: positive is paid, negative is earned. Probabilities are in 1/1,000.
"""

from __future__ import annotations

import numpy as np

from engine.hotpath.tables import VENUES

COST_SCALE = 1000

DEPTHS = 10  # classes of queue position: how much of what usually trades while we wait is ahead of a share
DEPTH_BOUNDS = (60, 125, 250, 500, 1000, 2000, 4000, 8000, 16000)  # in 1/1,000 of that
PARTS = 4  # of an order, each at its own depth

# What was learned about an instrument on a venue: sums that halve together when they grow (router_learning.py).
LEARNED = np.dtype(
    [
        ("shown", "<i8"),  # displayed shares that we asked for, and how many of them we got
        ("got", "<i8"),
        ("beyond_asked", "<i8"),  # orders that asked for more than was displayed, and shares they got beyond it
        ("beyond_got", "<i8"),
        ("middle_asked", "<i8"),  # orders sent to the midpoint, those that found anybody, and shares they got
        ("middle_found", "<i8"),
        ("middle_got", "<i8"),
        ("middle_empty_ns", "<i8"),  # when the last one found nobody, in market time; 0 once one found somebody
        ("traded", "<i8"),  # shares that everybody traded there, and in which time
        ("traded_ms", "<i8"),
        ("passed", "<i8"),  # shares that traded through the queues in which we rested (those ahead of us and ours)
        ("exposed_ms", "<i8"),  # how long we rested
        ("depth_asked", "<i8", (DEPTHS,)),  # parts of orders that rested at each depth, and 1/1,000 of them that
        ("depth_got", "<i8", (DEPTHS,)),  # traded while others were at our price too: by the venue's own flow
        ("through_asked", "<i8", (DEPTHS,)),  # 1/1,000 of parts that were still there when our price was the market's
        ("through_got", "<i8", (DEPTHS,)),  # last, by our shares before them, and what traded of those: everybody's
        ("missed", "<i8"),  # price units by which the middle had moved against us x 1/1,000 of orders that gave up then
        ("missed_orders", "<i8"),  # those 1/1,000
        ("impact", "<i8"),  # price units by which the middle moved against us after orders that took
        ("impact_orders", "<i8"),
        ("latency_ns", "<i8"),  # from a request to its answer, smoothed; 0: nothing known
        # What cost reports fitted (ApplyCosts), not learned here: it stands behind what is learned.
        ("impact_scale", "<i8"),  # impact of one share in 1/1,000,000 of a basis point; of more, by their square root
        ("adverse", "<i8"),  # the middle against fills that rested, in 1/1,000 of a basis point; negative is a gain
        ("reserved", "<i8"),
    ]
)

CHILD = np.dtype(
    [
        ("side", "<i8"),
        ("quantity", "<i8"),
        ("limit", "<i8"),
        ("urgency", "<i8"),
        ("time_ns", "<i8"),  # of the market
        ("horizon_ms", "<i8"),  # how long the rest may wait before it has to cross
        ("tick_size", "<i8"),
        ("lot_size", "<i8"),
        ("trade_through", "<i8"),  # told to pass better displayed prices by
        ("whole", "<i8"),  # what rests, rests on one venue
        # what the decision says
        ("best_near", "<i8"),  # best displayed price of the own side and of the other, 0: none
        ("best_far", "<i8"),
        ("taken", "<i8"),
        ("rested", "<i8"),
        ("left", "<i8"),
        ("typical_queue", "<i8"),  # shares that a venue displays on the own side, on average
        ("market_mean", "<i8"),  # shares that are expected to trade on one side of all venues while it rests
        ("depth_chances", "<i8", (DEPTHS,)),  # what was learned of resting, all venues together
        ("through_chances", "<i8", (DEPTHS,)),
        ("missed_cost", "<i8"),
    ]
)

ROUTED_ROWS = 1024  # routed orders of which something is open

# An order that the router split. Arrays are by venue, of the last decision that sent something there.
ROUTED = np.dtype(
    [
        ("number", "<i8"),  # 0: the row is free
        ("strategy", "<i8"),
        ("team", "<i8"),
        ("leg", "<i8"),  # that all parts count for, -1: none
        ("row", "<i8"),  # the row of the parent order whose child it is: a part counts for its leg of the venue
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("left", "<i8"),  # shares that no order of ours asks for
        ("urgency", "<i8"),
        ("rests_as", "<i8"),  # time in force of what rests
        ("whole", "<i8"),  # what rests, rests on one venue
        ("venues", "<i8"),
        ("rounds", "<i8"),  # decisions so far
        ("open_takes", "<i8"),
        ("open_rests", "<i8"),
        ("middle_twice", "<i8"),
        ("typical_queue", "<i8"),
        ("market_mean", "<i8"),
        ("decided_ns", "<i8"),
        ("signal", "<f8"),
        ("shown", "<i8", (VENUES,)),
        ("ahead", "<i8", (VENUES,)),
        ("midpoint", "<i8", (VENUES,)),
        ("own", "<i8", (VENUES,)),  # shares that traded there while the market was at our price
        ("sent_ns", "<i8", (VENUES,)),
    ]
)

ROUTE_ROW = np.dtype(
    [
        # the venue as it stands
        ("venue", "<i8"),
        ("blocked", "<i8"),  # RouteReason for which nothing may be sent there, 0: may
        ("near", "<i8"),  # best price of the own side, 0: none
        ("near_quantity", "<i8"),
        ("far", "<i8"),  # best price of the other side, 0: none
        ("far_quantity", "<i8"),
        ("own_far", "<i8"),  # price of our own best order on the other side, 0: none
        ("maker_fee", "<i8"),
        ("taker_fee", "<i8"),
        ("latency_ns", "<i8"),
        ("minimum_quantity", "<i8"),
        ("midpoint", "<i8"),  # displays nothing, trades at the middle
        ("learned", "<i8"),  # address of its LEARNED row
        # the decision
        ("reason", "<i8"),
        ("take_quantity", "<i8"),
        ("take_price", "<i8"),
        ("rest_quantity", "<i8"),
        ("rest_price", "<i8"),
        # its costs: of taking there, and of the next share that rests there
        ("take_cost", "<i8"),
        ("price_part", "<i8"),
        ("fee_part", "<i8"),
        ("impact_part", "<i8"),
        ("miss_part", "<i8"),
        ("sure", "<i8"),  # shares of the displayed ones that are expected to be there on arrival
        ("beyond", "<i8"),  # 1/1,000 shares that are expected beyond the displayed ones, or at the midpoint
        ("rest_cost", "<i8"),
        ("ahead", "<i8"),
        ("fill_chance", "<i8"),
    ]
)
