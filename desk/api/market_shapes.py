"""What the API gives of the running engine's own state: the market that it sees, and how fast it is."""

from ninja import Schema


class TopOut(Schema):
    """An instrument at a venue: the best prices of its book and what the venue says of it. Null: nothing is there, or
    nothing was said. `market` is the venue's hours."""

    instrument: str
    venue: str
    bid: str | None
    bid_quantity: str | None
    ask: str | None
    ask_quantity: str | None
    status: str | None
    status_reason: str | None
    market: str | None
    short_sale: bool
    collar_lower: str | None
    collar_upper: str | None
    last_price: str | None
    last_quantity: str | None
    volume: str
    imbalance_side: str | None
    imbalance_quantity: str | None
    paired_quantity: str | None
    near_price: str | None
    retail_interest: str | None
    release_time: str | None
    direct_listing: str | None
    market_makers: str


class QuantilesOut(Schema):
    """Of so many order requests, in nanoseconds; null without any."""

    n: int
    p50_ns: int | None
    p90_ns: int | None
    p99_ns: int | None
    p999_ns: int | None
    max_ns: int | None


class AlarmOut(Schema):
    name: str
    sentence: str
    since: str
    since_ns: str


class LatencyOut(Schema):
    """Of orders that a packet caused, from packet received to send called: `whole` and its stages, in the last minute
    and on the UTC day."""

    minute: dict[str, QuantilesOut]
    day: dict[str, QuantilesOut]
    alarms: list[AlarmOut]
