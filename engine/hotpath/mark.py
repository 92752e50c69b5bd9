"""Marking to market: what every account's positions are worth at the middle of the live books."""

from __future__ import annotations

from engine.hotpath.book import TOP
from engine.hotpath.tables import (
    ACCOUNT,
    CELL,
    ENGINE,
    FIRM_ACCOUNT,
    FIRST_STRATEGY_ACCOUNT,
    LEG,
    LEGS_PER_STRATEGY,
    STRATEGY,
)
from engine.native import hot, load_i64, store_i64, view

WIDEST = 200
DAY_NS = 86_400_000_000_000


@hot
def middle_of(bid, bid_quantity, ask, ask_quantity):
    """The middle of a top as a mark; 0 while a side is missing, the top crosses, or it is wider than 1/WIDEST of the
    price: for a moment after a sweep the middle is nowhere near a price at which anybody trades."""
    if bid_quantity <= 0 or ask_quantity <= 0 or bid >= ask:
        return 0
    price = (bid + ask) // 2
    return price if (ask - bid) * WIDEST <= price else 0


@hot
def mark_price(engine, instrument):
    """Middle of the first venue whose top makes a mark, else the last mark; 0 when there never was one."""
    core = view(engine, 1, ENGINE)[0]
    tops = view(core.tops, core.listing_count, TOP)
    for venue in range(core.venue_count):
        top = tops[venue * (core.instrument_count + 1) + instrument]
        price = middle_of(top.bid, top.bid_quantity, top.ask, top.ask_quantity)
        if price > 0:
            store_i64(core.marks + instrument * 8, price)
            return price
    return load_i64(core.marks + instrument * 8)


@hot
def refresh_holdings(engine):
    """Recompute every account's holdings; a position that never had a price keeps its cost as its value."""
    core = view(engine, 1, ENGINE)[0]
    accounts = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)
    width = core.instrument_count + 1
    cells = view(core.cells, (FIRST_STRATEGY_ACCOUNT + 1) * width, CELL)
    legs = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)
    strategies = view(core.strategies, core.strategy_count, STRATEGY)
    for account in range(FIRST_STRATEGY_ACCOUNT):
        if account != FIRM_ACCOUNT and accounts[account].scope == 0:
            continue
        value = 0
        for instrument in range(1, width):
            cell = cells[account * width + instrument]
            if cell.position != 0:
                price = mark_price(engine, instrument)
                value += cell.position * price if price > 0 else cell.cost
        accounts[account].holdings = value
    for row in range(1, core.strategy_count):
        strategy = strategies[row]
        if strategy.id == 0:
            continue
        value = 0
        for at in range(strategy.leg_count):
            leg = legs[row * LEGS_PER_STRATEGY + at]
            if leg.position != 0:
                price = mark_price(engine, leg.instrument)
                value += leg.position * price if price > 0 else leg.cost
        accounts[strategy.account].holdings = value


@hot
def begin_day(engine):
    """The first packet after midnight UTC: every account's profit of the day, and so its daily loss, counts from here.

    An engine that starts in the middle of a day has no earlier one to leave behind.
    """
    core = view(engine, 1, ENGINE)[0]
    if core.day != 0:
        refresh_holdings(engine)
        accounts = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)
        for at in range(FIRST_STRATEGY_ACCOUNT + core.strategy_count):
            accounts[at].day_start = accounts[at].cash + accounts[at].holdings - accounts[at].fees
    core.day = core.clock_ns // DAY_NS
