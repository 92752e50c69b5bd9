"""The generated market: the same from one seed, compiled or plain; books that look like books; pairs that come back."""

import os
import subprocess
import sys
from itertools import combinations

import numpy as np
from statsmodels.tsa.stattools import coint

from engine.simulator.generator import Generator, Market, default_instruments
from engine.simulator.layout import BookMemory
from engine.simulator.sources import RecordedFlow

SECOND_NS = 1_000_000_000
SCRIPT = """
import hashlib
from engine.simulator.generator import Generator, Market, default_instruments
from engine.simulator.layout import BookMemory
instruments = default_instruments(8)
memory = BookMemory(instruments, 2048, 512)
generator = Generator(memory, instruments, Market(seed=5, depth=6), 0)
generator.open_books()
generator.run_until(1_500_000_000)
count, blocks = memory.take_messages()
print(count, hashlib.sha256(blocks).hexdigest())
"""


def made(seed: int = 3, record_capacity: int = 0, **settings: float) -> tuple[BookMemory, Generator]:
    instruments = default_instruments()
    memory = BookMemory(instruments, 16384, 4096)
    generator = Generator(memory, instruments, Market(seed=seed, **settings), 0, record_capacity=record_capacity)
    generator.open_books()
    return memory, generator


def run_script(backend: str) -> str:
    environment = os.environ | {"ENGINE_BACKEND": backend}
    run = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    return run.stdout


def test_the_market_is_the_same_compiled_and_plain():
    compiled = run_script("native")
    assert int(compiled.split()[0]) > 1000
    assert run_script("plain") == compiled


def test_one_seed_makes_one_market_and_another_seed_another():
    streams = []
    for seed in (3, 3, 4):
        memory, generator = made(seed)
        generator.run_until(SECOND_NS)
        streams.append(memory.take_messages())
    assert streams[0] == streams[1] != streams[2]


def test_running_in_small_steps_changes_nothing():
    whole, in_steps = made(), made()
    whole[1].run_until(SECOND_NS)
    for step in range(1, 101):
        in_steps[1].run_until(step * SECOND_NS // 100)
    assert whole[0].take_messages() == in_steps[0].take_messages()


def test_the_rate_is_the_configured_one():
    memory, generator = made(rate=500.0)
    events = 0
    for second in range(1, 61):
        events += generator.run_until(second * SECOND_NS)
        memory.take_messages()
    assert abs(events - 30_000) < 600


def test_spreads_are_one_to_three_ticks_most_of_the_time_and_books_are_never_crossed():
    memory, generator = made()
    spreads = []
    for second in range(1, 121):
        generator.run_until(second * SECOND_NS)
        best = memory.instruments[1:]
        memory.take_messages()
        spreads.append(memory.levels["price"][best["best_ask"]] - memory.levels["price"][best["best_bid"]])
    ticks = np.concatenate(spreads) / 100
    one_sided = np.abs(ticks) > 1000  # nobody quotes on one side for a moment
    assert one_sided.mean() < 0.002
    assert ticks[~one_sided].min() >= 1
    assert np.mean((ticks >= 1) & (ticks <= 3)) > 0.85


def test_instruments_of_a_group_cointegrate():
    memory, generator = made()
    mids = []
    for second in range(1, 1801):
        generator.run_until(second * SECOND_NS)
        best = memory.instruments[1:]
        mids.append(memory.levels["price"][best["best_ask"]] + memory.levels["price"][best["best_bid"]])
        memory.take_messages()
    prices = np.array(mids, float)
    groups = [range(4 * group, 4 * group + 4) for group in range(10)]
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    p_values = [coint(prices[::5, first], prices[::5, second])[1] for first, second in pairs]
    assert sum(p < 0.05 for p in p_values) > 30


def test_it_stops_when_nobody_takes_what_is_published():
    memory, generator = made()
    generator.run_until(1000 * SECOND_NS)
    assert generator.next_time_ns < 1000 * SECOND_NS
    taken = memory.take_messages()[0]
    generator.run_until(1000 * SECOND_NS)
    assert taken > 1000 < memory.take_messages()[0]


def test_recorded_flow_played_again_publishes_the_same_messages():
    memory, generator = made(record_capacity=5000)
    generator.run_until(2 * SECOND_NS)
    again = BookMemory(default_instruments(), 16384, 4096)
    source = RecordedFlow(again, generator.recorded_flow())
    assert source.next_time_ns == 0
    source.run_until(2 * SECOND_NS)
    assert again.take_messages() == memory.take_messages()
