"""Commands: checked, journalled, applied, answered. Idempotent by id; a refused one leaves no trace but its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from engine.control.configuration import LARGEST_NUMBER, PROTOCOLS, Configuration, Refusal
from engine.control.emulation import check_good_till, deny_emulated, emulated, emulation_answer
from engine.control.fitted_costs import bind_costs, check_costs
from engine.control.market_orders import check_market, enter_at_market
from engine.control.parent_orders import Checked, ParentOrders
from engine.control.preview import preview
from engine.control.routing import SMART, check_routed, route_order
from engine.hotpath import tables
from engine.hotpath.calibration import read_cycles
from engine.hotpath.entries import (
    assert_venue_kills,
    cancel,
    cancel_matching,
    changeable,
    enter,
    find_order,
    modify,
    replace,
)
from engine.messages import control
from engine.messages.codes import DenialReason, EngineState, LimitName, OrderState, Scope, StampCause, StrategyState
from engine.messages.control import Command, Status
from engine.messages.risk import LimitsRow, validate
from engine.venues import read_venue

ANY = -1
NOBODY = 1 << 30  # matches no order
SECOND_NS = 1_000_000_000
MANUAL = 0  # the strategy row of orders that people enter
LARGEST_FEE = 1_000_000
LONGEST_NAME, LONGEST_KIND, MOST_BREAKS = 80, 20, 1_000
NUMBERED = ("fix44", "fix")  # protocols whose sequence numbers are ours, too

Emulated = tuple[control.EnterParent, Checked]  # a parent order in place of an order

# Appends a command to the journal and returns its sequence, 0 when the journal is full.
Append = Callable[[dict[str, Any]], int]


class Commands:
    """Executes commands on one engine's configuration and memory."""

    def __init__(self, configuration: Configuration, append: Append) -> None:
        self.configuration = configuration
        self.memory = configuration.memory
        self.append = append
        self.parents = ParentOrders(configuration)
        self.answers: dict[str, Status] = {}
        self._checks: dict[str, Callable[[Any, Command], Any]] = {
            control.START_STRATEGY: lambda body, _: self.configuration.check_strategy(body),
            control.STOP_STRATEGY: self._check_stop,
            control.APPLY_LIMITS: self._check_limits,
            control.DEFINE_VENUE: self._check_venue,
            control.REMOVE_VENUE: self._check_remove,
            control.ENTER_ORDER: self._check_order,
            control.CANCEL_ORDER: self._check_cancel,
            control.REPLACE_ORDER: self._check_replace,
            control.ENTER_PARENT: lambda body, _: self.parents.check(body),
            control.CANCEL_PARENT: lambda body, _: self.parents.row_of(body.parent),
            control.KILL: self._check_scope,
            control.REARM: self._check_rearm,
            control.ALARM: lambda body, _: None,
            control.CONNECT_VENUE: self._check_known_venue,
            control.DISCONNECT_VENUE: self._check_known_venue,
            control.RESET_SESSION: self._check_reset,
            control.VIEW_SESSION: self._no_command,
            control.RAISE_BREAK: self._check_break,
            control.RESOLVE_BREAK: self._check_resolution,
            control.APPLY_COSTS: lambda body, _: check_costs(self.configuration, body),
        }
        self._effects: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
            control.START_STRATEGY: self._start,
            control.STOP_STRATEGY: self._stop,
            control.APPLY_LIMITS: self._apply_limits,
            control.DEFINE_VENUE: self._define_venue,
            control.REMOVE_VENUE: self._remove_venue,
            control.ENTER_ORDER: self._enter_order,
            control.CANCEL_ORDER: self._cancel_order,
            control.REPLACE_ORDER: self._replace_order,
            control.ENTER_PARENT: self.parents.enter,
            control.CANCEL_PARENT: lambda _, row: self.parents.cancel(row),
            control.KILL: self._kill,
            control.REARM: self._rearm,
            control.ALARM: self._alarm,
            control.CONNECT_VENUE: self._connect_venue,
            control.DISCONNECT_VENUE: self._disconnect_venue,
            control.RESET_SESSION: self._reset_session,
            control.RAISE_BREAK: self._raise_break,
            control.RESOLVE_BREAK: self._resolve_break,
            control.APPLY_COSTS: lambda body, rows: bind_costs(self.configuration, body.hash, rows),
        }

    def execute(self, command: Command) -> Status:
        """Do one command (any kind but hello) and answer it."""
        if command.id in self.answers:
            return self.answers[command.id]
        try:
            body = control.decode_body(command)
            if command.kind == control.PREVIEW:
                return Status(command.id, control.APPLIED, "", preview(self.configuration, body))
            checked = self._checks[command.kind](body, command)
        except (Refusal, ValueError) as refusal:
            return Status(command.id, control.REFUSED, str(refusal))
        sequence = self.append(asdict(command))
        if sequence == 0:
            return Status(command.id, control.REFUSED, "the journal is full: the engine is halted")
        core = self.memory.core
        core["received_cycles"], core["cause"] = read_cycles(), StampCause.COMMAND
        answer = self._effects[command.kind](body, checked)
        core["received_cycles"] = 0
        reason = answer.pop("reason", "")
        outcome = answer.pop("outcome", control.APPLIED)
        status = Status(command.id, outcome, reason, answer, sequence)
        self.answers[command.id] = status
        return status

    def enter_asked(self) -> None:
        """Enter the parent orders that strategies asked for since the last look; what is refused was asked in vain."""
        for made in self.parents.take_asked():
            self.execute(made)

    def _check_stop(self, body: control.StopStrategy, _: Command) -> int:
        row = self.configuration.strategy_rows.get(body.strategy)
        if row is None:
            raise Refusal(f"strategy {body.strategy} has not been started")
        return row

    def _check_limits(self, body: control.ApplyLimits, _: Command) -> list[LimitsRow]:
        current = self.configuration.limits_version
        if body.based_on != current:
            raise Refusal(f"limits version {current} is in force, not {body.based_on}; look at it and propose again")
        try:
            rows = [LimitsRow(**row) for row in body.rows]
        except TypeError:
            raise Refusal("a limits row has an unknown or missing field") from None
        validate(rows)
        return rows

    def _check_venue(self, body: control.DefineVenue, _: Command) -> Any:
        last = int(self.memory.core["venue_count"][0])
        if not 1 <= body.venue <= last:
            raise Refusal(f"a venue's number is 1 to {last}")
        if body.protocol not in PROTOCOLS:
            raise Refusal(f"this engine does not speak {body.protocol!r}")
        if not 1 <= len(body.name) <= 20:
            raise Refusal("a venue has a name of at most 20 characters")
        settings = read_venue(body.protocol, body.settings)
        if max(abs(settings.maker_fee), abs(settings.taker_fee)) > LARGEST_FEE:
            raise Refusal(f"a fee is at most {LARGEST_FEE} (1/10,000 per share)")
        if not 0 <= settings.priced_by <= last:
            raise Refusal(f"Priced by: a venue's number is 1 to {last}, or 0 for the venue itself")
        known = self.configuration.venues.get(body.venue)
        if known and known.protocol != body.protocol and self._open_orders(body.venue):
            raise Refusal(f"{known.name} has open orders; its protocol cannot change now")
        return settings

    def _open_orders(self, venue: int) -> bool:
        orders = self.memory.orders
        ended = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED, OrderState.DENIED)
        mine = orders[(orders["order_id"] != 0) & (orders["venue"] == venue)]
        return any(int(state) not in ended for state in mine["state"])

    def _check_remove(self, body: control.RemoveVenue, _: Command) -> None:
        if body.venue not in self.configuration.venues:
            raise Refusal(f"venue {body.venue} is not defined")
        for strategy, row in self.configuration.strategy_rows.items():
            running = self.memory.strategies[row]["state"] == StrategyState.RUNNING
            if running and self.configuration.strategies[strategy].venue == body.venue:
                raise Refusal(f"strategy {strategy} trades there; stop it first")
        for row in self.parents.working():
            if body.venue in self.parents.venues_of(row):
                raise Refusal(f"parent order {self.memory.strategies[row]['parent']} works there; cancel it first")
        for number, other in self.configuration.venues.items():
            if number != body.venue and self.memory.venues[number]["priced_by"] == body.venue:
                raise Refusal(f"{other.name} is priced by its books; change that first")
        if self._open_orders(body.venue):
            raise Refusal("there are open orders; kill the venue first")

    def _check_order(self, body: control.EnterOrder, _: Command) -> Emulated | None:
        """The parent order that emulates it, None when the venue has its time in force."""
        if body.expires_ns and int(self.memory.core["clock_ns"][0]) > body.expires_ns:
            raise Refusal("the order came later than its sender allowed; it was not sent")
        last = int(self.memory.core["venue_count"][0])
        if not (body.venue == SMART or 1 <= body.venue <= last) or body.instrument not in self.configuration.names:
            raise Refusal("no such instrument or venue")
        check_market(body)
        if body.venue == SMART:
            check_routed(body)
        if body.team <= 0 or min(body.side, body.quantity, body.price, body.time_in_force) < 0:
            raise Refusal("an order needs a team, and no number of it is negative")
        check_good_till(body, int(self.memory.core["clock_ns"][0]))
        self.configuration.check_room(body.team)
        asked = emulated(self.configuration, body)
        return (asked, self.parents.check(asked, body.time_in_force)) if asked else None

    def _check_cancel(self, body: control.CancelOrder, _: Command) -> None:
        slot = self.memory.orders[body.order_id & (len(self.memory.orders) - 1)]
        if body.order_id <= 0 or int(slot["order_id"]) != body.order_id:
            raise Refusal(f"order {body.order_id} is not known")

    def _check_replace(self, body: control.ReplaceOrder, command: Command) -> int:
        """Address of the order."""
        self._check_cancel(control.CancelOrder(body.order_id), command)
        if body.price <= 0 or body.quantity <= 0:
            raise Refusal("a replacement needs a price and a quantity; to end the order, cancel it")
        slot = int(find_order(self.memory.address, body.order_id))
        if not changeable(self.memory.address, slot):
            raise Refusal(f"order {body.order_id} is not working, or another change of it is under way")
        return slot

    def _check_scope(self, body: control.Kill | control.Rearm, _: Command) -> tuple[int, int]:
        if body.scope not in tuple(Scope) or not 0 <= body.scope_id < LARGEST_NUMBER:
            raise Refusal("a kill applies to the firm, a team, a strategy or a venue")
        if body.scope == Scope.VENUE and not 1 <= body.scope_id < tables.VENUES:
            raise Refusal(f"a venue's number is 1 to {tables.VENUES - 1}")
        return (body.scope, 0 if body.scope == Scope.FIRM else body.scope_id)

    def _check_rearm(self, body: control.Rearm, command: Command) -> tuple[int, int]:
        key = self._check_scope(body, command)
        if not body.approver or body.approver == command.actor:
            raise Refusal("re-arming takes a second person")
        if key not in self.configuration.kills:
            raise Refusal("there is no such kill")
        return key

    def _start(self, body: control.StartStrategy, checked: Any) -> dict[str, Any]:
        kind, values = checked
        row = self.configuration.strategy_rows.get(body.strategy)
        if row is not None and self.memory.strategies[row]["state"] == StrategyState.RUNNING:
            return {"kind_hash": kind.hash, "was_running": True}
        self.configuration.bind_strategy(body, kind, values)
        return {"kind_hash": kind.hash}

    def _stop(self, body: control.StopStrategy, row: int) -> dict[str, Any]:
        self.memory.strategies[row]["state"] = StrategyState.STOPPED
        self.memory.subscribe()
        self.parents.cancel_of(owner=row)
        return {"canceling": int(cancel_matching(self.memory.address, 0, ANY, row))}

    def _apply_limits(self, body: control.ApplyLimits, rows: list[LimitsRow]) -> dict[str, Any]:
        self.configuration.bind_limits(body.based_on + 1, rows)
        for row in self.parents.working():
            self.parents.bound_children(row)
        return {"version": body.based_on + 1, "hash": self.configuration.limits_hash}

    def _define_venue(self, body: control.DefineVenue, settings: Any) -> dict[str, Any]:
        self.configuration.bind_venue(body, settings)
        return {"venue": body.venue}

    def _remove_venue(self, body: control.RemoveVenue, _: Any) -> dict[str, Any]:
        del self.configuration.venues[body.venue]
        self.configuration.disconnected.discard(body.venue)
        self.configuration.resets.pop(body.venue, None)
        self.memory.venues[body.venue]["protocol"] = tables.NO_PROTOCOL
        return {"venue": body.venue}

    def _enter_order(self, body: control.EnterOrder, stands_in: Emulated | None) -> dict[str, Any]:
        team = self.configuration.team_account(body.team)
        if stands_in:
            if denied := deny_emulated(self.configuration, team, body):
                return self._denied_or({"order_id": denied})
            return emulation_answer(stands_in[0], self.parents.enter(*stands_in))
        if body.protection:
            return self._denied_or(enter_at_market(self.memory, team, body))
        if body.venue == SMART:
            return self._denied_or(route_order(self.memory, team, body))
        self.memory.core["good_till_s"] = body.good_till_ns // SECOND_NS
        order_id = int(
            enter(
                self.memory.address, 0, team, ANY, body.venue, body.instrument, body.side, body.price, body.quantity,
                body.time_in_force,
            )
        )  # fmt: skip
        self.memory.core["good_till_s"] = 0
        return self._denied_or({"order_id": order_id})

    def _denied_or(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer, or the gate's refusal when its `order_id` is minus a DenialReason."""
        return answer if answer["order_id"] >= 0 else self._denied(DenialReason(-answer["order_id"]))

    def _denied(self, reason: DenialReason) -> dict[str, Any]:
        """What the gate measured when it refused just now."""
        core = self.memory.core
        denial: dict[str, Any] = {"order_id": int(core["next_order_id"][0]) - 1, "denial": reason.name}
        denial |= {"measured": int(core["measured"][0]), "bound": int(core["bound"][0])}
        if scope := int(core["scope"][0]):
            denial |= {"scope": Scope(scope).name, "scope_id": int(core["scope_id"][0])}
        if name := int(core["limit_name"][0]):
            denial["limit_name"] = LimitName(name).name
        return denial | {"outcome": control.REFUSED, "reason": f"denied: {reason.name.lower().replace('_', ' ')}"}

    def _cancel_order(self, body: control.CancelOrder, _: Any) -> dict[str, Any]:
        return {"asked": int(cancel(self.memory.address, body.order_id))}

    def _replace_order(self, body: control.ReplaceOrder, slot: int) -> dict[str, Any]:
        address = self.memory.address
        order = self.memory.orders[body.order_id & (len(self.memory.orders) - 1)]
        if body.price == int(order["price"]) and body.quantity < int(order["leaves"]):
            number = int(modify(address, body.order_id, body.quantity))
            number = body.order_id if number == 1 else number
        else:
            number = int(replace(address, body.order_id, body.price, body.quantity))
        return {"order_id": number} if number > 0 else self._denied(DenialReason(-number))

    def _kill(self, _: control.Kill, key: tuple[int, int]) -> dict[str, Any]:
        scope, scope_id = key
        self.configuration.kills.add(key)
        self._set_killed(scope, scope_id, 1)
        venue, team, row = 0, ANY, ANY
        if scope == Scope.FIRM:
            self.memory.core["state"] = EngineState.HALTED
        elif scope == Scope.VENUE:
            venue = scope_id
        elif scope == Scope.TEAM:
            team = self.configuration.team_accounts.get(scope_id, NOBODY)
        else:
            row = self.configuration.strategy_rows.get(scope_id, NOBODY) if scope_id else MANUAL
        if scope in (Scope.FIRM, Scope.VENUE):
            assert_venue_kills(self.memory.address)
        if scope != Scope.VENUE:
            self.parents.cancel_of(owner=row, team=team)
        return {"canceling": int(cancel_matching(self.memory.address, venue, team, row))}

    def _rearm(self, _: control.Rearm, key: tuple[int, int]) -> dict[str, Any]:
        self.configuration.kills.discard(key)
        self._set_killed(*key, 0)
        assert_venue_kills(self.memory.address)
        if key[0] == Scope.FIRM:
            self.memory.core["state"] = EngineState.RECONCILING  # active again once every venue has told its part
        return {}

    def _alarm(self, body: control.Alarm, _: Any) -> dict[str, Any]:
        if body.raised:
            self.configuration.alarms[body.name] = (body, int(self.memory.core["clock_ns"][0]))
        else:
            self.configuration.alarms.pop(body.name, None)
        return {}

    def _check_break(self, body: control.RaiseBreak, _: Command) -> None:
        if not 1 <= len(body.name) <= LONGEST_NAME or body.name in self.configuration.breaks:
            raise Refusal(f"a break has a name of its own of at most {LONGEST_NAME} characters")
        if not 1 <= len(body.kind) <= LONGEST_KIND or not (body.name + body.kind + body.sentence).isprintable():
            raise Refusal(f"a break's kind has at most {LONGEST_KIND} characters, and all of it is printable text")
        if not 1 <= body.venue <= int(self.memory.core["venue_count"][0]):
            raise Refusal("no such venue")
        if body.instrument not in self.configuration.names:
            raise Refusal(f"instrument {body.instrument} is not known")
        if len(self.configuration.breaks) >= MOST_BREAKS:
            raise Refusal(f"{MOST_BREAKS} breaks are open; resolve them first")

    def _check_resolution(self, body: control.ResolveBreak, command: Command) -> None:
        if body.name not in self.configuration.breaks:
            raise Refusal(f"no break {body.name!r} is open")
        if not body.sentence.strip():
            raise Refusal("say in a sentence how it was settled")
        if command.actor == control.RECONCILIATION:
            raise Refusal("a person resolves a break")

    def _raise_break(self, body: control.RaiseBreak, _: Any) -> dict[str, Any]:
        self.configuration.breaks[body.name] = body
        return {"open": self.configuration.count_breaks(body.instrument)}

    def _resolve_break(self, body: control.ResolveBreak, _: Any) -> dict[str, Any]:
        found = self.configuration.breaks.pop(body.name)
        self.memory.legs["denied"] = self.memory.legs["retry_after_ns"] = 0  # nobody waits for the end of a long pause
        return {"open": self.configuration.count_breaks(found.instrument)}

    def _no_command(self, _body: Any, _: Command) -> None:
        raise Refusal("a look at a session changes nothing and is no command")

    def _check_known_venue(self, body: Any, _: Command) -> None:
        if body.venue not in self.configuration.venues:
            raise Refusal(f"venue {body.venue} is not defined")

    def _check_reset(self, body: control.ResetSession, command: Command) -> str:
        """The command's id: the numbers are set once for it, whatever is started again."""
        self._check_known_venue(body, command)
        if not body.approver or body.approver == command.actor:
            raise Refusal("resetting sequence numbers takes a second person")
        if self.configuration.venues[body.venue].protocol not in NUMBERED:
            raise Refusal("the numbers of this session are the venue's; there is nothing to reset")
        if body.venue not in self.configuration.disconnected:
            raise Refusal("disconnect the session first: numbers do not change under it")
        if (
            min(body.next_inbound, body.next_outbound) < 1
            or max(body.next_inbound, body.next_outbound) > LARGEST_NUMBER
        ):
            raise Refusal(f"a sequence number is 1 to {LARGEST_NUMBER}")
        return command.id

    def _connect_venue(self, body: control.ConnectVenue, _: Any) -> dict[str, Any]:
        self.configuration.disconnected.discard(body.venue)
        return {"venue": body.venue}

    def _disconnect_venue(self, body: control.DisconnectVenue, _: Any) -> dict[str, Any]:
        self.configuration.disconnected.add(body.venue)
        return {"venue": body.venue}

    def _reset_session(self, body: control.ResetSession, identity: str) -> dict[str, Any]:
        self.configuration.resets[body.venue] = (identity, body.next_inbound, body.next_outbound)
        return {"venue": body.venue}

    def _set_killed(self, scope: int, scope_id: int, value: int) -> None:
        if scope == Scope.VENUE:
            self.memory.venues[scope_id]["killed"] = value
            return
        for account in self.memory.accounts:
            if account["scope"] == scope and (scope == Scope.FIRM or account["scope_id"] == scope_id):
                account["killed"] = value
