"""The demo's venues and its pairs strategies, defined through the same services as in the browser."""

from typing import Any

from desk.accounts.models import Role, User
from desk.markets.models import Instrument, Pair, Venue
from desk.markets.services import define_venue
from desk.operations.demo import Market
from desk.operations.demo_venues import DemoVenue, demo_venues, shared_out
from desk.strategies.models import Strategy
from desk.strategies.services import create_strategy, start_strategy
from engine.messages.catalogue import StrategyKind
from engine.messages.codes import StrategyState

KIND = "pairs"
STRATEGIES = 24
ENTRY = 1.5
"""deviations; less than the default, so that a demo that is watched for minutes trades"""
POSITION_VALUE = 10_000
"""of the first leg, in the currency"""
ROUTED_EVERY = 4
"""of so many strategies one sends its orders to the best of all venues, the others to their own"""


def demo_user(role: Role) -> User:
    """Return the demo user of a role, who must have been seeded."""
    return User.objects.get(username=role.value)


def define_demo_venues(market: Market) -> list[Venue]:
    """Return the demo's venues, defining in the engine those that are missing while nobody has opened the demo."""
    return [_define_demo_venue(market, demo) for demo in demo_venues(market)]


def _define_demo_venue(market: Market, demo: DemoVenue) -> Venue:
    known = Venue.objects.filter(number=demo.number).first()
    if known is not None:
        return known
    return define_venue(
        demo_user(Role.ADMIN),
        name=demo.name,
        protocol=demo.protocol,
        settings=demo.settings(market),
        number=demo.number,
    )


def define_demo_strategies(kind: StrategyKind, market: Market, session: str) -> list[Strategy]:
    """Return one strategy for each of the strongest pairs of the session, defining those that are missing."""
    pairs = Pair.objects.filter(source=session).select_related("first", "second")[:STRATEGIES]
    where = shared_out(demo_venues(market), len(pairs))
    return [
        define_demo_strategy(kind, demo.number, pair, routed=at % ROUTED_EVERY == 0)
        for at, (demo, pair) in enumerate(zip(where, pairs, strict=True))
    ]


def define_demo_strategy(kind: StrategyKind, venue: int, pair: Pair, routed: bool) -> Strategy:
    """Return the strategy that is named after the pair."""
    name = f"{pair.first.name} / {pair.second.name}"
    known = Strategy.objects.filter(name=name).first()
    if known is not None:
        return known
    return create_strategy(
        demo_user(Role.TRADER),
        name=name,
        kind=kind.name,
        venue=venue,
        instruments=[pair.first.pk, pair.second.pk],
        parameters=parameters_of(kind, pair, routed),
    )


def parameters_of(kind: StrategyKind, pair: Pair, routed: bool = False) -> dict[str, Any]:
    """Return the kind's defaults with what the earlier session says about the pair."""
    estimated = {
        "hedge_ratio": pair.hedge_ratio,
        "centre": pair.centre,
        "deviation": pair.spread_deviation,
        "entry": ENTRY,
        "quantity": round_lots(pair.first, POSITION_VALUE),
        "routing": int(routed),
    }
    return {parameter.name: estimated.get(parameter.name, parameter.default) for parameter in kind.parameters}


def round_lots(instrument: Instrument, value: int) -> int:
    """Return about this much of an instrument in whole lots, at least one."""
    lots = int(value / float(instrument.open_price) / instrument.lot_size) if instrument.open_price else 1
    return max(1, lots) * instrument.lot_size


def start_all(strategies: list[Strategy]) -> None:
    """Start the strategies that nobody has started yet, as their trader."""
    trader = demo_user(Role.TRADER)
    for strategy in strategies:
        if strategy.desired_state == StrategyState.STOPPED and not strategy.runs.exists():
            start_strategy(trader, strategy)
