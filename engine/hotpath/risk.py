"""The risk gate. Every order passes here and nowhere else; `check` says why one is refused, with the measured value
and bound.

The most specific account is asked first: strategy, team, firm. A limit that nobody set (UNSET) blocks. Orders that only
reduce a position pass the checks that exist to stop new risk (daily loss, reduce-only, dirty book).
"""

from __future__ import annotations

from engine.hotpath.book import TOP
from engine.hotpath.positions import account_cell, holder_of, own_cell, waits_for_cross
from engine.hotpath.status_gate import check_auction, check_status
from engine.hotpath.status_tables import STATUS
from engine.hotpath.tables import (
    ACCOUNT,
    CELL,
    ENGINE,
    FIRM_ACCOUNT,
    FIRST_STRATEGY_ACCOUNT,
    INSTRUMENT,
    STRATEGY,
    VENUE,
    VENUES,
)
from engine.messages.codes import DenialReason, EngineState, LimitName, Scope, SessionState, Side, TimeInForce
from engine.native import hot, view

BUY, SELL = int(Side.BUY), int(Side.SELL)
ACTIVE, REDUCE = int(EngineState.ACTIVE), int(EngineState.REDUCE)
UP = int(SessionState.UP)
POST_ONLY = int(TimeInForce.POST_ONLY)
GTC = int(TimeInForce.GTC)
LAST_TIME_IN_FORCE = max(int(item) for item in TimeInForce)
SCOPE_FIRM, SCOPE_VENUE = int(Scope.FIRM), int(Scope.VENUE)
SECOND_NS = 1_000_000_000
LARGEST_PRICE = 1 << 37  # with LARGEST_QUANTITY the notional stays inside 63 bits
LARGEST_QUANTITY = 1 << 24

NONE = int(DenialReason.NONE)
KILL_ACTIVE = int(DenialReason.KILL_ACTIVE)
ENGINE_NOT_ACTIVE = int(DenialReason.ENGINE_NOT_ACTIVE)
VENUE_DOWN = int(DenialReason.VENUE_DOWN)
LIMIT_UNSET = int(DenialReason.LIMIT_UNSET)
ORDER_QUANTITY = int(DenialReason.ORDER_QUANTITY)
ORDER_VALUE = int(DenialReason.ORDER_VALUE)
PRICE_COLLAR = int(DenialReason.PRICE_COLLAR)
REFERENCE_MISSING = int(DenialReason.REFERENCE_MISSING)
POSITION = int(DenialReason.POSITION)
ORDER_RATE = int(DenialReason.ORDER_RATE)
DAILY_LOSS = int(DenialReason.DAILY_LOSS)
TICK_SIZE = int(DenialReason.TICK_SIZE)
INVALID_FIELD = int(DenialReason.INVALID_FIELD)
BOOK_DIRTY = int(DenialReason.BOOK_DIRTY)
NOTIONAL_OVERFLOW = int(DenialReason.NOTIONAL_OVERFLOW)
UNKNOWN_INSTRUMENT = int(DenialReason.UNKNOWN_INSTRUMENT)
INSTRUMENT_BREAK = int(DenialReason.INSTRUMENT_BREAK)
WOULD_TAKE = int(DenialReason.WOULD_TAKE)
NO_TIME_IN_FORCE = int(DenialReason.TIME_IN_FORCE)

LIMIT_ORDER_QUANTITY = int(LimitName.ORDER_QUANTITY)
LIMIT_ORDER_VALUE = int(LimitName.ORDER_VALUE)
LIMIT_COLLAR = int(LimitName.COLLAR_BASIS_POINTS)
LIMIT_POSITION = int(LimitName.POSITION)
LIMIT_RATE = int(LimitName.ORDERS_PER_SECOND)
LIMIT_LOSS = int(LimitName.DAILY_LOSS)


@hot
def refuse(engine, reason, measured, bound):
    """Note what was measured against what; returns the reason."""
    core = view(engine, 1, ENGINE)[0]
    core.measured = measured
    core.bound = bound
    return reason


