"""What our router learns in the morning: probe orders at every venue, filled by the same model, told to the functions
with which the loop learns from its own fills."""

from __future__ import annotations

import random

from engine.hotpath.router_learning import learn_rest, learn_take, learn_volume
from engine.studies.contesting_routers import OurRouter, Wish
from engine.studies.fill_model import Resting, Taken, displayed, no_worse, opposite, rest_each, take
from engine.studies.parent_orders import LOT, REST_MS, SIZES, TAKE_MS, typical_quantity
from engine.studies.recorded_venues import BUY, SELL, RecordedVenues
from engine.studies.venue_assumptions import VenueTerms

PROBES = 1000  # of each kind at each venue


def fit(router: OurRouter, terms: list[VenueTerms], first_ms: int, last_ms: int, seed: str) -> None:
    """Let the router learn from probes between the two times; nothing later than `last_ms` is looked at."""
    market = router.market
    chance = random.Random(seed)
    typical = typical_quantity(market, last_ms)
    for at, prints in enumerate(market.prints):
        traded = int(prints.quantity[prints.between(first_ms, last_ms)].sum())
        learn_volume(router.table.learned_at(at), traded, last_ms - first_ms)
    for _ in range(PROBES):
        side, time_ms = chance.choice((BUY, SELL)), chance.randrange(first_ms, last_ms - REST_MS)
        quantity = max(LOT, round(chance.choice(SIZES["rest"]) * typical / LOT) * LOT)
        if not 0 < market.best(BUY, time_ms)[0] < market.best(SELL, time_ms)[0]:
            continue
        # At the same moment everywhere: what differs is the venue.
        for at, term in enumerate(terms):
            _probe_take(market, router.table.learned_at(at), at, side, time_ms, term)
        _probe_rests(router, terms, side, quantity, time_ms)


def _moved(market: RecordedVenues, side: int, from_ms: int, to_ms: int) -> int:
    """Price units by which the middle moved against the side."""
    moved = market.middle(to_ms) - market.middle(from_ms)
    return round(moved if side == BUY else -moved)


def _probe_take(market: RecordedVenues, learned: int, at: int, side: int, time_ms: int, term: VenueTerms) -> None:
    limit = market.best(opposite(side), time_ms)[0]
    taken = Taken(market)
    price, shown = displayed(market, side, at, time_ms, taken)
    if not price or not no_worse(side, price, limit):
        shown = 0
    asked = shown + 10 * LOT
    fills = take(market, side, at, limit, asked, time_ms + term.latency_ms, taken, term.taker_fee)
    got = sum(fill.quantity for fill in fills)
    learn_take(learned, shown, asked, got, _moved(market, side, time_ms, time_ms + TAKE_MS))


def _probe_rests(router: OurRouter, terms: list[VenueTerms], side: int, quantity: int, time_ms: int) -> None:
    market = router.market
    limit, until_ms = market.best(side, time_ms)[0], time_ms + REST_MS
    orders = [Resting(at, quantity, time_ms + term.latency_ms, term.maker_fee) for at, term in enumerate(terms)]
    router.look(Wish(side, limit, quantity, time_ms, REST_MS), Taken(market))
    moved = _moved(market, side, time_ms, until_ms)
    for order, (ahead, fills) in zip(orders, rest_each(market, side, limit, orders, until_ms), strict=True):
        got = sum(fill.quantity for fill in fills)
        through = sum(fill.quantity for fill in fills if fill.through)
        waited_ms = (fills[-1].time_ms if got == quantity else until_ms) - order.arrives_ms
        learned, means = router.table.learned_at(order.venue), router.means(order.venue)
        learn_rest(learned, ahead, quantity, got, through, *means, waited_ms, moved)
