"""Parent orders between batches: checked, put into a row of the strategies' table, taken out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.algorithms import ALGORITHMS, compiled_algorithm
from engine.control.configuration import LARGEST_NUMBER, Configuration, Refusal, check_parameters
from engine.hotpath import tables
from engine.hotpath.entries import begin_parent, find_parent, listed_volume, settle_parent, spend_number, stop_parent
from engine.hotpath.risk import LARGEST_PRICE, LARGEST_QUANTITY
from engine.messages.codes import ParentState, Scope, Side, StrategyState
from engine.messages.control import Command, EnterParent, command
from engine.native import address_of, touched
from engine.strategies import Kind

LONGEST_NS = 7 * 86_400_000_000_000
MANUAL = 0
ENGINE_ACTOR = "engine"
ASKED_WITHIN_NS = 5_000_000_000  # what a strategy asked for longer ago has lost its reason


@dataclass(frozen=True)
class Checked:
    """A parent order that may be put into `row`; `holder` is its owner's leg, -1 for people's."""

    kind: Kind
    values: dict[str, float]
    row: int
    owner: int
    holder: int
    start_ns: int


class ParentOrders:
    """The cold side of parent orders of one engine."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._memory = configuration.memory
        self._asked_taken = 0

    def check(self, body: EnterParent) -> Checked:
        """What it takes to work the order; Refusal when something of it is wrong."""
        clock_ns = int(self._memory.core["clock_ns"][0])
        if body.expires_ns and clock_ns > body.expires_ns:
            raise Refusal("the order came later than its sender allowed; it was not entered")
        try:
            kind = compiled_algorithm(body.algorithm)
        except KeyError:
            raise Refusal(f"this engine has no algorithm {body.algorithm!r}") from None
        if body.kind_hash != kind.hash:
            raise Refusal(f"{body.algorithm} of this engine is {kind.hash}, not {body.kind_hash}; open the form again")
        self._check_terms(body, kind)
        start_ns = max(body.start_ns, clock_ns)
        if not start_ns < body.end_ns <= start_ns + LONGEST_NS:
            raise Refusal("a parent order ends after it begins, and within seven days of it")
        values = check_parameters(kind.module.PARAMETERS, body.parameters, getattr(kind.module, "BELOW", ()))
        self._configuration.check_room(body.team)
        if not 0 <= body.trader < LARGEST_NUMBER:
            raise Refusal("a trader has a positive number below 2^31")
        owner, holder = self._owner(body)
        self._check_kills(body)
        return Checked(kind, values, self._free_row(), owner, holder, start_ns)

    def _check_terms(self, body: EnterParent, kind: Kind) -> None:
        if body.instrument not in self._configuration.names:
            raise Refusal(f"instrument {body.instrument} is not known")
        if not 1 <= len(body.venues) <= tables.LEGS_PER_STRATEGY or len(set(body.venues)) != len(body.venues):
            raise Refusal(f"a parent order names 1 to {tables.LEGS_PER_STRATEGY} different venues")
        for venue in body.venues:
            if venue not in self._configuration.venues:
                raise Refusal(f"venue {venue} is not defined")
        if body.side not in tuple(Side):
            raise Refusal("a side is 1 (buy) or 2 (sell)")
        listed = self._memory.instruments[body.instrument]
        lot, tick = int(listed["lot_size"]), int(listed["tick_size"])
        if not 1 <= body.quantity <= LARGEST_QUANTITY or body.quantity % lot:
            raise Refusal(f"a quantity is 1 to {LARGEST_QUANTITY} shares, in lots of {lot}")
        if not 0 <= body.price <= LARGEST_PRICE or body.price % tick:
            raise Refusal(f"a limit price is a multiple of the tick size, {tick / 10_000:g}; 0 is no limit")
        if body.price == 0 and getattr(kind.module, "NEEDS_PRICE", False):
            raise Refusal(f"{kind.module.LABEL} needs a limit price")

    def _owner(self, body: EnterParent) -> tuple[int, int]:
        """Row of the strategy whose order it is, and its leg for the instrument; 0 and -1 for people."""
        if body.strategy == 0:
            return MANUAL, -1
        row = self._configuration.strategy_rows.get(body.strategy)
        if row is None or self._memory.strategies[row]["state"] != StrategyState.RUNNING:
            raise Refusal(f"strategy {body.strategy} is not running")
        if self._configuration.team_accounts.get(body.team) != self._memory.strategies[row]["team"]:
            raise Refusal(f"strategy {body.strategy} is not of team {body.team}")
        for at in range(int(self._memory.strategies[row]["leg_count"])):
            leg = row * tables.LEGS_PER_STRATEGY + at
            if self._memory.legs[leg]["instrument"] == body.instrument:
                return row, leg
        raise Refusal(f"strategy {body.strategy} does not trade {self._configuration.names[body.instrument]}")

    def _check_kills(self, body: EnterParent) -> None:
        kills = self._configuration.kills
        for scope, number in ((Scope.FIRM, 0), (Scope.TEAM, body.team), (Scope.STRATEGY, body.strategy)):
            if (int(scope), number) in kills:
                raise Refusal(f"a kill of the {scope.name.lower()} holds; somebody has to re-arm it first")

    def _free_row(self) -> int:
        """The last row that neither a strategy nor a parent order has: strategies take theirs from the first on."""
        taken = len(self._configuration.strategy_rows)
        free = np.flatnonzero(self._memory.strategies["parent"][taken + 1 :] == 0)
        if not len(free):
            raise Refusal("every row for strategies and parent orders is taken; cancel or wait for one")
        return taken + 1 + int(free[-1])

    def enter(self, body: EnterParent, checked: Checked) -> dict[str, Any]:
        """Put a checked parent order into its row and let it work. The answer's body: its number."""
        memory, row, kind = self._memory, checked.row, checked.kind
        number = spend_number(memory.address)
        state = touched(1, kind.module.STATE)
        given = {
            "parent": number,
            "state": ParentState.WORKING,
            "owner": checked.owner,
            "holder": checked.holder,
            "trader": body.trader,
            "side": body.side,
            "quantity": body.quantity,
            "price": body.price,
            "start_ns": checked.start_ns,
            "end_ns": body.end_ns,
            "leg_count": len(body.venues),
            "lot_size": int(memory.instruments[body.instrument]["lot_size"]),
        }
        for name, value in (checked.values | given).items():
            state[name] = value
        self._configuration.clear_row(row)
        memory.rows[row] = state
        strategy = memory.strategies[row]
        strategy["kind"], strategy["entry"], strategy["row"] = kind.number, kind.entry, address_of(state)
        strategy["team"] = self._configuration.team_account(body.team)
        strategy["leg_count"], strategy["parent"] = len(body.venues), number
        for at, venue in enumerate(body.venues):
            self._configuration.bind_leg(row * tables.LEGS_PER_STRATEGY + at, row, venue, body.instrument)
        strategy["state"] = StrategyState.RUNNING
        self.bound_children(row)
        state["volume_begin"] = listed_volume(memory.address, row)
        memory.subscribe()
        begin_parent(memory.address, row)
        return {"parent_id": number}

    def bound_children(self, row: int) -> None:
        """The most shares that one child may have under the limits in force, in whole lots and at least one."""
        memory = self._memory
        strategy, state = memory.strategies[row], memory.rows[row]
        legs = memory.legs[row * tables.LEGS_PER_STRATEGY :][: int(strategy["leg_count"])]
        dearest = int(state["price"][0]) or max([int(leg["ask"]) for leg in legs] + [1])
        accounts = [tables.FIRM_ACCOUNT, int(strategy["team"])]
        if owner := int(state["owner"][0]):
            accounts.append(int(memory.strategies[owner]["account"]))
        largest = int(state["quantity"][0])
        for account in memory.accounts[accounts]:
            if account["order_quantity"] > 0:
                largest = min(largest, int(account["order_quantity"]))
            if account["order_value"] > 0:
                largest = min(largest, int(account["order_value"]) // dearest)
        lot = int(state["lot_size"][0])
        state["largest"] = max(largest - largest % lot, lot)

    def working(self) -> list[int]:
        """Rows of the parent orders that have not ended, in the order in which they began."""
        return [int(row) for row in self._memory.parents[: int(self._memory.core["parent_count"][0])]]

    def venues_of(self, row: int) -> list[int]:
        """Numbers of the venues where a parent order may work."""
        legs = self._memory.legs[row * tables.LEGS_PER_STRATEGY :]
        return [int(venue) for venue in legs["venue"][: int(self._memory.strategies[row]["leg_count"])]]

    def row_of(self, number: int) -> int:
        """Row of a parent order that has not ended. Refusal otherwise."""
        row = find_parent(self._memory.address, number)
        if row == 0:
            raise Refusal(f"parent order {number} is not working")
        return row

    def take_asked(self) -> list[Command]:
        """Commands that enter what strategies asked for since the last look. Their ids name the request, so that after
        a restart what was entered is not entered again, and what is late is refused."""
        made = int(self._memory.core["asked_count"][0])
        first = max(self._asked_taken, made - tables.MOST_ASKED_PARENTS)
        rows = [self._memory.asked[at % tables.MOST_ASKED_PARENTS] for at in range(first, made)]
        self._asked_taken = made
        return [command(_asked_body(row), ENGINE_ACTOR, f"strategy-parent-{int(row['number'])}") for row in rows]

    def cancel(self, row: int) -> dict[str, Any]:
        """No more children, the open ones canceled; it ends when none is left."""
        stop_parent(self._memory.address, row, ParentState.CANCELING)
        settle_parent(self._memory.address, row)
        return {}

    def cancel_of(self, *, owner: int = -1, team: int = -1) -> None:
        """Cancel those of a strategy's row, of a team's account, or (neither given) all."""
        for row in self.working():
            mine = owner in (-1, int(self._memory.rows[row]["owner"][0]))
            if mine and team in (-1, int(self._memory.strategies[row]["team"])):
                self.cancel(row)


def _asked_body(row: Any) -> EnterParent:
    """The command's body for what a strategy asked for; an algorithm that there is not has no name, and is refused."""
    number, asked_ns = int(row["algorithm"]), int(row["asked_ns"])
    name, module = next(((name, module) for name, (at, module) in ALGORITHMS.items() if at == number), ("", None))
    return EnterParent(
        client_order_id=f"strategy-{int(row['strategy'])}-{int(row['number'])}",
        strategy=int(row["strategy"]),
        team=int(row["team"]),
        trader=0,
        algorithm=name,
        kind_hash=compiled_algorithm(name).hash if name else "",
        instrument=int(row["instrument"]),
        venues=[int(row["venue"])],
        side=int(row["side"]),
        quantity=int(row["quantity"]),
        price=int(row["price"]),
        start_ns=0,
        end_ns=asked_ns + int(row["duration_ns"]),
        parameters={parameter.name: parameter.default for parameter in module.PARAMETERS} if module else {},
        expires_ns=asked_ns + ASKED_WITHIN_NS,
    )
