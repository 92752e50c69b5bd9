"""Parent orders between batches: checked, put into a row of the strategies' table, taken out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.algorithms import compiled_algorithm
from engine.control.asked_parents import asked_commands
from engine.control.configuration import LARGEST_NUMBER, Configuration, Refusal, check_parameters
from engine.hotpath import tables
from engine.hotpath.entries import begin_parent, find_parent, listed_volume, settle_parent, spend_number, stop_parent
from engine.hotpath.risk import LARGEST_PRICE, LARGEST_QUANTITY
from engine.messages.codes import ParentState, Scope, Side, StrategyState
from engine.messages.control import SMART, Command, EnterParent
from engine.messages.prices import FOREVER_NS
from engine.native import address_of, touched
from engine.strategies import Kind

LONGEST_NS = 7 * 86_400_000_000_000
MANUAL = 0
LEG_FIELDS = ("venue", "instrument", "side", "quantity", "price")


@dataclass(frozen=True)
class Checked:
    """A parent order that may be put into `row`; `bound` are venue and instrument of each of its legs, `holders` the
    owner's legs for them, -1 for people's."""

    kind: Kind
    values: dict[str, float]
    row: int
    owner: int
    holders: list[int]
    bound: list[tuple[int, int]]
    start_ns: int
    emulates: int


class ParentOrders:
    """The cold side of parent orders of one engine."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._memory = configuration.memory
        self._asked_taken = 0

    def check(self, body: EnterParent, emulates: int = 0) -> Checked:
        """What it takes to work the order, which `emulates` a time in force or was asked for as it is (0); Refusal when
        something of it is wrong."""
        clock_ns = int(self._memory.core["clock_ns"][0])
        if body.expires_ns and clock_ns > body.expires_ns:
            raise Refusal("the order came later than its sender allowed; it was not entered")
        try:
            kind = compiled_algorithm(body.algorithm)
        except KeyError:
            raise Refusal(f"this engine has no algorithm {body.algorithm!r}") from None
        if body.kind_hash != kind.hash:
            raise Refusal(f"{body.algorithm} of this engine is {kind.hash}, not {body.kind_hash}; open the form again")
        if emulates not in getattr(kind.module, "EMULATES", (0,)):
            raise Refusal(f"{kind.module.LABEL} is not asked for; enter an order with that time in force")
        self._check_terms(body, kind)
        bound = [(venue, body.instrument) for venue in body.venues]
        if body.legs:
            bound = [(leg["venue"] or self._home(body.venues), leg["instrument"]) for leg in body.legs]
        start_ns = max(body.start_ns, clock_ns)
        if not start_ns < body.end_ns <= (FOREVER_NS if emulates else start_ns + LONGEST_NS):
            raise Refusal("a parent order ends after it begins, and within seven days of it")
        values = check_parameters(kind.module.PARAMETERS, body.parameters, getattr(kind.module, "BELOW", ()))
        self._configuration.check_room(body.team)
        if not 0 <= body.trader < LARGEST_NUMBER:
            raise Refusal("a trader has a positive number below 2^31")
        if body.legs:
            values |= self._leg_terms(body, kind, values)
        owner = self._owner(body)
        holders = [self._holder(owner, instrument) for _, instrument in bound]
        self._check_kills(body)
        return Checked(kind, values, self._free_row(), owner, holders, bound, start_ns, emulates)

    def _check_terms(self, body: EnterParent, kind: Kind) -> None:
        if bool(body.legs) != hasattr(kind.module, "MOST_LEGS"):
            raise Refusal(f"{kind.module.LABEL} works {'one instrument' if body.legs else 'an order of several legs'}")
        if body.legs:
            check_legs(body, kind.module.MOST_LEGS)
            for leg in body.legs:
                self._check_venues([leg["venue"]] if leg["venue"] else body.venues, tables.VENUES - 1)
                self._check_leg(leg["instrument"], leg["side"], leg["quantity"], leg["price"])
            return
        self._check_venues(body.venues, tables.LEGS_PER_STRATEGY)
        self._check_leg(body.instrument, body.side, body.quantity, body.price)
        if body.price == 0 and getattr(kind.module, "NEEDS_PRICE", False):
            raise Refusal(f"{kind.module.LABEL} needs a limit price")

    def _check_venues(self, venues: list[int], most: int) -> None:
        if not 1 <= len(venues) <= most or len(set(venues)) != len(venues):
            raise Refusal(f"a parent order names 1 to {most} different venues")
        for venue in venues:
            if venue not in self._configuration.venues:
                raise Refusal(f"venue {venue} is not defined")

    def _home(self, venues: list[int]) -> int:
        """Where a leg is bound that goes to the best of these venues: the first that shows a book."""
        for venue in venues:
            if int(self._memory.venues[venue]["priced_by"]) == venue:
                return venue
        raise Refusal("none of its venues shows a book")

    def _check_leg(self, instrument: int, side: int, quantity: int, price: int) -> None:
        if instrument not in self._configuration.names:
            raise Refusal(f"instrument {instrument} is not known")
        if side not in tuple(Side):
            raise Refusal("a side is 1 (buy) or 2 (sell)")
        listed = self._memory.instruments[instrument]
        lot, tick = int(listed["lot_size"]), int(listed["tick_size"])
        if not 1 <= quantity <= LARGEST_QUANTITY or quantity % lot:
            raise Refusal(f"a quantity is 1 to {LARGEST_QUANTITY} shares, in lots of {lot}")
        if not 0 <= price <= LARGEST_PRICE or price % tick:
            raise Refusal(f"a limit price is a multiple of the tick size, {tick / 10_000:g}; 0 is no limit")

    def _leg_terms(self, body: EnterParent, kind: Kind, values: dict[str, float]) -> dict[str, float]:
        """The terms of each leg as the algorithm's record has them."""
        terms = []
        for leg in body.legs:
            listed = self._memory.instruments[leg["instrument"]]
            sizes = {"lot": int(listed["lot_size"]), "tick": int(listed["tick_size"])}
            terms.append({name: leg[name] for name in ("side", "quantity", "price")} | sizes)
        if wrong := kind.module.check_terms(values, terms):
            raise Refusal(wrong)
        return {f"{name}_{at}": value for at, term in enumerate(terms, 1) for name, value in term.items()}

    def _owner(self, body: EnterParent) -> int:
        """Row of the strategy whose order it is; 0 for people."""
        if body.strategy == 0:
            return MANUAL
        row = self._configuration.strategy_rows.get(body.strategy)
        if row is None or self._memory.strategies[row]["state"] != StrategyState.RUNNING:
            raise Refusal(f"strategy {body.strategy} is not running")
        if self._configuration.team_accounts.get(body.team) != self._memory.strategies[row]["team"]:
            raise Refusal(f"strategy {body.strategy} is not of team {body.team}")
        return row

    def _holder(self, owner: int, instrument: int) -> int:
        """The owner's leg for the instrument; -1 for people."""
        if owner == MANUAL:
            return -1
        strategy = self._memory.strategies[owner]
        for at in range(int(strategy["leg_count"])):
            leg = owner * tables.LEGS_PER_STRATEGY + at
            if self._memory.legs[leg]["instrument"] == instrument:
                return leg
        raise Refusal(f"strategy {int(strategy['id'])} does not trade {self._configuration.names[instrument]}")

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
            "holder": checked.holders + [-1] * (tables.LEGS_PER_STRATEGY - len(checked.holders)),
            "trader": body.trader,
            "side": body.side,
            "quantity": body.quantity,
            "price": body.price,
            "start_ns": checked.start_ns,
            "end_ns": body.end_ns,
            "leg_count": len(checked.bound),
            "lot_size": int(memory.instruments[body.instrument]["lot_size"]),
            "tick_size": int(memory.instruments[body.instrument]["tick_size"]),
            "several": int(bool(body.legs)),
            "selling": sum((leg["side"] == Side.SELL) << at for at, leg in enumerate(body.legs)),
            "anywhere": sum((leg["venue"] == SMART) << at for at, leg in enumerate(body.legs)),
            "venues": sum(1 << (venue - 1) for venue in body.venues),
            "emulates": checked.emulates,
        }
        for name, value in (checked.values | given).items():
            state[name] = value
        self._configuration.clear_row(row)
        memory.rows[row] = state
        strategy = memory.strategies[row]
        strategy["kind"], strategy["entry"], strategy["row"] = kind.number, kind.entry, address_of(state)
        strategy["team"] = self._configuration.team_account(body.team)
        strategy["leg_count"], strategy["parent"] = len(checked.bound), number
        for at, (venue, instrument) in enumerate(checked.bound):
            self._configuration.bind_leg(row * tables.LEGS_PER_STRATEGY + at, row, venue, instrument)
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
        limit = 0 if state["several"][0] else int(state["price"][0])
        dearest = limit or max([int(leg["ask"]) for leg in legs] + [1])
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
        bits = int(self._memory.rows[row]["venues"][0])
        return [venue for venue in range(1, tables.VENUES) if bits >> (venue - 1) & 1]

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
        return asked_commands(rows, self._anywhere())

    def _anywhere(self) -> list[int]:
        """Every venue, those that show a book first."""
        shows = {venue: int(self._memory.venues[venue]["priced_by"]) == venue for venue in self._configuration.venues}
        return sorted(shows, key=lambda venue: (not shows[venue], venue))

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


def check_legs(body: EnterParent, most: int) -> None:
    """Refusal unless the legs are several instruments and the order's own terms are theirs."""
    if not 2 <= len(body.legs) <= most:
        raise Refusal(f"a multi-leg order has 2 to {most} legs")
    for leg in body.legs:
        if set(leg) != set(LEG_FIELDS):
            raise Refusal(f"a leg has {', '.join(LEG_FIELDS)}")
    if len({leg["instrument"] for leg in body.legs}) != len(body.legs):
        raise Refusal("each leg is another instrument")
    first = body.legs[0]
    if any(getattr(body, name) != first[name] for name in ("instrument", "side", "price")):
        raise Refusal("instrument, side and price of a multi-leg order are those of its first leg")
    named = {leg["venue"] for leg in body.legs}
    wrong = not named - {SMART} <= set(body.venues) if SMART in named else named != set(body.venues)
    if wrong or body.quantity != sum(leg["quantity"] for leg in body.legs):
        raise Refusal("venues and quantity of a multi-leg order are those of all its legs")