@hot
def check_fields(engine, venue, instrument, side, price, quantity, time_in_force):
    """Is this an order at all? Instrument known, tick and lot right, notional inside 63 bits."""
    core = view(engine, 1, ENGINE)[0]
    if instrument < 1 or instrument > core.instrument_count:
        return refuse(engine, UNKNOWN_INSTRUMENT, instrument, core.instrument_count)
    if venue < 1 or venue > core.venue_count:
        return refuse(engine, VENUE_DOWN, venue, core.venue_count)
    if (side != BUY and side != SELL) or time_in_force < 1 or time_in_force > LAST_TIME_IN_FORCE:
        return refuse(engine, INVALID_FIELD, side, time_in_force)
    if price <= 0 or quantity <= 0:
        return refuse(engine, INVALID_FIELD, price, quantity)
    if price > LARGEST_PRICE or quantity > LARGEST_QUANTITY:
        return refuse(engine, NOTIONAL_OVERFLOW, price, quantity)
    largest_price = view(core.venues, VENUES, VENUE)[venue].largest_price
    if largest_price != 0 and price > largest_price:
        return refuse(engine, INVALID_FIELD, price, largest_price)
    listed = view(core.instruments, core.instrument_count + 1, INSTRUMENT)[instrument]
    if listed.tick_size == 0:
        return refuse(engine, UNKNOWN_INSTRUMENT, instrument, core.instrument_count)
    if price % listed.tick_size != 0:
        return refuse(engine, TICK_SIZE, price, listed.tick_size)
    if quantity % listed.lot_size != 0:
        return refuse(engine, INVALID_FIELD, quantity, listed.lot_size)
    return NONE


@hot
def check_kills(engine, strategy_account, team, venue):
    """Kill switches, before everything else: a kill is named even where it also halts the engine."""
    core = view(engine, 1, ENGINE)[0]
    accounts = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)
    for account_index in (strategy_account, team, FIRM_ACCOUNT):
        account = accounts[account_index]
        if account.killed != 0:
            core.scope = account.scope
            core.scope_id = account.scope_id
            return refuse(engine, KILL_ACTIVE, 1, 0)
    if view(core.venues, VENUES, VENUE)[venue].killed != 0:
        core.scope = SCOPE_VENUE
        core.scope_id = venue
        return refuse(engine, KILL_ACTIVE, 1, 0)
    return NONE


@hot
def check_open(engine, venue, reduces):
    """Engine state, venue session, feed."""
    core = view(engine, 1, ENGINE)[0]
    row = view(core.venues, VENUES, VENUE)[venue]
    if core.state != ACTIVE and not (core.state == REDUCE and reduces):
        return refuse(engine, ENGINE_NOT_ACTIVE, core.state, ACTIVE)
    if row.session != UP:
        return refuse(engine, VENUE_DOWN, row.session, UP)
    if row.dirty != 0 and not reduces:
        return refuse(engine, BOOK_DIRTY, row.dirty, 0)
    return NONE


@hot
def unset(engine, name):
    """A limit that nobody set blocks."""
    view(engine, 1, ENGINE)[0].limit_name = name
    return refuse(engine, LIMIT_UNSET, 0, -1)


@hot
def check_limits_set(engine, account):
    """Every bound of the account has a value."""
    if account.order_quantity < 0:
        return unset(engine, LIMIT_ORDER_QUANTITY)
    if account.order_value < 0:
        return unset(engine, LIMIT_ORDER_VALUE)
    if account.collar_basis_points < 0:
        return unset(engine, LIMIT_COLLAR)
    if account.position < 0:
        return unset(engine, LIMIT_POSITION)
    if account.orders_per_second < 0:
        return unset(engine, LIMIT_RATE)
    if account.daily_loss < 0:
        return unset(engine, LIMIT_LOSS)
    return NONE


