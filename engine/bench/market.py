"""The market of the pipeline benchmarks: a generated ITCH session cut into MoldUDP64 packets, and pairs over it.

The same market runs compiled and plain and in several processes, so it can be written to a file and read again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench.itch_session import TICK, VENUE, ItchSession, generate_session, open_books, skip_blocks
from engine.hotpath.itch_blocks import apply_blocks
from engine.messages.control import StartStrategy
from engine.messages.instruments import Instrument
from engine.native import address_of, copy_bytes, hot, load_be16, load_i64, store_be16, store_be64, store_i64
from engine.protocols.itch50_offsets import TIMESTAMP_NS
from engine.protocols.moldudp64_blocks import BLOCK_HEADER_LENGTH, HEADER_LENGTH, MESSAGE_COUNT, SEQUENCE
from engine.strategies import compiled_kind

SESSION_NAME = b"BENCHMARK "
MOST_MESSAGES_PER_PACKET = 20
SAMPLES = 200
TIME_AT = HEADER_LENGTH + BLOCK_HEADER_LENGTH + TIMESTAMP_NS  # of a packet's first message
CURRENCY = 10_000
LARGEST_RATIO = 10.0
TEAMS = 4


@dataclass(frozen=True)
class Pairs:
    """How the pairs trade: parameters of the strategy that all of them share, in its units. `remembered`: messages of
    the market within which the centre of a pair follows its spread; the fewer, the more it trades."""

    entry: float = 1.0
    exit: float = 0.0
    quantity: int = 100
    patience: float = 0.005
    remembered: int = 200_000


@dataclass(frozen=True)
class Market:
    """`packets` back to back; packet n is bytes offsets[n] to offsets[n + 1] and begins with message sequences[n].

    `middles` are mid prices, one row per sample and one column per instrument, not-a-number before there was one.
    """

    packets: np.ndarray[Any, Any]
    offsets: np.ndarray[Any, Any]
    sequences: np.ndarray[Any, Any]
    middles: np.ndarray[Any, Any]
    most_orders: int

    @property
    def count(self) -> int:
        """Packets."""
        return len(self.offsets) - 1

    @property
    def messages(self) -> int:
        """Messages in all packets."""
        return int(self.sequences[-1]) - 1

    @property
    def seconds(self) -> float:
        """From its first to its last packet, by the clock of its messages."""
        first, last = (self.packet(number)[TIME_AT : TIME_AT + 6] for number in (0, self.count - 1))
        return (int.from_bytes(last, "big") - int.from_bytes(first, "big")) / 1e9

    def messages_between(self, first: int, last: int) -> int:
        """Messages in packets first to last - 1."""
        return int(self.sequences[last] - self.sequences[first])

    def packet(self, number: int) -> bytes:
        """The bytes of one packet."""
        return self.packets[self.offsets[number] : self.offsets[number + 1]].tobytes()

    def instruments(self) -> list[Instrument]:
        """What the stock locates mean."""
        return [Instrument(n + 1, f"I{n:05d}", tick_size=TICK) for n in range(self.middles.shape[1])]

    def write(self, path: Path) -> None:
        """Keep it; `read_market` reads it."""
        np.savez(
            path,
            packets=self.packets,
            offsets=self.offsets,
            sequences=self.sequences,
            middles=self.middles,
            most_orders=self.most_orders,
        )


def read_market(path: Path) -> Market:
    """What `write` wrote."""
    with np.load(path) as kept:
        arrays = {name: kept[name] for name in ("packets", "offsets", "sequences", "middles")}
        return Market(**arrays, most_orders=int(kept["most_orders"]))


@hot
def cut_packets(blocks, counts, packets, session, target, offsets, sequences):
    """Write `packets` packets of counts[n] messages each at `target`. Returns the address after the last."""
    at = target
    sequence = 1
    source = blocks
    for n in range(packets):
        count = load_i64(counts + n * 8)
        store_i64(offsets + n * 8, at - target)
        store_i64(sequences + n * 8, sequence)
        copy_bytes(at, session, 10)
        store_be64(at + SEQUENCE, sequence)
        store_be16(at + MESSAGE_COUNT, count)
        length = 0
        for _ in range(count):
            length += 2 + load_be16(source + length)
        copy_bytes(at + HEADER_LENGTH, source, length)
        source += length
        at += HEADER_LENGTH + length
        sequence += count
    store_i64(offsets + packets * 8, at - target)
    store_i64(sequences + packets * 8, sequence)
    return at


def packet_sizes(messages: int, seed: int) -> np.ndarray[Any, Any]:
    """Messages per packet: half of the packets carry one, few carry more than five; 2 in the mean."""
    random = np.random.default_rng(seed)
    drawn = random.geometric(0.5, messages).clip(1, MOST_MESSAGES_PER_PACKET).astype(np.int64)
    ends = np.cumsum(drawn)
    used = int(np.searchsorted(ends, messages))
    sizes = drawn[: used + 1].copy()
    sizes[-1] -= int(ends[used]) - messages
    return sizes[sizes > 0]


def sample_middles(session: ItchSession) -> np.ndarray[Any, Any]:
    """Mid prices in currency at even steps through the session."""
    memory = open_books(session.listings, session.most_orders, queues=False)
    rows = np.full((SAMPLES, session.listings), np.nan)
    at, end = session.address, session.address + len(session.blocks)
    for number in range(SAMPLES):
        following = int(skip_blocks(at, end, max(1, session.messages // SAMPLES)))
        apply_blocks(memory.address, VENUE, at, following)
        at = following
        tops = memory.tops[: session.listings]
        two_sided = (tops["bid_quantity"] > 0) & (tops["ask_quantity"] > 0) & (tops["bid"] < tops["ask"])
        rows[number, two_sided] = (tops["bid"] + tops["ask"])[two_sided] / (2 * CURRENCY)
    return rows


def make_market(messages: int, instruments: int, seed: int = 1) -> Market:
    """A session of `messages` over `instruments`; the same seed gives the same bytes."""
    session = generate_session(messages, instruments, seed)
    sizes = packet_sizes(messages, seed)
    packets = np.zeros(len(session.blocks) + HEADER_LENGTH * len(sizes), np.uint8)
    offsets, sequences = np.zeros(len(sizes) + 1, np.int64), np.zeros(len(sizes) + 1, np.int64)
    name = np.frombuffer(SESSION_NAME, np.uint8).copy()
    cut_packets(
        session.address,
        address_of(sizes),
        len(sizes),
        address_of(name),
        address_of(packets),
        address_of(offsets),
        address_of(sequences),
    )
    return Market(packets, offsets, sequences, sample_middles(session), session.most_orders)


def choose_pairs(market: Market, count: int, style: Pairs, seed: int = 2) -> list[StartStrategy]:
    """`count` pairs drawn evenly over the instruments, hedge ratio, centre and deviation from the sampled prices. The
    spread walks at random, so that its distance from a centre that follows within a part of the session deviates by
    the square root of three such parts of what it deviates from its mean.

    Instruments without a price in half of the samples, and pairs of very different prices, are passed over.
    """
    random = np.random.default_rng(seed)
    part = min(1.0, style.remembered / market.messages)
    quoted = np.flatnonzero(np.isfinite(market.middles).mean(axis=0) >= 0.5)
    kind_hash = compiled_kind("pairs").hash
    found: list[StartStrategy] = []
    while len(found) < count:
        first, second = (int(each) for each in random.choice(quoted, 2, replace=False))
        ratio = float(np.nanmean(market.middles[:, first]) / np.nanmean(market.middles[:, second]))
        spread = market.middles[:, first] - ratio * market.middles[:, second]
        deviation = float(np.nanstd(spread)) if np.isfinite(spread).any() else 0.0
        if not 1 / LARGEST_RATIO <= ratio <= LARGEST_RATIO or not 0.001 <= deviation <= 1000.0:
            continue
        parameters = {
            "hedge_ratio": ratio,
            "centre": float(np.nanmean(spread)),
            "deviation": max(0.0001, deviation * math.sqrt(3 * part)),
            "entry": style.entry,
            "exit": style.exit,
            "quantity": style.quantity,
            "patience": style.patience,
            "memory": market.seconds * part,
            "routing": 0.0,
        }
        number = len(found) + 1
        legs = [first + 1, second + 1]
        found.append(
            StartStrategy(number, f"P{number}", 1 + number % TEAMS, "pairs", kind_hash, VENUE, legs, parameters)
        )
    return found
