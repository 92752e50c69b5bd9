"""Fills that the venue takes back. An OUCH venue only names order and match number, so what was booked is remembered.

A break is booked as the opposite fill at the same price, its fee given back: positions, money and fees are as if the
fill had not happened. The shares do not return to the order.
What is remembered also tells a fill that is said twice, and one whose break came first.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.orders import PARTIALLY_FILLED, find_order, show_working
from engine.hotpath.positions import account_cell, count_done, fill_cell, own_cell, parent_row
from engine.hotpath.replacements import recount_chain
from engine.hotpath.tables import (
    ACCOUNT,
    CELL,
    ENGINE,
    FILL,
    FIRM_ACCOUNT,
    FIRST_STRATEGY_ACCOUNT,
    LEG,
    LEGS_PER_STRATEGY,
    ORDER,
    STRATEGY,
)
from engine.messages.codes import CORRECTED, Side
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, view

BUY, SELL = int(Side.BUY), int(Side.SELL)
FILL_BYTES = FILL.itemsize


@hot
def pay(engine, account_index, cash, fee):
    """Money of a fill into an account."""
    core = view(engine, 1, ENGINE)[0]
    account = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)[account_index]
    account.cash += cash
    account.holdings -= cash
    account.fees += fee


@hot
def pay_everywhere(engine, strategy, team, cash, fee):
    """Money of a fill into the accounts of its strategy (row), its team and the firm."""
    core = view(engine, 1, ENGINE)[0]
    if strategy != 0:
        pay(engine, view(core.strategies, core.strategy_count, STRATEGY)[strategy].account, cash, fee)
    pay(engine, team, cash, fee)
    pay(engine, FIRM_ACCOUNT, cash, fee)


@hot
def remember_fill(engine, slot, report_address):
    """Note what was booked for the order in `slot`, over the oldest note."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    fill = view(core.fills, core.fill_mask + 1, FILL)[core.fill_count & core.fill_mask]
    core.fill_count += 1
    fill.match_number = report.match_number
    fill.order_id = order.order_id
    fill.venue = order.venue
    fill.instrument = order.instrument
    fill.side = order.side
    fill.price = report.price
    fill.quantity = report.quantity
    fill.fee = report.fee
    fill.strategy = order.strategy
    fill.team = order.team
    fill.holder = order.holder
    fill.parent = order.parent
    fill.leg = order.leg
    fill.broken = 0
    fill.previous = order.last_fill
    order.last_fill = core.fill_count


@hot
def find_own_fill(engine, slot, match_number):
    """The same for the order in `slot`, along its own fills."""
    core = view(engine, 1, ENGINE)[0]
    oldest = core.fill_count - core.fill_mask
    at = view(slot, 1, ORDER)[0].last_fill
    while at > 0 and at >= oldest:
        address = core.fills + ((at - 1) & core.fill_mask) * FILL_BYTES
        fill = view(address, 1, FILL)[0]
        if fill.match_number == match_number:
            return address
        at = fill.previous
    return 0


@hot
def find_fill(engine, venue, order_id, match_number):
    """Address of the newest fill of the order under this match number, 0 when it is not remembered."""
    core = view(engine, 1, ENGINE)[0]
    slot = find_order(engine, order_id)
    if slot != 0:
        return find_own_fill(engine, slot, match_number)
    oldest = core.fill_count - core.fill_mask - 1
    at = core.fill_count - 1
    while at >= 0 and at >= oldest:
        address = core.fills + (at & core.fill_mask) * FILL_BYTES
        fill = view(address, 1, FILL)[0]
        if fill.match_number == match_number and fill.order_id == order_id and fill.venue == venue:
            return address
        at -= 1
    return 0


@hot
def known_fill(engine, slot, report_address):
    """Address of what is remembered of an execution that the venue says again, or whose break came first; else 0.

    A number names one execution of an order. That of a correction is the number of the fill that it stands for, or its
    own.
    """
    report = view(report_address, 1, ORDER_REPORT)[0]
    if report.match_number == 0:
        return 0
    address = find_own_fill(engine, slot, int64(report.match_number))
    if address != 0 and report.reason == CORRECTED and view(address, 1, FILL)[0].broken != 0:
        return 0
    return address


@hot
def remember_break(engine, slot, report_address):
    """A break that came before its fill: when that comes, it is not booked."""
    remember_fill(engine, slot, report_address)
    core = view(engine, 1, ENGINE)[0]
    fill = view(core.fills, core.fill_mask + 1, FILL)[(core.fill_count - 1) & core.fill_mask]
    fill.quantity = 0
    fill.broken = 1


@hot
def unfill_cell(cell_address, side, price, quantity, fee):
    """Take a fill out of a cell again."""
    fill_cell(cell_address, SELL if side == BUY else BUY, price, quantity, -fee)
    cell = view(cell_address, 1, CELL)[0]
    cell.bought -= quantity
    cell.sold -= quantity


@hot
def owner_cell(engine, fill_address):
    """The cell of the fill's owner; that of manual orders when the owner's leg is about another instrument by now."""
    core = view(engine, 1, ENGINE)[0]
    fill = view(fill_address, 1, FILL)[0]
    leg = fill.holder
    if leg >= 0:
        now = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg]
        if now.instrument != fill.instrument:
            leg = -1
    return own_cell(engine, leg, fill.instrument)


@hot
def break_fill(engine, report_address):
    """A BROKEN report: take the fill back and complete the report with what it was.

    A fill that is not remembered, or was taken back already, changes nothing: the report is marked as a duplicate.
    Returns the strategy's row, or -1 when the fill is not known.
    """
    core = view(engine, 1, ENGINE)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    slot = find_order(engine, int64(report.order_id))
    address = find_fill(engine, report.venue, int64(report.order_id), int64(report.match_number))
    if address == 0:
        report.duplicate = 1
        core.unknown_reports += 1
        if slot != 0 and report.match_number != 0 and report.reason != CORRECTED:
            remember_break(engine, slot, report_address)
        return -1
    fill = view(address, 1, FILL)[0]
    report.strategy = view(core.strategies, core.strategy_count, STRATEGY)[fill.strategy].id
    report.instrument = fill.instrument
    report.side = fill.side
    report.price = fill.price
    report.quantity = fill.quantity
    report.fee = -fill.fee
    if fill.broken != 0:
        report.duplicate = 1
        return fill.strategy
    fill.broken = 1
    instrument, side, price, quantity, fee = fill.instrument, fill.side, fill.price, fill.quantity, fill.fee
    unfill_cell(account_cell(engine, FIRM_ACCOUNT, instrument), side, price, quantity, fee)
    unfill_cell(account_cell(engine, fill.team, instrument), side, price, quantity, fee)
    unfill_cell(owner_cell(engine, address), side, price, quantity, fee)
    row = parent_row(engine, fill.leg, fill.parent)
    if row != 0:
        unfill_cell(own_cell(engine, fill.leg, instrument), side, price, quantity, fee)
        count_done(engine, row, fill.leg, side, price, -quantity)
    cash = price * quantity if side == BUY else -(price * quantity)
    pay_everywhere(engine, fill.strategy, fill.team, cash, -fee)
    if slot != 0:
        order = view(slot, 1, ORDER)[0]
        order.filled -= quantity
        if order.state == PARTIALLY_FILLED:
            show_working(engine, slot)
        recount_chain(engine, slot, -quantity)
        report.leaves = order.leaves
        report.state = order.state
    return row if row != 0 else fill.strategy