@hot
def check_account(engine, account_index, cell_address, side, price, quantity, reference, reduces):
    """All bounds of one account."""
    core = view(engine, 1, ENGINE)[0]
    account = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)[account_index]
    core.scope = account.scope
    core.scope_id = account.scope_id
    reason = check_limits_set(engine, account)
    if reason != NONE:
        return reason
    if quantity > account.order_quantity:
        core.limit_name = LIMIT_ORDER_QUANTITY
        return refuse(engine, ORDER_QUANTITY, quantity, account.order_quantity)
    if price * quantity > account.order_value:
        core.limit_name = LIMIT_ORDER_VALUE
        return refuse(engine, ORDER_VALUE, price * quantity, account.order_value)
    away = price - reference if price > reference else reference - price
    if away * 10_000 > account.collar_basis_points * reference:
        core.limit_name = LIMIT_COLLAR
        return refuse(engine, PRICE_COLLAR, away * 10_000 // reference, account.collar_basis_points)
    cell = view(cell_address, 1, CELL)[0]
    worst = cell.position + cell.working_buy + quantity if side == BUY else cell.working_sell + quantity - cell.position
    if worst > account.position:
        core.limit_name = LIMIT_POSITION
        return refuse(engine, POSITION, worst, account.position)
    profit = account.cash + account.holdings - account.fees - account.day_start
    if -profit > account.daily_loss and not reduces:
        core.limit_name = LIMIT_LOSS
        return refuse(engine, DAILY_LOSS, -profit, account.daily_loss)
    return check_rate(engine, account)


@hot
def check_rate(engine, account):
    """A bucket of one second's orders that refills steadily: `rate_due_ns` is when it would be full again."""
    core = view(engine, 1, ENGINE)[0]
    core.limit_name = LIMIT_RATE
    if account.orders_per_second == 0:
        return refuse(engine, ORDER_RATE, 1, 0)
    due = account.rate_due_ns if account.rate_due_ns > core.market_time_ns else core.market_time_ns
    if due + account.rate_interval_ns > core.market_time_ns + SECOND_NS:
        return refuse(engine, ORDER_RATE, account.orders_per_second + 1, account.orders_per_second)
    core.limit_name = 0
    return NONE


@hot
def reference_price(engine, listing):
    """The middle of the live book, or 0 when a side is empty."""
    core = view(engine, 1, ENGINE)[0]
    top = view(core.tops, core.listing_count, TOP)[listing]
    if top.bid_quantity == 0 or top.ask_quantity == 0:
        return 0
    return (top.bid + top.ask) // 2


@hot
def check_posts(engine, venue, instrument, side, price):
    """A post-only order for a venue that does not know the instruction: refused when it would trade with the book as
    it stands, or when the venue shows none."""
    core = view(engine, 1, ENGINE)[0]
    row = view(core.venues, VENUES, VENUE)[venue]
    if row.post_only != 0:
        return NONE
    if row.priced_by != venue:
        return refuse(engine, WOULD_TAKE, price, 0)
    top = view(core.tops, core.listing_count, TOP)[(venue - 1) * (core.instrument_count + 1) + instrument]
    if side == BUY and top.ask_quantity > 0 and price >= top.ask:
        return refuse(engine, WOULD_TAKE, price, top.ask)
    if side == SELL and top.bid_quantity > 0 and price <= top.bid:
        return refuse(engine, WOULD_TAKE, price, top.bid)
    return NONE


@hot
def check_time_in_force(engine, venue, instrument, time_in_force):
    """NONE when the venue has this time in force, and its cross is still to come if it waits for one."""
    if waits_for_cross(time_in_force):
        return check_auction(engine, venue, instrument, time_in_force)
    core = view(engine, 1, ENGINE)[0]
    if view(core.venues, VENUES, VENUE)[venue].good_till != 0 and (time_in_force == GTC) == (core.good_till_s == 0):
        return NONE
    return refuse(engine, NO_TIME_IN_FORCE, time_in_force, 0)


@hot
def check_elsewhere(engine, priced_by, instrument, side, price, quantity, reduces):
    """A venue without books of its own: the one that prices it has to be whole and open."""
    core = view(engine, 1, ENGINE)[0]
    dirty = view(core.venues, VENUES, VENUE)[priced_by].dirty
    if dirty != 0 and not reduces:
        return refuse(engine, BOOK_DIRTY, dirty, 0)
    listing = (priced_by - 1) * (core.instrument_count + 1) + instrument
    if view(core.statuses, core.listing_count, STATUS)[listing].blocks != 0:
        return check_status(engine, priced_by, instrument, side, price, quantity, reduces)
    return NONE


@hot
def check(engine, strategy_index, team, leg, venue, instrument, side, price, quantity, time_in_force):
    """NONE when the order may leave, else the DenialReason; measured, bound and scope are in the engine block."""
    core = view(engine, 1, ENGINE)[0]
    core.scope = 0
    core.scope_id = 0
    core.limit_name = 0
    reason = check_fields(engine, venue, instrument, side, price, quantity, time_in_force)
    if reason != NONE:
        return reason
    own = own_cell(engine, holder_of(engine, leg), instrument)
    held = view(own, 1, CELL)[0]
    if side == BUY:
        reduces = held.position + held.working_buy + quantity <= 0
    else:
        reduces = held.position - held.working_sell - quantity >= 0
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[strategy_index]
    reason = check_kills(engine, strategy.account, team, venue)
    if reason != NONE:
        return reason
    reason = check_open(engine, venue, reduces)
    if reason != NONE:
        return reason
    breaks = view(core.instruments, core.instrument_count + 1, INSTRUMENT)[instrument].breaks
    if breaks != 0 and not reduces:
        return refuse(engine, INSTRUMENT_BREAK, breaks, 0)
    listing = (venue - 1) * (core.instrument_count + 1) + instrument
    if view(core.statuses, core.listing_count, STATUS)[listing].blocks != 0:
        reason = check_status(engine, venue, instrument, side, price, quantity, reduces)
        if reason != NONE:
            return reason
    if time_in_force > POST_ONLY:
        reason = check_time_in_force(engine, venue, instrument, time_in_force)
        if reason != NONE:
            return reason
    priced_by = view(core.venues, VENUES, VENUE)[venue].priced_by
    if priced_by != venue:
        reason = check_elsewhere(engine, priced_by, instrument, side, price, quantity, reduces)
        if reason != NONE:
            return reason
        listing = (priced_by - 1) * (core.instrument_count + 1) + instrument
    reference = reference_price(engine, listing)
    if reference == 0:
        return refuse(engine, REFERENCE_MISSING, 0, 0)
    if time_in_force == POST_ONLY:
        reason = check_posts(engine, venue, instrument, side, price)
        if reason != NONE:
            return reason
    if strategy_index != 0:
        reason = check_account(engine, strategy.account, own, side, price, quantity, reference, reduces)
        if reason != NONE:
            return reason
    cell = account_cell(engine, team, instrument)
    reason = check_account(engine, team, cell, side, price, quantity, reference, reduces)
    if reason != NONE:
        return reason
    cell = account_cell(engine, FIRM_ACCOUNT, instrument)
    return check_account(engine, FIRM_ACCOUNT, cell, side, price, quantity, reference, reduces)


@hot
def spend_rate(engine, account_index):
    """Count one order in the account's rate: the bucket holds one second's worth and refills steadily."""
    core = view(engine, 1, ENGINE)[0]
    account = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)[account_index]
    due = account.rate_due_ns if account.rate_due_ns > core.market_time_ns else core.market_time_ns
    if account.orders_per_second > 0:
        account.rate_due_ns = due + account.rate_interval_ns


@hot
def count_order(engine, strategy_index, team):
    """A sent order counts at once in every account it passed."""
    core = view(engine, 1, ENGINE)[0]
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[strategy_index]
    if strategy_index != 0:
        spend_rate(engine, strategy.account)
    spend_rate(engine, team)
    spend_rate(engine, FIRM_ACCOUNT)
