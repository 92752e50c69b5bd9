"""The demo's venues as the desk defines them: what each speaks, what it costs, where it listens."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass

from desk.operations.demo import (
    BROKER_DROP_COPY_PORT,
    BROKER_FEE,
    BROKER_ORDER_PORT,
    DROP_COPY_PORT,
    LINE_A_PORT,
    LINE_B_PORT,
    MAKER_FEE,
    MID_DROP_COPY_PORT,
    MID_FEE,
    MID_LINE_A_PORT,
    MID_LINE_B_PORT,
    MID_ORDER_PORT,
    MID_RETRANSMISSION_PORT,
    MID_SNAPSHOT_PORT,
    ORDER_PORT,
    RETRANSMISSION_PORT,
    SNAPSHOT_PORT,
    TAKER_FEE,
    TWO_DROP_COPY_PORT,
    TWO_LINE_A_PORT,
    TWO_LINE_B_PORT,
    TWO_MAKER_FEE,
    TWO_ORDER_PORT,
    TWO_RETRANSMISSION_PORT,
    TWO_SNAPSHOT_PORT,
    TWO_TAKER_FEE,
    USER,
    Market,
)

Settings = dict[str, str]
FIRST = 1


@dataclass(frozen=True)
class DemoVenue:
    """`settings` by the field names of the engine's kind `protocol`; `strategies` of 24 trade there."""

    name: str
    number: int
    protocol: str
    strategies: int
    settings: Callable[[Market], Settings]


def _feed(market: Market, line_a: int, line_b: int, retransmission: int, snapshot: int) -> Settings:
    return {
        "feed_line_a": market.address(line_a),
        "feed_line_b": market.address(line_b),
        "retransmission": market.address(retransmission),
        "snapshot": market.address(snapshot),
        "snapshot_user": USER,
        "snapshot_password": market.password,
    }


def _drop_copy(market: Market, port: int) -> Settings:
    return {"drop_copy": market.address(port), "drop_copy_user": USER, "drop_copy_password": market.password}


def _fees(maker: int, taker: int) -> Settings:
    return {"maker_fee": str(maker), "taker_fee": str(taker)}


def _ouch(market: Market, port: int) -> Settings:
    return {"order_address": market.address(port), "user": USER, "password": market.password, "firm": "DESK"}


def _fix(market: Market, port: int, name: str, version: str) -> Settings:
    session = {"sender_comp_id": USER, "target_comp_id": name, "password": market.password}
    return session | {"order_address": market.address(port), "version": version}


def _first(market: Market) -> Settings:
    feed = _feed(market, LINE_A_PORT, LINE_B_PORT, RETRANSMISSION_PORT, SNAPSHOT_PORT)
    return _ouch(market, ORDER_PORT) | _drop_copy(market, DROP_COPY_PORT) | feed | _fees(MAKER_FEE, TAKER_FEE)


def _second(market: Market) -> Settings:
    feed = _feed(market, TWO_LINE_A_PORT, TWO_LINE_B_PORT, TWO_RETRANSMISSION_PORT, TWO_SNAPSHOT_PORT)
    return (
        _ouch(market, TWO_ORDER_PORT)
        | _drop_copy(market, TWO_DROP_COPY_PORT)
        | feed
        | _fees(TWO_MAKER_FEE, TWO_TAKER_FEE)
    )


def _midpoint(market: Market) -> Settings:
    feed = _feed(market, MID_LINE_A_PORT, MID_LINE_B_PORT, MID_RETRANSMISSION_PORT, MID_SNAPSHOT_PORT)
    session = _fix(market, MID_ORDER_PORT, "XMID", "5.0SP2")
    session |= _drop_copy(market, MID_DROP_COPY_PORT)
    return session | feed | _fees(MID_FEE, MID_FEE) | {"priced_by": str(FIRST), "midpoint": "1"}


def _broker(market: Market) -> Settings:
    session = _fix(market, BROKER_ORDER_PORT, "XBRK", "4.2") | {"dialect": "XBRK"}
    session |= _drop_copy(market, BROKER_DROP_COPY_PORT)
    return session | _fees(BROKER_FEE, BROKER_FEE) | {"priced_by": str(FIRST)}


VENUES = (
    DemoVenue("XSIM", FIRST, "ouch50", 10, _first),
    DemoVenue("XTWO", 2, "ouch42", 6, _second),
    DemoVenue("XMID", 3, "fix", 5, _midpoint),
    DemoVenue("XBRK", 4, "fix44", 3, _broker),
)


def demo_venues(market: Market) -> list[DemoVenue]:
    """Those that this market's exchange opens: a market made by an earlier release has fewer."""
    opened = {venue["name"] for venue in tomllib.loads(market.exchange_config.read_text())["venues"]}
    return [venue for venue in VENUES if venue.name in opened]


def shared_out(venues: list[DemoVenue], count: int) -> list[DemoVenue]:
    """The venue of each of `count` strategies, the strongest pair first: in turn, as often as each wants."""
    turns: list[DemoVenue] = []
    while len(turns) < count:
        most = max(venue.strategies for venue in venues)
        turns += [venue for turn in range(most) for venue in venues if turn < venue.strategies]
    return turns[:count]
