"""Every enumeration that crosses a process boundary. Values are never reused."""

from __future__ import annotations

from enum import IntEnum

SCHEMA_VERSION = 1


class Side(IntEnum):
    BUY = 1
    SELL = 2


class TimeInForce(IntEnum):
    """How long an order works. POST_ONLY is DAY and never takes: what would trade at once is refused."""

    DAY = 1
    IOC = 2
    FOK = 3
    POST_ONLY = 4
    AT_OPEN = 5  # for the opening cross of its venue, and canceled after it
    AT_CLOSE = 6  # for the closing cross
    GTC = 7  # good till canceled
    GTD = 8  # good till a time


class OrderAction(IntEnum):
    """What an order request asks for (OUCH's verbs)."""

    ENTER = 1
    REPLACE = 2
    CANCEL = 3
    MODIFY = 4
    MASS_CANCEL = 5
    DISABLE_ENTRY = 6
    ENABLE_ENTRY = 7


class OrderState(IntEnum):
    """Life of an order of ours. DENIED never left the engine; UNKNOWN keeps its exposure until the venue answers."""

    PENDING_NEW = 1
    ACCEPTED = 2
    PARTIALLY_FILLED = 3
    FILLED = 4
    CANCELED = 5
    EXPIRED = 6
    REJECTED = 7
    PENDING_REPLACE = 8
    PENDING_CANCEL = 9
    UNKNOWN = 10
    DENIED = 11


OPEN_STATES = frozenset(
    {
        OrderState.PENDING_NEW,
        OrderState.ACCEPTED,
        OrderState.PARTIALLY_FILLED,
        OrderState.PENDING_REPLACE,
        OrderState.PENDING_CANCEL,
        OrderState.UNKNOWN,
    }
)


class ReportKind(IntEnum):
    """What a venue answers (OUCH's verbs). Two are ours, of an order that the venue proved never to have seen: NOT_SENT
    ends it, RESENT says that it leaves again."""

    ACCEPTED = 1
    REPLACED = 2
    CANCELED = 3
    EXECUTED = 4
    REJECTED = 5
    CANCEL_REJECTED = 6
    CANCEL_PENDING = 7
    EXPIRED = 8
    NOT_SENT = 9
    BROKEN = 10
    MODIFIED = 11
    RESTATED = 12
    PRIORITY_UPDATED = 13
    RESENT = 14


CORRECTED = ord("N")  # `reason` of an execution that stands for one that was taken back


class Liquidity(IntEnum):
    """Which side of the fill we were."""

    NONE = 0
    ADDED = 1
    REMOVED = 2


class DenialReason(IntEnum):
    """Why the risk gate refused: category_condition. The record carries the measured value and the limit."""

    NONE = 0
    KILL_ACTIVE = 1
    ENGINE_NOT_ACTIVE = 2
    VENUE_DOWN = 3
    LIMIT_UNSET = 4
    ORDER_QUANTITY = 5
    ORDER_VALUE = 6
    PRICE_COLLAR = 7
    REFERENCE_MISSING = 8
    POSITION = 9
    ORDER_RATE = 10
    DAILY_LOSS = 11
    TICK_SIZE = 12
    INVALID_FIELD = 13
    BOOK_DIRTY = 14
    CAPACITY = 15
    STALE_REQUEST = 16
    NOTIONAL_OVERFLOW = 17
    UNKNOWN_INSTRUMENT = 18
    INSTRUMENT_HALTED = 19
    INSTRUMENT_PAUSED = 20
    QUOTATION_ONLY = 21
    OPERATIONAL_HALT = 22
    MARKET_WIDE_HALT = 23
    IPO_PENDING = 24
    AUCTION_COLLAR = 25
    SHORT_SALE_RESTRICTED = 26
    MARKET_CLOSED = 27
    INSTRUMENT_BREAK = 28
    WOULD_TAKE = 29
    AUCTION_MISSING = 30
    AUCTION_OVER = 31
    TIME_IN_FORCE = 32


class LimitName(IntEnum):
    """The bounds of one limits row; the value is the field's place in LIMITS and what a LIMIT_UNSET denial names."""

    ORDER_QUANTITY = 1
    ORDER_VALUE = 2
    COLLAR_BASIS_POINTS = 3
    POSITION = 4
    ORDERS_PER_SECOND = 5
    DAILY_LOSS = 6


class Scope(IntEnum):
    """What a limit or a kill applies to."""

    FIRM = 1
    TEAM = 2
    STRATEGY = 3
    VENUE = 4


class EngineState(IntEnum):
    STARTING = 1
    RECONCILING = 2
    ACTIVE = 3
    REDUCE = 4
    HALTED = 5


class SessionState(IntEnum):
    """An order session with a venue."""

    DOWN = 1
    CONNECTING = 2
    RECONCILING = 3
    UP = 4


class StrategyState(IntEnum):
    STOPPED = 1
    RUNNING = 2
    STOPPING = 3


class ParentState(IntEnum):
    """Life of a parent order. CANCELING and EXPIRING ask for no new child and wait for the end of those that work."""

    WORKING = 1
    CANCELING = 2
    EXPIRING = 3
    DONE = 4
    CANCELED = 5
    EXPIRED = 6


class Mode(IntEnum):
    BACKTEST = 1
    PAPER = 2
    LIVE = 3


class RecordKind(IntEnum):
    """Kinds of journal records; each names its body dtype in `engine.messages.journal`."""

    ENGINE_STARTED = 1
    COMMAND = 2
    ORDER_REQUEST = 3
    DENIAL = 4
    ORDER_REPORT = 5
    SESSION_EVENT = 6
    FEED_EVENT = 7
    ENGINE_STATE = 8
    TIMER = 9
    STRATEGY_STATE = 10
    ORDER_NUMBERS = 11
    ROUTE = 12
    PARENT = 13


class Urgency(IntEnum):
    """How a child wants to be worked by the router."""

    PATIENT = 1  # rests only: joins the market, takes nothing
    NORMAL = 2  # takes what is there within its limit, the rest rests
    URGENT = 3  # takes only, nothing rests


class RouteReason(IntEnum):
    """Why the router chose a venue for a child, or passed it over."""

    NONE = 0
    TAKEN = 1  # chosen to take what is displayed (or hidden) there
    RESTED = 2  # chosen to rest there
    TAKEN_AND_RESTED = 3
    PINGED = 4  # chosen for what may be hidden at the midpoint
    VENUE_DOWN = 5
    BOOK_DIRTY = 6
    NO_QUOTE = 7
    OUTSIDE_LIMIT = 8
    OWN_ORDER = 9
    BELOW_MINIMUM = 10
    BETTER_PRICE_ELSEWHERE = 11
    COSTS_MORE = 12  # enough was found for less, or the rest is expected to cost less elsewhere
    HALTED = 13


class StampCause(IntEnum):
    """What a request was made on: a packet of the feed, an answer of a venue, a command of a person."""

    PACKET = 1
    ANSWER = 2
    COMMAND = 3


class FeedEventKind(IntEnum):
    GAP = 1
    RECOVERED = 2
    END_OF_SESSION = 3
    NEW_SESSION = 4
    SNAPSHOT_BEGUN = 5
    SNAPSHOT_JOINED = 6
