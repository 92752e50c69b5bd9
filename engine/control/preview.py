"""What an order would meet, told without entering it: the books, the gate's answer, and how much of each limit is used.

Read from the loop's memory between batches; nothing is journalled and nothing changes.
"""

from __future__ import annotations

from typing import Any

from engine.control.configuration import LIMIT_FIELDS, Configuration, Refusal
from engine.control.emulation import emulation, span
from engine.hotpath import tables
from engine.hotpath.entries import check, market_price
from engine.hotpath.risk import NONE
from engine.messages.codes import DenialReason, LimitName, Scope, Side, TimeInForce
from engine.messages.control import SMART, Preview
from engine.messages.prices import LARGEST_PROTECTION

ANY = -1


def preview(configuration: Configuration, body: Preview) -> dict[str, Any]:
    """The answer's body. Refusal for an instrument, venue or side that there is not."""
    if body.instrument not in configuration.names:
        raise Refusal(f"instrument {body.instrument} is not known")
    for venue in body.venues:
        if venue not in configuration.venues:
            raise Refusal(f"venue {venue} is not defined")
    if body.side not in tuple(Side) or body.quantity <= 0 or body.price < 0 or not body.venues:
        raise Refusal("a preview needs a venue, a side, a quantity and a price that is not negative")
    if not 0 <= body.protection <= LARGEST_PROTECTION:
        raise Refusal(f"the protection of a market order is 1 to {LARGEST_PROTECTION} basis points")
    tops = [_top(configuration, venue, body.instrument) for venue in body.venues]
    return {
        "price": max(_market_price(configuration, body), 0) if body.protection else body.price,
        "tops": tops,
        "accounts": _accounts(configuration, body),
        "gate": _gate(configuration, body) if body.team in configuration.team_accounts else {},
        "limits_version": configuration.limits_version,
    } | _emulated(configuration, body)


def _top(configuration: Configuration, venue: int, instrument: int) -> dict[str, Any]:
    listing = configuration.memory.listing(venue, instrument)
    top = configuration.memory.book.tops[listing]
    found: dict[str, Any] = {"venue": venue}
    for price, quantity in (("bid", "bid_quantity"), ("ask", "ask_quantity")):
        there = int(top[quantity]) > 0
        found[price], found[quantity] = (int(top[price]), int(top[quantity])) if there else (None, None)
    found["last_price"] = int(configuration.memory.statuses[listing]["last_price"]) or None
    return found


def _accounts(configuration: Configuration, body: Preview) -> list[dict[str, Any]]:
    """The team and the firm: what they hold and work of the instrument, and their bounds (null: unset)."""
    found = []
    for scope, scope_id, index in (
        (Scope.TEAM, body.team, configuration.team_accounts.get(body.team)),
        (Scope.FIRM, 0, tables.FIRM_ACCOUNT),
    ):
        limits = next((row for row in configuration.limits if (row.scope, row.scope_id) == (scope, scope_id)), None)
        cell = {"position": 0, "working_buy": 0, "working_sell": 0}
        profit = 0
        if index is not None:
            row = configuration.memory.cells[index * configuration.memory.width + body.instrument]
            cell = {name: int(row[name]) for name in cell}
            account = configuration.memory.accounts[index]
            profit = int(account["cash"] + account["holdings"] - account["fees"] - account["day_start"])
        bounds = {name: getattr(limits, name) if limits else -1 for name in LIMIT_FIELDS}
        bounds = {name: None if bound < 0 else bound for name, bound in bounds.items()}
        found.append({"scope": scope.name, "scope_id": scope_id, "today": profit, "bounds": bounds} | cell)
    return found


def _gate(configuration: Configuration, body: Preview) -> dict[str, Any]:
    """What the gate would say to all of it as one order; empty when it would let it pass at one of the venues, for
    the router and an algorithm leave out those where it does not. Otherwise what it says at the first."""
    found: list[dict[str, Any]] = []
    for venue in body.venues:
        denied = _gate_at(configuration, body, venue)
        if not denied:
            return {}
        found.append(denied)
    return found[0]


def _emulated(configuration: Configuration, body: Preview) -> dict[str, Any]:
    """Which algorithm would emulate the order's time in force (empty: none), and when it would go out (0: at once, or
    nobody knows)."""
    name = emulation(configuration, body.venues[0], body.time_in_force) if len(body.venues) == 1 else ""
    begins = span(configuration, body.venues[0], body.time_in_force)[0] if name else 0
    return {"emulated": name, "emulated_ns": begins}


def _market_price(configuration: Configuration, body: Preview) -> int:
    """The limit that a market order would get, or minus the DenialReason."""
    venue = body.venues[0] if len(body.venues) == 1 else SMART
    return int(market_price(configuration.memory.address, venue, body.instrument, body.side, body.protection))


def _gate_at(configuration: Configuration, body: Preview, venue: int) -> dict[str, Any]:
    memory = configuration.memory
    if body.protection and (made := _market_price(configuration, body)) <= 0:
        return {"denial": DenialReason(-made).name, "measured": 0, "bound": 0}
    top = _top(configuration, int(memory.venues[venue]["priced_by"]), body.instrument)
    price = body.price or top["ask" if body.side == Side.BUY else "bid"] or 0
    if body.protection:
        price = made
    in_force = TimeInForce.DAY if emulation(configuration, venue, body.time_in_force) else body.time_in_force
    memory.core["good_till_s"] = body.time_in_force == TimeInForce.GTD
    reason = int(
        check(
            memory.address, 0, configuration.team_accounts[body.team], ANY, venue, body.instrument, body.side,
            price, body.quantity, in_force,
        )
    )  # fmt: skip
    memory.core["good_till_s"] = 0
    if reason == NONE:
        return {}
    core = memory.core[0]
    found: dict[str, Any] = {"denial": DenialReason(reason).name}
    found |= {"measured": int(core["measured"]), "bound": int(core["bound"])}
    if core["scope"]:
        found |= {"scope": Scope(int(core["scope"])).name, "scope_id": int(core["scope_id"])}
    if core["limit_name"]:
        found["limit_name"] = LimitName(int(core["limit_name"])).name
    return found
