"""The price of a cross: hand-made books, a slow judge that tries every price, and what must hold of any cross."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.simulator.crossing import LOWEST_PRICE, Cross, crossing, price_variation, share_out
from engine.simulator.layout import MARKET_PRICE

TICK = 5
LIMITS = st.integers(1, 40).map(lambda ticks: ticks * TICK)
QUANTITIES = st.integers(1, 9)
BUYS = st.lists(st.tuples(LIMITS | st.just(MARKET_PRICE), QUANTITIES), max_size=8)
SELLS = st.lists(st.tuples(LIMITS | st.just(LOWEST_PRICE), QUANTITIES), max_size=8)
REFERENCES = st.integers(1, 210)


def executable(buys, sells, price):
    """By definition: who would buy at this price, who would sell."""
    wanted = sum(quantity for limit, quantity in buys if limit >= price)
    offered = sum(quantity for limit, quantity in sells if limit <= price)
    return min(wanted, offered), wanted - offered


def judged(buys, sells, reference):
    """Every price there is, kept when it is better by the rule: shares, imbalance, distance, the lower one."""
    best = None
    for price in range(TICK, 60 * TICK, TICK):
        paired, imbalance = executable(buys, sells, price)
        place = (-paired, abs(imbalance), abs(price - reference))
        if paired and (best is None or place < best[0]):
            best = place, Cross(price, paired, imbalance)
    return best[1] if best else None


@given(BUYS, SELLS, REFERENCES)
def test_the_cross_is_the_one_of_a_judge_that_tries_every_price(buys, sells, reference):
    found = crossing(buys, sells, reference, TICK)
    wanted = judged(buys, sells, reference)
    assert found == wanted if wanted else (found.price, found.paired) == (0, 0)


@given(BUYS, SELLS, REFERENCES)
def test_nobody_trades_through_a_limit_both_sides_are_equal_and_no_price_trades_more(buys, sells, reference):
    found = crossing(buys, sells, reference, TICK)
    if not found.paired:
        assert all(executable(buys, sells, price)[0] == 0 for price in range(TICK, 60 * TICK, TICK))
        return
    buyers = sorted((order for order in buys if order[0] >= found.price), reverse=True)
    sellers = sorted(order for order in sells if order[0] <= found.price)
    shares = [share_out([quantity for _, quantity in line], found.paired) for line in (buyers, sellers)]
    assert sum(shares[0]) == sum(shares[1]) == found.paired
    assert all(share <= order[1] for order, share in zip(buyers, shares[0], strict=True))
    assert all(share <= order[1] for order, share in zip(sellers, shares[1], strict=True))
    assert found.paired == max(executable(buys, sells, price)[0] for price in range(TICK, 60 * TICK, TICK))
    assert found.price % TICK == 0


# 350 shares trade at 102, and fewer at any other price.
TEXTBOOK = ([(105, 100), (103, 200), (102, 50), (100, 300)], [(99, 150), (101, 100), (102, 100), (104, 200)])


# The documentation of MarketGrid (concepts, trading, matching algorithms, single-price auction) works this book out:
# 290 trade at 12,400, where 480 are bid and 290 asked.
MARKET_GRID = (
    [(13000, 45), (12900, 95), (12800, 25), (12700, 35), (12600, 25), (12500, 55), (12400, 200),
     (12300, 80), (12200, 60)],
    [(13100, 35), (13000, 50), (12900, 10), (12800, 15), (12700, 10), (12600, 20), (12500, 90), (12400, 155),
     (12300, 125), (12200, 10)],
)  # fmt: skip

# The Australian exchange's change of its opening algorithm, as a course of the University of New South Wales works it
# out (in cents): 1,000 trade from 610 to 639, of these 500 are left over from 635 to 639.
AUSTRALIAN = (
    [(640, 500), (639, 500), (639, 500), (634, 1000), (633, 500)],
    [(610, 1000), (640, 500), (641, 520), (642, 550), (643, 519)],
)


@pytest.mark.parametrize("reference", [1, 12_400, 20_000])
def test_a_published_book_crosses_where_its_publisher_says(reference):
    assert crossing(*MARKET_GRID, reference, 100) == Cross(12_400, 290, 190)


@pytest.mark.parametrize(("reference", "price"), [(500, 635), (636, 636), (700, 639)])
def test_of_published_prices_that_are_alike_the_nearest_to_the_reference_is_taken(reference, price):
    assert crossing(*AUSTRALIAN, reference, 1) == Cross(price, 1000, 500)


@pytest.mark.parametrize(
    ("buys", "sells", "reference", "found"),
    [
        (*TEXTBOOK, 103, Cross(102, 350, 0)),
        ([(100, 10)], [(100, 10)], 300, Cross(100, 10, 0)),
        # both extremes leave ten over; between them nothing is, and of those prices the reference is the nearest
        ([(100, 10), (80, 7)], [(80, 10), (100, 7)], 93, Cross(93, 10, 0)),
        ([(100, 10), (80, 7)], [(80, 10), (100, 7)], 300, Cross(99, 10, 0)),
        ([(100, 10), (80, 7)], [(80, 10), (100, 7)], 1, Cross(81, 10, 0)),
        # only market orders: the reference price is all there is
        ([(MARKET_PRICE, 10)], [(LOWEST_PRICE, 4)], 57, Cross(57, 4, 6)),
        # the seller that is left over holds the price down to its limit
        ([(100, 10)], [(90, 30)], 95, Cross(95, 10, -20)),
        ([(100, 10)], [(101, 10)], 100, Cross(0, 0, 10)),
        ([], [], 100, Cross(0, 0, 0)),
    ],
)
def test_the_rule_by_hand(buys, sells, reference, found):
    assert crossing(buys, sells, reference, 1) == found


def test_a_reference_between_two_ticks_takes_the_nearer_and_of_two_alike_the_lower():
    market = ([(MARKET_PRICE, 1)], [(LOWEST_PRICE, 1)])
    prices = [crossing(*market, reference, 10).price for reference in (104, 105, 106)]
    assert prices == [100, 100, 110]


def test_how_far_the_near_price_is_from_the_reference_is_a_letter():
    near = [0, 100, 101, 109, 110, 119, 120, 129, 130, 91]
    assert [price_variation(price, 100) for price in near] == [" ", "L", "1", "9", "A", "A", "B", "B", "C", "9"]
