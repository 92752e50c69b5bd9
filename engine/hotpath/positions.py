"""Positions and P&L of cells: exact integers, nothing rounded away.

A cell is one instrument of the firm, of a team or of a strategy. `cash + position x mark` is the profit before fees,
whatever the order of fills; `cost` only splits it: realised = cash + cost, unrealised = position x mark - cost.
"""

from __future__ import annotations

from engine.hotpath.tables import (
    CELL,
    ENGINE,
    FIRM_ACCOUNT,
    FIRST_STRATEGY_ACCOUNT,
    LEG,
    LEGS_PER_STRATEGY,
    ORDER,
    PARENT,
    STRATEGY,
)
from engine.messages.codes import Side, TimeInForce
from engine.native import hot, view

BUY = int(Side.BUY)
AT_OPEN, AT_CLOSE = int(TimeInForce.AT_OPEN), int(TimeInForce.AT_CLOSE)
CELL_BYTES = CELL.itemsize
LEG_BYTES = LEG.itemsize


@hot
def waits_for_cross(time_in_force):
    """Whether an order of this time in force waits off the book for a cross of its venue."""
    return time_in_force == AT_OPEN or time_in_force == AT_CLOSE


@hot
def account_cell(engine, account, instrument):
    """Address of the cell of the firm, a team, or of manual orders (the account of strategy row 0)."""
    core = view(engine, 1, ENGINE)[0]
    return core.cells + (account * (core.instrument_count + 1) + instrument) * CELL_BYTES


@hot
def own_cell(engine, leg, instrument):
    """Address of the cell that the order's owner sees: its leg, or the manual account's cell when leg is -1."""
    if leg < 0:
        return account_cell(engine, FIRST_STRATEGY_ACCOUNT, instrument)
    return view(engine, 1, ENGINE)[0].legs + leg * LEG_BYTES


@hot
def parent_row(engine, leg, parent):
    """Row of the strategy that works parent order `parent` with `leg`; 0 when there is none, or it has ended."""
    core = view(engine, 1, ENGINE)[0]
    if parent == 0:
        return 0
    row = leg // LEGS_PER_STRATEGY
    return row if view(core.strategies, core.strategy_count, STRATEGY)[row].parent == parent else 0


@hot
def parent_of(engine, leg):
    """Number of the parent order that works with `leg`, 0: none."""
    core = view(engine, 1, ENGINE)[0]
    if leg < 0:
        return 0
    return view(core.strategies, core.strategy_count, STRATEGY)[leg // LEGS_PER_STRATEGY].parent


@hot
def pause_clock(engine, leg):
    """The time on which `leg` waits after a refusal: market time, but the loop's clock for a parent order's, which is
    called also while nothing is quoted."""
    core = view(engine, 1, ENGINE)[0]
    return core.clock_ns if parent_of(engine, leg) != 0 else core.market_time_ns


@hot
def holder_of(engine, leg):
    """The leg in whose cell the orders of `leg` are held: itself, but of a parent order's leg that of its owner."""
    core = view(engine, 1, ENGINE)[0]
    if leg < 0:
        return leg
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[leg // LEGS_PER_STRATEGY]
    if strategy.parent == 0:
        return leg
    return view(strategy.row, 1, PARENT)[0].holder[leg % LEGS_PER_STRATEGY]


@hot
def reserve(cell_address, side, quantity):
    """Count a working order of `quantity` (negative takes it back)."""
    cell = view(cell_address, 1, CELL)[0]
    if side == BUY:
        cell.working_buy += quantity
    else:
        cell.working_sell += quantity


@hot
def fill_cell(cell_address, side, price, quantity, fee):
    """Apply a fill. The part that closes takes its share of the cost; what is left opens at the fill's price."""
    cell = view(cell_address, 1, CELL)[0]
    signed = quantity if side == BUY else -quantity
    before = cell.position
    if before != 0 and (before > 0) != (signed > 0):
        held = before if before > 0 else -before
        closed = quantity if quantity < held else held
        magnitude = cell.cost if cell.cost > 0 else -cell.cost
        released = magnitude // held * closed + magnitude % held * closed // held
        cell.cost -= released if cell.cost > 0 else -released
        opened = quantity - closed
    else:
        opened = quantity
    cell.cost += opened * price if signed > 0 else -(opened * price)
    cell.position = before + signed
    cell.cash -= signed * price
    cell.fees += fee
    if signed > 0:
        cell.bought += quantity
    else:
        cell.sold += quantity


@hot
def parent_in(engine, row):
    """The parent order that a row of the strategies' table works."""
    core = view(engine, 1, ENGINE)[0]
    return view(view(core.strategies, core.strategy_count, STRATEGY)[row].row, 1, PARENT)[0]


@hot
def reserve_everywhere(engine, order_address, quantity):
    """Count (or take back) working quantity in the firm's, the team's and the owner's cell."""
    order = view(order_address, 1, ORDER)[0]
    reserve(account_cell(engine, FIRM_ACCOUNT, order.instrument), order.side, quantity)
    reserve(account_cell(engine, order.team, order.instrument), order.side, quantity)
    reserve(own_cell(engine, order.holder, order.instrument), order.side, quantity)
    row = parent_row(engine, order.leg, order.parent)
    if row != 0:
        reserve(own_cell(engine, order.leg, order.instrument), order.side, quantity)
        if waits_for_cross(order.time_in_force):
            parent_in(engine, row).auction_working += quantity


@hot
def fill_everywhere(engine, order_address, price, quantity, fee):
    """Apply a fill in the firm's, the team's and the owner's cell."""
    order = view(order_address, 1, ORDER)[0]
    fill_cell(account_cell(engine, FIRM_ACCOUNT, order.instrument), order.side, price, quantity, fee)
    fill_cell(account_cell(engine, order.team, order.instrument), order.side, price, quantity, fee)
    fill_cell(own_cell(engine, order.holder, order.instrument), order.side, price, quantity, fee)
    row = parent_row(engine, order.leg, order.parent)
    if row != 0:
        fill_cell(own_cell(engine, order.leg, order.instrument), order.side, price, quantity, fee)
        count_done(engine, row, order.leg, order.side, price, quantity)
        if waits_for_cross(order.time_in_force):
            parent_in(engine, row).auction_filled += quantity


@hot
def count_done(engine, row, leg, side, price, quantity):
    """Shares of the parent order that `row` works were traded (negative: taken back). What one of several legs trades
    against its own side gives shares back."""
    parent = parent_in(engine, row)
    if parent.several != 0 and (side == BUY) == (parent.selling >> (leg % LEGS_PER_STRATEGY) & 1 == 1):
        quantity = -quantity
    parent.filled += quantity
    parent.value += price * quantity
