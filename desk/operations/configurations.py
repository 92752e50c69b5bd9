"""Writes the demo's configuration files of the exchange and of the engine, once; what a person changed is kept."""

from pathlib import Path

from desk.operations import demo
from desk.operations.demo import Market

SECOND_RATE = 400.0
"""events per second of the venues beside the first: much less, and the pairs there hardly trade"""
EXCHANGE = """\
# The simulated exchange of the demo: two lit books, a midpoint pool, a broker, and a venue that nobody has defined yet.
# Written once; change it while the desk is down.
out = "exchange"
instruments = "{instruments}"

[market]
seed = 1
rate = 800.0
deviation = 0.0012
half_life_seconds = 60.0
factor_volatility = 0.00015
group_volatility = 0.00025

[[venues]]
name = "XSIM"
id = 1
protocol = "ouch50"
order_port = {order_port}
drop_copy_port = {drop_copy_port}
line_a = ["{line_a}"]
line_b = ["{line_b}"]
retransmission_port = {retransmission_port}
snapshot_port = {snapshot_port}
maker_fee = {maker_fee}
taker_fee = {taker_fee}
users = [{{ name = "{user}", password = "{password}" }}]

[[venues]]
name = "XTWO"
id = 3
protocol = "ouch42"
rate = {second_rate}
order_port = {two_order_port}
drop_copy_port = {two_drop_copy_port}
line_a = ["{two_line_a}"]
line_b = ["{two_line_b}"]
retransmission_port = {two_retransmission_port}
snapshot_port = {two_snapshot_port}
maker_fee = {two_maker_fee}
taker_fee = {two_taker_fee}
entry_latency_us = 200
users = [{{ name = "{user}", password = "{password}" }}]

# Trades at the midpoint of XSIM's book, and shows nothing but its trades.
[[venues]]
name = "XMID"
id = 4
protocol = "fix50sp2"
kind = "midpoint"
reference = "XSIM"
order_port = {mid_order_port}
drop_copy_port = {mid_drop_copy_port}
line_a = ["{mid_line_a}"]
line_b = ["{mid_line_b}"]
retransmission_port = {mid_retransmission_port}
snapshot_port = {mid_snapshot_port}
maker_fee = {mid_fee}
taker_fee = {mid_fee}
entry_latency_us = 500
users = [{{ name = "{user}", password = "{password}" }}]

# Fills after a while, or by hand: `python -m engine broker exchange.toml by-hand XBRK`.
[[venues]]
name = "XBRK"
id = 5
protocol = "fix42"
kind = "broker"
reference = "XSIM"
order_port = {broker_order_port}
drop_copy_port = {broker_drop_copy_port}
taker_fee = {broker_fee}
entry_latency_us = 2000
fill_delay_ms = 800
users = [{{ name = "{user}", password = "{password}" }}]

# Nobody trades here until a venue with these addresses is defined in the browser.
[[venues]]
name = "XFIX"
id = 2
protocol = "fix44"
comp_id = "XFIX"
rate = {second_rate}
order_port = {fix_order_port}
line_a = ["{fix_line_a}"]
line_b = ["{fix_line_b}"]
retransmission_port = {fix_retransmission_port}
snapshot_port = {fix_snapshot_port}
maker_fee = {fix_maker_fee}
taker_fee = {fix_taker_fee}
users = [{{ name = "{user}" }}]
"""
DIALECT = """\
# How the demo's broker speaks FIX 4.2 (docs/protocols/fix44.md, "Dialects").
[orders]
time_format = "milliseconds"

[answers]
liquidity_tag = 9730
added = "A"
removed = "R"
"""
EARLIER = """\
# The session that the pairs are estimated from: the same market on another day, so with another seed.
out = "earlier"

[market]
seed = 20
rate = 200.0
deviation = 0.0012
half_life_seconds = 60.0
factor_volatility = 0.00015
group_volatility = 0.00025

[[venues]]
name = "XSIM"
id = 1
"""
ENGINE = """\
# The engine of the demo. Written once; change it while the desk is down. Venues, limits and strategies come by command.
instruments = "{instruments}"
mode = "paper"
wait = "backing_off"
venue_count = 8
# What cost reports learn is written there; the router reckons with it from the next start on.
costs = "costs.json"
"""


def write_exchange_config(market: Market) -> None:
    """Write exchange.toml with a password of its own for the engine's session."""
    text = EXCHANGE.format(
        instruments=market.instruments.relative_to(market.state),
        order_port=market.first_port + demo.ORDER_PORT,
        line_a=market.address(demo.LINE_A_PORT),
        line_b=market.address(demo.LINE_B_PORT),
        retransmission_port=market.first_port + demo.RETRANSMISSION_PORT,
        snapshot_port=market.first_port + demo.SNAPSHOT_PORT,
        maker_fee=demo.MAKER_FEE,
        taker_fee=demo.TAKER_FEE,
        drop_copy_port=market.first_port + demo.DROP_COPY_PORT,
        two_drop_copy_port=market.first_port + demo.TWO_DROP_COPY_PORT,
        mid_drop_copy_port=market.first_port + demo.MID_DROP_COPY_PORT,
        broker_drop_copy_port=market.first_port + demo.BROKER_DROP_COPY_PORT,
        second_rate=SECOND_RATE,
        two_order_port=market.first_port + demo.TWO_ORDER_PORT,
        two_line_a=market.address(demo.TWO_LINE_A_PORT),
        two_line_b=market.address(demo.TWO_LINE_B_PORT),
        two_retransmission_port=market.first_port + demo.TWO_RETRANSMISSION_PORT,
        two_snapshot_port=market.first_port + demo.TWO_SNAPSHOT_PORT,
        two_maker_fee=demo.TWO_MAKER_FEE,
        two_taker_fee=demo.TWO_TAKER_FEE,
        mid_order_port=market.first_port + demo.MID_ORDER_PORT,
        mid_line_a=market.address(demo.MID_LINE_A_PORT),
        mid_line_b=market.address(demo.MID_LINE_B_PORT),
        mid_retransmission_port=market.first_port + demo.MID_RETRANSMISSION_PORT,
        mid_snapshot_port=market.first_port + demo.MID_SNAPSHOT_PORT,
        mid_fee=demo.MID_FEE,
        broker_order_port=market.first_port + demo.BROKER_ORDER_PORT,
        broker_fee=demo.BROKER_FEE,
        user=demo.USER,
        password=market.password,
        fix_order_port=market.first_port + demo.FIX_ORDER_PORT,
        fix_line_a=market.address(demo.FIX_LINE_A_PORT),
        fix_line_b=market.address(demo.FIX_LINE_B_PORT),
        fix_retransmission_port=market.first_port + demo.FIX_RETRANSMISSION_PORT,
        fix_snapshot_port=market.first_port + demo.FIX_SNAPSHOT_PORT,
        fix_maker_fee=demo.FIX_MAKER_FEE,
        fix_taker_fee=demo.FIX_TAKER_FEE,
    )
    _write_once(market.exchange_config, text)


def write_dialect(market: Market) -> None:
    """Write dialects/XBRK.toml."""
    market.broker_dialect.parent.mkdir(exist_ok=True)
    _write_once(market.broker_dialect, DIALECT)


def write_earlier_config(market: Market) -> None:
    """Write market/earlier.toml."""
    _write_once(market.earlier_config, EARLIER)


def write_engine_config(market: Market) -> None:
    """Write engine.toml."""
    _write_once(market.engine_config, ENGINE.format(instruments=market.instruments.relative_to(market.state)))


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(text)
