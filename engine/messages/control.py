"""Commands (desk -> engine) and their answers. JSON text: rare, read by people, journalled as it came.

Every command has an id of its own; the same id is answered the same way again and applied once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

CONTROL_VERSION = 1

HELLO = "hello"
START_STRATEGY = "start_strategy"
STOP_STRATEGY = "stop_strategy"
APPLY_LIMITS = "apply_limits"
DEFINE_VENUE = "define_venue"
REMOVE_VENUE = "remove_venue"
ENTER_ORDER = "enter_order"
CANCEL_ORDER = "cancel_order"
REPLACE_ORDER = "replace_order"
ENTER_PARENT = "enter_parent"
CANCEL_PARENT = "cancel_parent"
KILL = "kill"
REARM = "rearm"
ALARM = "alarm"
PREVIEW = "preview"
CONNECT_VENUE = "connect_venue"
DISCONNECT_VENUE = "disconnect_venue"
RESET_SESSION = "reset_session"
VIEW_SESSION = "view_session"
RAISE_BREAK = "raise_break"
RESOLVE_BREAK = "resolve_break"
APPLY_COSTS = "apply_costs"

RECONCILIATION = "reconciliation"  # the actor that raises breaks

APPLIED = "applied"
REFUSED = "refused"


@dataclass(frozen=True)
class StartStrategy:
    """Start (or restart with other parameters) one instance. `instruments` in the order that the kind names them;
    `parameters` by name as in the catalogue; `kind_hash` must be the catalogue's, so a form of another build is
    refused."""

    strategy: int
    name: str
    team: int
    kind: str
    kind_hash: str
    venue: int
    instruments: list[int]
    parameters: dict[str, float]


@dataclass(frozen=True)
class StopStrategy:
    """Stop one instance and cancel its working orders. Its positions stay."""

    strategy: int


@dataclass(frozen=True)
class ApplyLimits:
    """A whole snapshot of limits, applied only if the engine still runs version `based_on`. The answer's body holds the
    new `version` and `hash`. Rows as in `engine.messages.risk.LimitsRow`."""

    based_on: int
    rows: list[dict[str, int]]


@dataclass(frozen=True)
class DefineVenue:
    """Add or change a venue. `protocol` is a venue kind of the catalogue ("ouch50", "fix44"); `settings` are its
    fields. Feed lines are "host:port" of UDP; fees in 1/10,000 per share."""

    venue: int
    name: str
    protocol: str
    settings: dict[str, str]


@dataclass(frozen=True)
class RemoveVenue:
    """Cancel everything there and disconnect."""

    venue: int


SMART = 0  # in place of a venue: the router chooses


@dataclass(frozen=True)
class EnterOrder:
    """A manual order; venue 0 (SMART) has the router split it over all venues. `client_order_id` is unique for ever;
    the same one again is answered with the first order. With a `protection` (basis points, then the price is 0) it is a
    market order: the engine makes its limit, so far beyond the touch that it takes. `good_till_ns` is the end of an
    order with the time in force GTD, 0 for any other. Where the venue does not have the time in force, the engine works
    a parent order in its place, of the `trader`, and the answer has a `parent_id` and what `emulated` it is."""

    client_order_id: str
    team: int
    instrument: int
    venue: int
    side: int
    quantity: int
    price: int
    time_in_force: int
    expires_ns: int = 0
    protection: int = 0
    good_till_ns: int = 0
    trader: int = 0


@dataclass(frozen=True)
class CancelOrder:
    """Ask the venue to cancel one order."""

    order_id: int


@dataclass(frozen=True)
class ReplaceOrder:
    """Another price and open quantity for a working order. Fewer shares at the same price keep the order, its number
    and its place; anything else is a new order in its place, which passes the gate."""

    order_id: int
    price: int
    quantity: int


@dataclass(frozen=True)
class EnterParent:
    """An order that an algorithm of the catalogue works by orders of its own, from `start_ns` (0: now) to `end_ns` on
    the engine's clock. `client_order_id` as of EnterOrder; `venues` are those that it may use; a `price` of 0 is no
    limit; `parameters` by name as in the catalogue, every one. `strategy` 0 stands for people, then `trader` is the
    person. Answered with the `parent_id`.

    A multi-leg order has 2 to 4 `legs`, each a `venue`, `instrument`, `side`, `quantity` and `price` (0: no limit).
    Then `instrument`, `side` and `price` are the first one's, `venues` those of all and `quantity` the sum."""

    client_order_id: str
    strategy: int
    team: int
    trader: int
    algorithm: str
    kind_hash: str
    instrument: int
    venues: list[int]
    side: int
    quantity: int
    price: int
    start_ns: int
    end_ns: int
    parameters: dict[str, float]
    expires_ns: int = 0
    legs: list[dict[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class CancelParent:
    """Ask for no more children of a parent order and cancel those that are open; it ends when none is left."""

    parent: int


@dataclass(frozen=True)
class Kill:
    """Cancel every working order in the scope and send no new one until somebody re-arms. Re-assertable."""

    scope: int
    scope_id: int
    reason: str


@dataclass(frozen=True)
class Rearm:
    """Take a kill back. `approver` is a second person."""

    scope: int
    scope_id: int
    reason: str
    approver: str


@dataclass(frozen=True)
class Alarm:
    """An alarm of the engine's own goes on (`raised` 1) or off (0). Only the engine gives it: so it stands in the
    journal, and decides nothing. `measured_ns` against `budget_ns` as `sentence` says."""

    name: str
    raised: int
    sentence: str
    measured_ns: int
    budget_ns: int


@dataclass(frozen=True)
class Preview:
    """Ask what an order of a team would meet, without entering it: a `price` of 0 stands for the touch, with a
    `protection` for a market order, at whose limit the gate is asked and which the answer has as `price` (0: none).
    Answered at once and not journalled, as Hello."""

    team: int
    instrument: int
    venues: list[int]
    side: int
    quantity: int
    price: int
    time_in_force: int = 1
    protection: int = 0


@dataclass(frozen=True)
class ConnectVenue:
    """Keep the venue's order session up again, after DisconnectVenue."""

    venue: int


@dataclass(frozen=True)
class DisconnectVenue:
    """Log out and stay away until somebody connects again; orders that rest there stay. Survives restarts."""

    venue: int
    reason: str


@dataclass(frozen=True)
class ResetSession:
    """The sequence numbers of a FIX session that is disconnected: the next one expected and the next one sent.
    `approver` is a second person."""

    venue: int
    next_inbound: int
    next_outbound: int
    reason: str
    approver: str


@dataclass(frozen=True)
class RaiseBreak:
    """What the venue's drop copy, its answers and our journal say of an order differs: nothing that adds risk in the
    instrument passes until a person resolves it. `name` is unique; `kind` as in `engine.control.reconciling`."""

    name: str
    kind: str
    venue: int
    instrument: int
    order_id: int
    sentence: str


@dataclass(frozen=True)
class ResolveBreak:
    """A person has settled a break, and says how in a sentence."""

    name: str
    sentence: str


@dataclass(frozen=True)
class ApplyCosts:
    """The costs that the router reckons with from now on, all of them: rows as in `engine.messages.costs.CostRow`,
    `hash` as `costs_hash` makes it. The engine gives it when it starts with another file than before; so it stands in
    the journal."""

    hash: str
    rows: list[dict[str, float]]


@dataclass(frozen=True)
class ViewSession:
    """A look at a venue's order session; never journalled. The answer's body is that of
    `engine.control.session_view`."""

    venue: int
    messages: int


@dataclass(frozen=True)
class Hello:
    """Ask for the catalogue."""


BODIES: dict[str, type[Any]] = {
    HELLO: Hello,
    START_STRATEGY: StartStrategy,
    STOP_STRATEGY: StopStrategy,
    APPLY_LIMITS: ApplyLimits,
    DEFINE_VENUE: DefineVenue,
    REMOVE_VENUE: RemoveVenue,
    ENTER_ORDER: EnterOrder,
    CANCEL_ORDER: CancelOrder,
    REPLACE_ORDER: ReplaceOrder,
    ENTER_PARENT: EnterParent,
    CANCEL_PARENT: CancelParent,
    KILL: Kill,
    REARM: Rearm,
    ALARM: Alarm,
    PREVIEW: Preview,
    CONNECT_VENUE: ConnectVenue,
    DISCONNECT_VENUE: DisconnectVenue,
    RESET_SESSION: ResetSession,
    VIEW_SESSION: ViewSession,
    RAISE_BREAK: RaiseBreak,
    RESOLVE_BREAK: ResolveBreak,
    APPLY_COSTS: ApplyCosts,
}


@dataclass(frozen=True)
class Command:
    """One command as it crosses."""

    kind: str
    actor: str
    body: dict[str, Any]
    id: str = field(default_factory=lambda: uuid4().hex)
    version: int = CONTROL_VERSION

    def encode(self) -> bytes:
        """The frame."""
        return json.dumps(asdict(self), sort_keys=True).encode()


@dataclass(frozen=True)
class Status:
    """The engine's answer to one command."""

    id: str
    outcome: str
    reason: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    journal_sequence: int = 0
    version: int = CONTROL_VERSION

    @property
    def applied(self) -> bool:
        """Whether the engine did it."""
        return self.outcome == APPLIED

    def encode(self) -> bytes:
        """The frame."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def command(body: Any, actor: str, command_id: str | None = None) -> Command:
    """Wrap one of the bodies above."""
    kind = next(name for name, dtype in BODIES.items() if dtype is type(body))
    return Command(kind, actor, asdict(body), command_id or uuid4().hex)


def decode_command(frame: bytes) -> Command:
    """ValueError with a sentence for anything that is not a command of this version with a body of its kind."""
    try:
        made = Command(**json.loads(frame))
    except (ValueError, TypeError, RecursionError):
        raise ValueError("this is not a command") from None
    texts = (made.kind, made.actor, made.id)
    if not all(isinstance(text, str) for text in texts) or not isinstance(made.body, dict):
        raise ValueError("this is not a command")
    if made.version != CONTROL_VERSION:
        raise ValueError(f"command version {made.version} is not {CONTROL_VERSION}")
    if made.kind not in BODIES:
        raise ValueError(f"unknown command {made.kind!r}")
    if not 8 <= len(made.id) <= 64 or not 1 <= len(made.actor) <= 150:
        raise ValueError("a command needs an id of 8 to 64 characters and an actor")
    decode_body(made)
    return made


def decode_body(made: Command) -> Any:
    """The body as its dataclass; ValueError names a field that is missing, unknown, of the wrong type or too large."""
    kind = BODIES[made.kind]
    fields = kind.__dataclass_fields__
    for name in made.body:
        if name not in fields:
            raise ValueError(f"{made.kind} has no field {name!r}")
    try:
        body = kind(**made.body)
    except TypeError as error:
        raise ValueError(f"{made.kind}: {error}".replace("__init__() ", "")) from None
    for name, spec in fields.items():
        if not _fits(getattr(body, name), str(spec.type)):
            raise ValueError(f"{made.kind}: {name} must be {spec.type}")
    return body


def _fits(value: Any, wanted: str) -> bool:
    """Whether a value from JSON has the annotated type; whole numbers must fit 62 bits."""
    if wanted.startswith("list["):
        return isinstance(value, list) and all(_fits(item, wanted[5:-1]) for item in value)
    if wanted.startswith("dict[str, "):
        return isinstance(value, dict) and all(_fits(item, wanted[10:-1]) for item in value.values())
    if wanted == "str":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if wanted == "float":
        return abs(value) <= 1e300
    return isinstance(value, int) and abs(value) < 1 << 62


def decode_status(frame: bytes) -> Status:
    """The answer. ValueError when it is none."""
    try:
        return Status(**json.loads(frame))
    except (ValueError, TypeError, UnicodeDecodeError):
        raise ValueError("this is not a status") from None
