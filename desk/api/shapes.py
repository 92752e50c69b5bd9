"""What the API takes and gives. Money and prices are decimal strings, ids are strings, times come twice: RFC 3339 with
nanoseconds and nanoseconds since the epoch as a string."""

from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from desk.blotter.models import time_of
from engine.messages.prices import LARGEST_PROTECTION

LARGEST_ID = 2**63 - 1
PAGE = 1_000
DECIMAL = r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$"


def _storable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("Only printable characters are allowed.")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_storable)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_storable)]
DecimalText = Annotated[str, StringConstraints(pattern=DECIMAL)]
Whole = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
TimeText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
Cursor = Annotated[int, Field(ge=0, le=LARGEST_ID)]
Count = Annotated[int, Field(ge=1, le=PAGE)]


class Taken(Schema):
    """A body: a field that is not known is an error, never ignored."""

    model_config = ConfigDict(extra="forbid")


class StrategyIn(Taken):
    name: Name
    kind: Name
    venue: Name
    instruments: Annotated[list[Name], Field(max_length=8)]
    parameters: dict[str, float]


class StrategyPatch(Taken):
    """What is left out stays. `version` is the one the caller saw."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    name: Name | None = None
    venue: Name | None = None
    instruments: Annotated[list[Name], Field(max_length=8)] | None = None
    parameters: dict[str, float] | None = None


class StopIn(Taken):
    reason: Text | None = None


class StrategyOut(Schema):
    id: str
    name: str
    team: str
    owner: str
    kind: str
    kind_hash: str
    venue: str
    instruments: list[str]
    parameters: dict[str, float]
    version: int
    desired_state: str
    reported_state: str
    archived: bool


class RunOut(Schema):
    id: str
    strategy: str
    mode: str
    journal_sequence: str


class VenueIn(Taken):
    name: Annotated[str, StringConstraints(min_length=1, max_length=16), AfterValidator(_storable)]
    protocol: Annotated[str, StringConstraints(min_length=1, max_length=16), AfterValidator(_storable)]
    settings: dict[Name, Annotated[str, StringConstraints(max_length=200), AfterValidator(_storable)]]


class VenueOut(Schema):
    """`settings` without secrets; `answer` is what the engine said to this version."""

    number: int
    name: str
    protocol: str
    settings: dict[str, str]
    enabled: bool
    version: int
    answer: str
    engine_answer: str


class InstrumentOut(Schema):
    id: str
    name: str
    tick_size: str
    lot_size: int
    currency: str


class LimitsOut(Schema):
    """Absent bounds are null and block."""

    scope: str
    scope_id: str
    bounds: dict[str, str | None]


class ProposalIn(Taken):
    """New bounds by limit name, null to unset; those left out stay."""

    scope: Literal["firm", "team", "strategy"]
    scope_id: Id = 0
    bounds: Annotated[dict[str, DecimalText | None], Field(min_length=1, max_length=16)]
    reason: Text


class DecisionIn(Taken):
    """`diff_hash` of the change as it was shown."""

    diff_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RejectionIn(Taken):
    note: Text


class ChangeOut(Schema):
    id: str
    kind: str
    scope: str
    scope_id: str
    before: dict[str, Any]
    after: dict[str, Any]
    diff_hash: str
    loosens: bool
    reason: str
    state: str
    proposer: str
    approver: str | None
    expires_at: str
    note: str
    limits_version: str | None


class OrderIn(Taken):
    """A limit order at `price`, or of type `market`: then without one, at most `protection` basis points beyond the
    touch (the desk's, unless told). There is no default for side, price, quantity or time in force; the engine drops it
    when it is too old. Venue `smart`: the router splits it. With `care` it waits in the queue for a person, who reads
    the `instruction`. With `gtd` it ends at `good_till_ns`."""

    client_order_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,36}$")]
    instrument: Name
    venue: Name
    side: Literal["buy", "sell"]
    quantity: Whole
    type: Literal["limit", "market"] = "limit"
    price: DecimalText | None = None
    protection: Annotated[int, Field(ge=1, le=LARGEST_PROTECTION)] | None = None
    time_in_force: Literal["day", "ioc", "fok", "post_only", "at_open", "at_close", "gtc", "gtd"]
    good_till_ns: TimeText = "0"
    valid_milliseconds: Annotated[int, Field(ge=1, le=60_000)] = 500
    care: bool = False
    instruction: Annotated[str, StringConstraints(max_length=300), AfterValidator(_storable)] = ""


class ReplaceIn(Taken):
    """Both terms: `quantity` is what is to be open from now on."""

    quantity: Whole
    price: DecimalText


class ReplacedOut(Schema):
    """The number under which the order goes on."""

    order_id: str


class ParentIn(Taken):
    """A parent order: `algorithm` and `parameters` as in the catalogue, every parameter by name; no `price` is no
    limit. It begins at `start_ns` (now, unless told) and ends at `end_ns` or after `seconds`: one of the two. `care` as
    of an order."""

    client_order_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,36}$")]
    algorithm: Name
    instrument: Name
    venues: Annotated[list[Name], Field(min_length=1, max_length=4)]
    side: Literal["buy", "sell"]
    quantity: Whole
    price: DecimalText | None = None
    parameters: Annotated[dict[str, float], Field(max_length=32)]
    start_ns: TimeText = "0"
    end_ns: TimeText = "0"
    seconds: Annotated[int, Field(ge=0, le=604_800)] = 0
    valid_milliseconds: Annotated[int, Field(ge=1, le=60_000)] = 500
    care: bool = False
    instruction: Annotated[str, StringConstraints(max_length=300), AfterValidator(_storable)] = ""


class LegIn(Taken):
    """One leg of a multi-leg order; no `price` is no limit, venue `smart` the best of all."""

    instrument: Name
    venue: Name
    side: Literal["buy", "sell"]
    quantity: Whole
    price: DecimalText | None = None


class LegsIn(Taken):
    """A multi-leg order: 2 to 4 legs, the first one worked and the others following its fills; else as a parent
    order."""

    client_order_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,36}$")]
    algorithm: Name = "legs"
    legs: Annotated[list[LegIn], Field(min_length=2, max_length=4)]
    parameters: Annotated[dict[str, float], Field(max_length=32)]
    start_ns: TimeText = "0"
    end_ns: TimeText = "0"
    seconds: Annotated[int, Field(ge=0, le=604_800)] = 0
    valid_milliseconds: Annotated[int, Field(ge=1, le=60_000)] = 500
    care: bool = False
    instruction: Annotated[str, StringConstraints(max_length=300), AfterValidator(_storable)] = ""


class ReleaseIn(DecisionIn):
    """The waiting order as it was shown; to send it otherwise, the terms within it that are to hold instead: those of
    an `order`, or those of a `parent` order."""

    order: OrderIn | None = None
    parent: ParentIn | None = None


class ParentOut(Schema):
    """`filled_quantity`, `average_price` and `fees` are those of its children, `unwound_quantity` not
    counted: shares of a leg that were given back. A multi-leg order has several `legs`
    (else 0), the instrument, side and price of its first and the quantity of all."""

    parent_id: str
    sequence: str
    legs: int
    algorithm: str
    strategy: str | None
    team: str | None
    trader: str | None
    instrument: str | None
    venues: list[str]
    side: str
    quantity: str
    price: str | None
    state: str
    filled_quantity: str
    unwound_quantity: str
    average_price: str | None
    fees: str
    limits_version: str
    start_ns: str
    end_ns: str
    ts: str
    ts_ns: str


class LegOut(Schema):
    """How far a leg is, less what was given back; `quantity` is null where nobody entered the order here."""

    instrument: str
    side: str
    quantity: str | None
    filled_quantity: str
    unwound_quantity: str
    average_price: str | None


class EntryOut(Schema):
    """An order or parent order as it was entered; `order_id` or `parent_id` once the engine took it, `change_id` when
    it waits, or waited, for a person: it stands under that in the queue."""

    client_order_id: str
    outcome: str
    order_id: str | None
    parent_id: str | None
    change_id: str | None
    journal_sequence: str | None
    reason: str


class WaitingOut(EntryOut):
    """An order in the queue: what was `asked`, what was `released` in its place (null: as it was asked), and the
    change that a second person signs by its `diff_hash`."""

    team: str
    entered_by: str
    asked: dict[str, Any]
    released: dict[str, Any] | None
    change: ChangeOut


class RuleOut(Schema):
    """Orders of the team's people wait for a second person over these bounds; null: no order waits for that. What they
    sent alone in the instrument in the last `minutes` counts too; null: each order counts by itself."""

    team: str
    team_id: str
    notional: str | None
    volume_percent: str | None
    minutes: str | None


class RuleIn(Taken):
    """A bound, or `minutes`, that is left out stays, null takes it away."""

    team_id: Id
    bounds: Annotated[
        dict[Literal["notional", "volume_percent", "minutes"], DecimalText | None], Field(min_length=1, max_length=3)
    ]
    reason: Text


class OrderOut(Schema):
    """`price` of a `market` order is the limit that its `protection` (basis points, else null) made."""

    order_id: str
    sequence: str
    parent_id: str | None
    strategy: str | None
    team: str | None
    instrument: str | None
    venue: str | None
    side: str
    type: str
    price: str
    protection: int | None
    quantity: str
    filled_quantity: str
    leaves: str
    time_in_force: str
    state: str
    denial_reason: str | None
    limits_version: str
    trader: str | None
    strategy_version: str | None
    ts: str
    ts_ns: str


class DenialOut(Schema):
    """What the risk gate refused. `category` groups reasons: limit, kill, state, terms, market, venue, break.
    `measured` stood against `bound`: money and prices in the currency, else shares, basis points, a count or a code."""

    sequence: str
    order_id: str
    strategy: str | None
    team: str | None
    instrument: str | None
    venue: str | None
    action: str
    side: str | None
    price: str
    quantity: str
    category: str
    reason: str
    measured: str
    bound: str
    limit: str | None
    scope: str | None
    scope_id: str
    limits_version: str
    sentence: str
    ts: str
    ts_ns: str


class FillOut(Schema):
    sequence: str
    order_id: str
    strategy: str | None
    team: str | None
    instrument: str | None
    venue: str | None
    side: str
    price: str
    quantity: str
    fee: str
    liquidity: str
    match_number: str
    broken: bool
    ts: str
    ts_ns: str


class PositionOut(Schema):
    strategy: str | None
    team: str | None
    instrument: str
    venue: str
    quantity: str
    average_price: str | None
    realised: str
    fees: str
    sequence: str


class KillIn(Taken):
    scope: Literal["firm", "team", "strategy", "venue"]
    scope_id: Id = 0
    reason: Text


class KillOut(Schema):
    scope: str
    scope_id: str
    reason: str
    confirmed: bool
    killed_at: str


class HealthOut(Schema):
    status: str


class StatusOut(Schema):
    engine: str
    mode: str | None
    epoch: str | None
    build_hash: str | None
    limits_version: str | None
    projected_sequence: str


Row = TypeVar("Row")


class Page(Schema, Generic[Row]):
    """Rows by rising journal sequence; `next` is the address of what follows, null at the end."""

    items: list[Row]
    next: str | None


def money(value: Decimal | None) -> str | None:
    """A decimal as text, four places, never scientific."""
    return None if value is None else format(value, "f")


def identity(value: int | None) -> str | None:
    """An id as text."""
    return None if value is None else str(value)


def stamp(time_ns: int) -> str:
    """RFC 3339 in UTC with nanoseconds."""
    return f"{time_of(time_ns):%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000:09d}Z"
