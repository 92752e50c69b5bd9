"""What the router does with a child: by hand for each rule, and for any market by property."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hotpath.router_learning import learn_latency, learn_midpoint, learn_rest, learn_take, learn_volume
from engine.hotpath.router_memory import RouteTable
from engine.messages.codes import RouteReason, Side, Urgency

BUY, SELL = int(Side.BUY), int(Side.SELL)
TICK = 100
BID, ASK = 1_000_000, 1_000_100
CHILD = {
    "side": BUY,
    "quantity": 500,
    "limit": ASK,
    "urgency": int(Urgency.NORMAL),
    "horizon_ms": 10_000,
    "tick_size": TICK,
    "lot_size": 1,
    "trade_through": 0,
}
VENUE = {
    "near": BID,
    "near_quantity": 400,
    "far": ASK,
    "far_quantity": 300,
    "maker_fee": -20,
    "taker_fee": 30,
    "latency_ns": 0,
}
DARK = {"near": 0, "near_quantity": 0, "far": 0, "far_quantity": 0, "midpoint": 1, "taker_fee": 10}


def market(*venues: dict[str, int]) -> RouteTable:
    """A table with these venues, each as VENUE but for what is given."""
    table = RouteTable(len(venues))
    for at, venue in enumerate(venues):
        for name, value in (VENUE | venue).items():
            table.rows[at][name] = value
    return table


def decision(table: RouteTable, **child: int) -> list[tuple[str, int, int]]:
    """Why, shares taken and shares rested for each venue."""
    table.decide(**(CHILD | child))
    return [
        (RouteReason(int(row["reason"])).name, int(row["take_quantity"]), int(row["rest_quantity"]))
        for row in table.rows
    ]


def test_the_cheapest_venue_at_the_best_price_is_taken_first() -> None:
    table = market({"taker_fee": 30}, {"taker_fee": -4}, {"taker_fee": 25})
    assert decision(table, quantity=200) == [("COSTS_MORE", 0, 0), ("TAKEN", 200, 0), ("COSTS_MORE", 0, 0)]


def test_several_venues_are_swept_at_once_and_the_rest_rests_at_the_limit() -> None:
    table = market({}, {}, {"far_quantity": 200, "near_quantity": 5000})
    decided = decision(table, quantity=900)
    assert [taken for _, taken, _ in decided] == [300, 300, 200]
    assert [rested for _, _, rested in decided] == [40, 30, 30]
    assert {int(row["rest_price"]) for row in table.rows} == {ASK}


def test_a_better_price_goes_before_a_lower_fee() -> None:
    table = market({"far": ASK + TICK, "taker_fee": -40}, {"taker_fee": 30})
    assert decision(table, quantity=300, limit=ASK + TICK) == [("COSTS_MORE", 0, 0), ("TAKEN", 300, 0)]


def test_what_stays_displayed_at_a_better_price_is_not_traded_through_unless_told() -> None:
    own = {"far": ASK, "own_far": ASK}
    table = market(own, {"far": ASK + TICK})
    child = {"quantity": 300, "limit": ASK + TICK, "urgency": int(Urgency.URGENT)}
    assert decision(table, **child) == [("OWN_ORDER", 0, 0), ("BETTER_PRICE_ELSEWHERE", 0, 0)]
    assert decision(table, **child, trade_through=1) == [("OWN_ORDER", 0, 0), ("TAKEN", 300, 0)]


def test_a_venue_that_is_down_protects_nothing_and_gets_nothing() -> None:
    table = market({"blocked": int(RouteReason.VENUE_DOWN)}, {"far": ASK + TICK})
    assert decision(table, quantity=300, limit=ASK + TICK) == [("VENUE_DOWN", 0, 0), ("TAKEN", 300, 0)]


def test_what_we_rest_never_locks_what_stays_displayed() -> None:
    table = market({"own_far": ASK}, {"far": 0, "far_quantity": 0})
    assert decision(table, quantity=300) == [("RESTED", 0, 150), ("RESTED", 0, 150)]
    assert [int(row["rest_price"]) for row in table.rows] == [ASK - TICK, ASK - TICK]


def test_nothing_rests_where_it_would_meet_our_own_order() -> None:
    table = market({"own_far": BID}, {"near_quantity": 100_000})
    assert decision(table, limit=BID, quantity=300) == [("OWN_ORDER", 0, 0), ("RESTED", 0, 300)]


def test_a_venue_below_its_minimum_quantity_is_passed_over() -> None:
    table = market({"minimum_quantity": 500, "taker_fee": -40}, {})
    child = {"quantity": 300, "urgency": int(Urgency.URGENT)}
    assert decision(table, **child) == [("BELOW_MINIMUM", 0, 0), ("TAKEN", 300, 0)]


def test_a_patient_child_takes_nothing_and_rests_in_the_shorter_queue() -> None:
    table = market({"near_quantity": 5000}, {"near_quantity": 100}, {"near_quantity": 5000})
    decided = decision(table, quantity=100, limit=BID, urgency=int(Urgency.PATIENT))
    assert [rested for _, _, rested in decided] == [0, 100, 0]


def test_the_midpoint_is_asked_when_shares_are_expected_there() -> None:
    table = market({"far": ASK + 4 * TICK}, DARK)
    for name, value in {"middle_asked": 100, "middle_found": 90, "middle_got": 50_000}.items():
        table.learned[1][name] = value
    assert decision(table, quantity=600, limit=ASK + 4 * TICK)[1][:2] == ("PINGED", 502)
    assert int(table.rows[1]["fill_chance"]) == 833  # (90 + 10) of (100 + 20)
    assert int(table.rows[1]["take_price"]) == BID + 3 * TICK  # the middle is 2.5 ticks away


def test_a_midpoint_where_nobody_was_a_moment_ago_is_left_alone_for_a_while() -> None:
    table = market({"far": ASK + 4 * TICK}, DARK)
    child = {"quantity": 100, "limit": ASK + 4 * TICK}
    assert decision(table, **child, time_ns=10**9)[1][0] == "PINGED"
    learn_midpoint(table.learned_at(1), 0, 10**9)
    reasons = [decision(table, **child, time_ns=10**9 + after * 10**6)[1][0] for after in (0, 5, 300, 900, 1000)]
    assert reasons == ["COSTS_MORE", "COSTS_MORE", "COSTS_MORE", "PINGED", "PINGED"]
    learn_midpoint(table.learned_at(1), 40, 3 * 10**9)
    assert decision(table, **child, time_ns=3 * 10**9)[1][0] == "PINGED"


def test_a_midpoint_where_nobody_is_found_again_and_again_is_given_up() -> None:
    table = market({"far": ASK + TICK}, DARK)
    assert decision(table, limit=ASK + TICK)[1][0] == "PINGED"
    for _ in range(20):
        learn_midpoint(table.learned_at(1), 0, 1)
    assert decision(table, limit=ASK + TICK, time_ns=10**10)[1][0] == "COSTS_MORE"


def test_an_urgent_child_asks_for_hidden_shares_where_they_came_before() -> None:
    table = market({}, {}, {"far": ASK + TICK})
    for at, got in ((1, 30_000), (2, 12_000)):
        table.learned[at]["beyond_asked"], table.learned[at]["beyond_got"] = 100, got
    decided = decision(table, quantity=2000, urgency=int(Urgency.URGENT))
    assert decided == [("TAKEN", 300, 0), ("TAKEN", 1300, 0), ("TAKEN", 400, 0)]
    assert int(table.rows[2]["take_price"]) == ASK


def test_the_cost_of_taking_by_hand() -> None:
    """Middle 1,000,050. Taken at 1,000,100: 50 x 1,000 of price, 30 x 1,000 of fee. Learned: 8,800 of 9,800 displayed
    shares came, so (8,800 + 190) of (9,800 + 200) are sure: 899 in 1,000, and 101 times a tick of 100 may be missed.
    After 200 orders the middle had moved by 5 each: 1,000 x 1,000 / (200 + 1,000) of impact."""
    table = market({"far_quantity": 1000})
    for name, value in {"shown": 9_800, "got": 8_800, "impact": 1_000, "impact_orders": 200}.items():
        table.learned[0][name] = value
    decision(table, quantity=50)
    parts = ("price_part", "fee_part", "impact_part", "miss_part", "take_cost", "sure")
    assert [int(table.rows[0][name]) for name in parts] == [50_000, 30_000, 833, 10_100, 90_933, 899]


def test_the_cost_of_resting_by_hand() -> None:
    """Rested at 1,000,000 behind 400 + 50 of ours. 2,000 + 401 shares passed in 40 + 20 s, so 400 are expected in ten:
    a depth of 1.125, of which 300 in 1,000 traded by the venue's flow (299 with the priors), and of what our 50 were
    of 400 everybody's flow took 400 in 1,000: 299 + 400 x 701 / 1,000 = 579, less 579 x 125 / 4,125 for standing behind
    ourselves. Filled it earns 50 of price and 20 of fee; else it pays 2 x 50 of price and 30 of fee, and 3 (2.995 with
    the priors) by which the middle had moved when others gave up."""
    table = market({"far_quantity": 1000})
    learned = table.learned[0]
    for name, value in {
        "passed": 2_000,
        "exposed_ms": 40_000,
        "missed": 12_000_000,
        "missed_orders": 4_000_000,
    }.items():
        learned[name] = value
    learned["depth_asked"][4:6], learned["depth_got"][4:6] = 20_000, 6_000_000
    learned["through_asked"][1:3], learned["through_got"][1:3] = 10_000_000, 4_000_000
    decision(table, quantity=50, urgency=int(Urgency.PATIENT), limit=BID)
    row = table.rows[0]
    assert [int(row[name]) for name in ("ahead", "rest_quantity", "fill_chance")] == [400, 50, 579 - 17]
    filled, crossing = -70_000, 2 * 50_000 + 30_000 + 2_995
    assert int(row["rest_cost"]) == -(-filled * 562 // 1000) + crossing * 438 // 1000 == 18_911


PRICES = st.integers(9_996, 10_004).map(lambda tick: tick * TICK)
QUANTITIES = st.integers(0, 900)
VENUES = st.fixed_dictionaries(
    {
        "near": PRICES,
        "near_quantity": QUANTITIES,
        "far": st.one_of(st.just(0), PRICES),
        "far_quantity": st.integers(1, 900),
        "own_far": st.one_of(st.just(0), PRICES),
        "maker_fee": st.integers(-30, 30),
        "taker_fee": st.integers(-30, 30),
        "latency_ns": st.integers(0, 3_000_000),
        "minimum_quantity": st.sampled_from([0, 0, 0, 100, 500]),
        "midpoint": st.sampled_from([0, 0, 0, 1]),
        "blocked": st.sampled_from([0, 0, 0, int(RouteReason.VENUE_DOWN), int(RouteReason.BOOK_DIRTY)]),
    }
)
CHILDREN = st.fixed_dictionaries(
    {
        "side": st.sampled_from([BUY, SELL]),
        "quantity": st.integers(1, 3000),
        "limit": PRICES,
        "urgency": st.sampled_from([int(urgency) for urgency in Urgency]),
        "lot_size": st.sampled_from([1, 100]),
        "trade_through": st.sampled_from([0, 1]),
    }
)


def better(side: int, price: int, than: int) -> bool:
    return price < than if side == BUY else price > than


@settings(max_examples=150, deadline=None)
@given(venues=st.lists(VENUES, min_size=1, max_size=6), child=CHILDREN)
def test_any_market_keeps_the_promises(venues: list[dict[str, int]], child: dict[str, int]) -> None:
    table = market(*venues)
    placed = table.decide(**(CHILD | child))
    side, limit, rows = child["side"], child["limit"], table.rows
    taken, rested = int(rows["take_quantity"].sum()), int(rows["rest_quantity"].sum())
    assert (int(table.child["taken"]), int(table.child["rested"])) == (taken, rested)
    assert placed == taken + rested == child["quantity"] - int(table.child["left"]) <= child["quantity"]
    assert rested == 0 or child["urgency"] != Urgency.URGENT
    assert taken == 0 or child["urgency"] != Urgency.PATIENT
    displayed = [
        row for row in rows if row["far"] and row["blocked"] not in (RouteReason.VENUE_DOWN, RouteReason.BOOK_DIRTY)
    ]
    for row in rows:
        asked, rests = int(row["take_quantity"]), int(row["rest_quantity"])
        assert row["reason"] != RouteReason.NONE
        assert min(asked, rests) >= 0
        if row["blocked"]:
            assert (asked, rests) == (0, 0)
        for quantity, price in ((asked, int(row["take_price"])), (rests, int(row["rest_price"]))):
            if quantity == 0:
                continue
            assert quantity >= row["minimum_quantity"]
            assert not better(side, limit, price)
            assert row["own_far"] == 0 or better(side, price, int(row["own_far"]))
        if asked and not row["midpoint"]:
            assert (
                child["urgency"] == Urgency.URGENT or asked <= row["far_quantity"] + row["beyond"] + child["lot_size"]
            )
            passed = [other for other in displayed if better(side, int(other["far"]), int(row["take_price"]))]
            assert child["trade_through"] or all(other["take_quantity"] >= other["far_quantity"] for other in passed)
        if rests:
            crossed = [other for other in displayed if not better(side, int(row["rest_price"]), int(other["far"]))]
            assert all(other["take_quantity"] >= other["far_quantity"] for other in crossed) or child["trade_through"]


def test_what_the_displayed_shares_are_enough_for_asks_for_no_worse_price() -> None:
    table = market({"near": 10_200, "far": 10_100, "far_quantity": 5})
    child = {"side": SELL, "quantity": 1, "limit": 10_000, "urgency": int(Urgency.URGENT), "lot_size": 1}
    assert table.decide(**(CHILD | child)) == 1
    assert int(table.rows[0]["take_price"]) == 10_100


def test_what_is_learned_of_a_venue_follows_its_answers() -> None:
    table = market({})
    at = table.learned_at(0)
    learn_take(at, 300, 500, 450, 2)
    learn_take(at, 300, 100, 40, -1)
    learn_rest(at, 700, 100, 100, 0, 1000, 2000, 4000, 30)
    learn_rest(at, 900, 400, 150, 50, 1000, 2000, 10_000, 2)
    learn_volume(at, 5000, 60_000)
    learn_midpoint(at, 120, 7)
    learn_midpoint(at, 0, 8)
    learn_latency(at, 800_000)
    learn_latency(at, 1_600_000)
    known = {name: table.learned[0][name].tolist() for name in table.learned.dtype.names if name != "reserved"}
    assert known == {
        "shown": 400,
        "got": 340,
        "beyond_asked": 1,
        "beyond_got": 150,
        "middle_asked": 2,
        "middle_found": 1,
        "middle_got": 120,
        "middle_empty_ns": 8,
        "passed": 1850,
        "exposed_ms": 14_000,
        "traded": 5000,
        "traded_ms": 60_000,
        "depth_asked": [0, 0, 0, 0, 5, 3, 0, 0, 0, 0],
        "depth_got": [0, 0, 0, 0, 5000, 0, 0, 0, 0, 0],
        "through_asked": [0, 1000, 2000, 0, 0, 0, 0, 0, 0, 0],
        "through_got": [0, 500, 0, 0, 0, 0, 0, 0, 0, 0],
        "impact_scale": 0,
        "adverse": 0,
        "missed": 1250,
        "missed_orders": 625,
        "impact": 1,
        "impact_orders": 2,
        "latency_ns": 900_000,
    }


def test_learned_sums_are_halved_together_before_they_grow_without_end() -> None:
    table = market({})
    at = table.learned_at(0)
    for _ in range(1025):
        learn_take(at, 1 << 10, 1 << 10, 1 << 9, -4)
    known = table.learned[0]
    assert (int(known["shown"]), int(known["got"])) == (1025 << 9, 1025 << 8)
    assert (int(known["impact_orders"]), int(known["impact"])) == (512, -2050)
